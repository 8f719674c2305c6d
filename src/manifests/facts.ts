/**
 * What a live dump says of the cluster besides its objects' own meaning: settings that stand in ConfigMaps, flags,
 * annotations and custom resources become topology keys. What the topology file says wins, key by key.
 */
import type { ApiObject } from "../objects/api.ts";
import type { Diagnostic } from "../objects/diagnostic.ts";
import type { Topology } from "../objects/topology.ts";
import { type CniFacts, type CniReading, readCni } from "./facts/cni.ts";
import { readKubernetes } from "./facts/kubernetes.ts";
import type { YamlMapping } from "./yaml/construct.ts";

/** The topology with the input's facts below it. `settings`: custom resources that are read for facts only. */
export function withFacts(
  topology: Topology,
  objects: readonly ApiObject[],
  settings: readonly YamlMapping[],
): { readonly topology: Topology; readonly diagnostics: readonly Diagnostic[] } {
  const stated = readKubernetes(objects, settings);
  const reading = topology.cni?.plugin === undefined ? readCni(objects, settings) : {};
  const podCIDRs = stated.podCIDRs ?? reading.facts?.podCIDRs;
  const kubernetes = { ...stated, ...(podCIDRs === undefined ? {} : { podCIDRs }), ...topology.kubernetes };
  const cni = { ...cniOf(reading), ...topology.cni };
  const kubeProxy = { ...proxyOf(reading.facts, objects), ...topology.kubeProxy };
  return {
    topology: {
      ...topology,
      ...(Object.keys(kubernetes).length > 0 ? { kubernetes } : {}),
      ...(Object.keys(cni).length > 0 ? { cni } : {}),
      ...(Object.keys(kubeProxy).length > 0 ? { kubeProxy } : {}),
    },
    diagnostics: complaints(reading),
  };
}

/** Kept as `unrecognised` rather than taken for ktrace's default: what connects these pods is not known. */
const cniOf = ({ facts, unrecognised }: CniReading): Topology["cni"] =>
  facts
    ? { ...facts.cni, ...(facts.replacesKubeProxy ? { replacesKubeProxy: true } : {}) }
    : unrecognised
      ? { plugin: "unrecognised" }
      : {};

/** A plugin that serves Services itself usually has no kube-proxy beside it. */
function proxyOf(facts: CniFacts | undefined, objects: readonly ApiObject[]): Topology["kubeProxy"] {
  if (!facts?.replacesKubeProxy) return {};
  const hasProxy = objects.some(
    (object) =>
      (object.kind === "DaemonSet" && object.metadata.name === "kube-proxy") || object.metadata.labels?.["k8s-app"] === "kube-proxy",
  );
  return hasProxy ? {} : { mode: "none" };
}

function complaints({ several, unrecognised }: CniReading): readonly Diagnostic[] {
  const help = "say which one serves the pods with spec.cni.plugin of a topology file (-t)";
  if (several !== undefined)
    return [
      {
        code: "several-network-plugins",
        severity: "warning",
        message: `${several.length} network plugins are installed: ${several.join(", ")}; each kubelet uses the first file of /etc/cni/net.d, which is not in the input`,
        help,
      },
    ];
  if (!unrecognised) return [];
  const message = "pods of kube-system are listed, and no network plugin that ktrace knows is among them";
  return [{ code: "network-plugin-unknown", severity: "warning", message, help }];
}
