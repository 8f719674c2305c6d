/**
 * Which network plugin a dump shows at work, and its configuration under the plugin's own keys. A plugin is known by its
 * DaemonSet, or by the pods of one; flannel inside another process (k3s) by what it writes on its nodes.
 */
import type { ApiObject } from "../../objects/api.ts";
import type { CniSettings } from "../../objects/topology.ts";
import type { YamlMapping } from "../yaml/construct.ts";
import { readCalico } from "./calico.ts";
import { readCilium } from "./cilium.ts";
import { FLANNEL_ANNOTATION, readFlannel } from "./flannel.ts";
import { readKindnet } from "./kindnet.ts";
import { isLivePod } from "./texts.ts";

/** What one plugin's objects say. */
export type CniFacts = { readonly cni: CniSettings; readonly podCIDRs?: readonly string[]; readonly replacesKubeProxy?: boolean };
export type CniReading = {
  readonly facts?: CniFacts;
  /** Every plugin seen, when it is more than one. */
  readonly several?: readonly string[];
  /** Pods of kube-system are listed, and no plugin that is known is among them. */
  readonly unrecognised?: boolean;
};

/** DaemonSets by the names that their projects' manifests give them, with the plugin they run. */
const DAEMONS: readonly (readonly [RegExp, string])[] = [
  [/^(kube-flannel(-ds)?|flannel)(-(amd64|arm64|arm|ppc64le|s390x))?$/, "flannel"],
  [/^canal$/, "canal"],
  [/^calico-node$/, "calico"],
  [/^(cilium|anetd)$/, "cilium"],
  [/^kindnet$/, "kindnet"],
  [/^weave-net$/, "weave"],
  [/^kube-router$/, "kube-router"],
  [/^(kube-ovn-cni|ovs-ovn)$/, "kube-ovn"],
  [/^ovnkube-node$/, "ovn-kubernetes"],
  [/^antrea-agent$/, "antrea"],
  [/^aws-node$/, "aws-vpc-cni"],
  [/^(azure-cns|azure-cni-networkmonitor)$/, "azure-cni"],
];

type Reader = (objects: readonly ApiObject[], settings: readonly YamlMapping[]) => CniFacts;
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["flannel", readFlannel],
  ["canal", (objects, settings) => ({ ...readFlannel(objects), cni: { ...readCalico(objects, settings).cni, plugin: "canal" } })],
  ["calico", readCalico],
  ["cilium", readCilium],
  ["kindnet", readKindnet],
]);

/** The plugin of the input's objects; nothing when they show none. */
export function readCni(objects: readonly ApiObject[], settings: readonly YamlMapping[]): CniReading {
  const seen = pluginsIn(objects);
  const [plugin] = seen;
  if (plugin === undefined) return listsKubeSystem(objects) ? { unrecognised: true } : {};
  if (seen.length > 1) return { facts: { cni: { plugin: seen.join("+") } }, several: seen };
  return { facts: READERS.get(plugin)?.(objects, settings) ?? { cni: { plugin } } };
}

function pluginsIn(objects: readonly ApiObject[]): readonly string[] {
  const daemons = daemonNames(objects);
  const found = new Set(DAEMONS.flatMap(([name, plugin]) => (daemons.some((daemon) => name.test(daemon)) ? [plugin] : [])));
  if (found.size === 0 && objects.some(isFlannelNode)) found.add("flannel");
  return [...found].sort();
}

/** Names of DaemonSets, and of those that own a pod of the input. */
const daemonNames = (objects: readonly ApiObject[]): readonly string[] =>
  objects.flatMap((object) => {
    if (object.kind === "DaemonSet") return [object.metadata.name];
    if (object.kind !== "Pod") return [];
    return (object.metadata.ownerReferences ?? []).filter(({ kind }) => kind === "DaemonSet").map(({ name }) => name);
  });

const isFlannelNode = (object: ApiObject): boolean =>
  object.kind === "Node" && Object.hasOwn(object.metadata.annotations ?? {}, `${FLANNEL_ANNOTATION}/backend-type`);

const listsKubeSystem = (objects: readonly ApiObject[]): boolean =>
  objects.some((object) => object.kind === "Pod" && object.metadata.namespace === "kube-system" && isLivePod(object));
