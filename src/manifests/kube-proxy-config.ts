/**
 * kube-proxy's own configuration among the input: a KubeProxyConfiguration (kubeproxy.config.k8s.io), or kubeadm's ConfigMap
 * kube-system/kube-proxy, which holds one as YAML text under `config.conf` (kubeadm/app/phases/addons/proxy). Keys that a
 * newer release has and this schema does not are passed over, as kube-proxy's lenient decoder does with a warning.
 */
import topologySchema from "../../schema/topology.schema.json" with { type: "json" };
import type { ApiObject } from "../objects/api.ts";
import type { Diagnostic } from "../objects/diagnostic.ts";
import type { PathPart, Source } from "../objects/source.ts";
import type { KubeProxySettings, Topology } from "../objects/topology.ts";
import { dropNulls } from "./old-versions.ts";
import { checkSchema, type Definitions } from "./schema.ts";
import { describeViolation } from "./violations.ts";
import { isMapping, type Yaml, type YamlMapping } from "./yaml/construct.ts";
import { splitDocuments } from "./yaml/documents.ts";
import { parseDocument } from "./yaml/parse.ts";

const SCHEMAS: Definitions = topologySchema.$defs;
/** ConfigMaps of kube-system that hold one, with the key: kubeadm's, and EKS' own. */
const CONFIG_MAPS: ReadonlyMap<string, string> = new Map([
  ["kube-proxy", "config.conf"],
  ["kube-proxy-config", "config"],
]);

/** A configuration and where it stands. */
export type ConfigDocument = { readonly value: YamlMapping; readonly source: Source; readonly field?: readonly PathPart[] };

/** The topology with what the input's configuration says; what the topology itself says wins, key by key. */
export function withKubeProxyConfig(
  topology: Topology,
  documents: readonly ConfigDocument[],
  objects: readonly ApiObject[],
): { readonly topology: Topology; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const found = documents[0] ?? fromConfigMap(objects, diagnostics);
  if (!found) return { topology, diagnostics };
  const settings = readSettings(found, diagnostics);
  // No mode is the platform's default, which has been iptables since 1.2.
  const kubeProxy = mergeSettings({ mode: "iptables", ...settings }, topology.kubeProxy ?? {});
  return { topology: { ...topology, kubeProxy, kubeProxySource: { source: found.source, field: found.field ?? [] } }, diagnostics };
}

function fromConfigMap(objects: readonly ApiObject[], diagnostics: Diagnostic[]): ConfigDocument | undefined {
  for (const object of objects) {
    if (object.kind !== "ConfigMap" || object.metadata.namespace !== "kube-system") continue;
    const { name } = object.metadata;
    const key = CONFIG_MAPS.get(name);
    const text = key !== undefined && object.data && Object.hasOwn(object.data, key) ? object.data[key] : undefined;
    if (key === undefined) continue;
    const [document] = splitDocuments(text ?? "");
    if (!document || document.text.trim() === "") continue;
    const parsed = parseDocument(document);
    const field = ["data", key];
    if ("value" in parsed && isMapping(parsed.value)) return { value: parsed.value, source: object.source, field };
    const problem = "problem" in parsed ? parsed.problem.message : "it is no mapping";
    diagnostics.push({
      code: "KT008",
      severity: "error",
      message: `ConfigMap kube-system/${name}: ${key} cannot be read: ${problem}`,
      at: { source: object.source, field },
    });
  }
  return undefined;
}

function readSettings({ value, source, field }: ConfigDocument, diagnostics: Diagnostic[]): KubeProxySettings {
  const config = asMapping(withoutUnset(dropNulls(value)));
  const violations = checkSchema(SCHEMAS, "kubeProxy", config).filter(({ rule }) => rule !== "unknown-key");
  const wrong = new Set(violations.map(({ path }) => path[0]));
  for (const violation of violations) {
    const described = describeViolation(violation, "KubeProxyConfiguration", source);
    diagnostics.push(field === undefined ? described : { ...described, at: { source, field } });
  }
  const known = SCHEMAS.kubeProxy?.properties ?? {};
  const kept = Object.fromEntries(Object.entries(config).filter(([key]) => Object.hasOwn(known, key) && !wrong.has(key)));
  return isSettings(kept) ? kept : {};
}

/** What the schema has checked, said to the compiler. */
const isSettings = (value: unknown): value is KubeProxySettings => isMapping(value);
const asMapping = (value: Yaml): YamlMapping => (isMapping(value) ? value : {});

/** kubeadm prints every key; `""` and `0s` mean that the default stands. */
function withoutUnset(value: Yaml): Yaml {
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]): [string, Yaml][] => {
      if (member === "" || member === "0s" || member === null) return [];
      return [[key, withoutUnset(member)]];
    }),
  );
}

const PARTS = ["iptables", "nftables", "ipvs", "detectLocal", "conntrack", "featureGates"] as const;

function mergeSettings(below: KubeProxySettings, above: KubeProxySettings): KubeProxySettings {
  const parts = PARTS.flatMap((key) => (below[key] && above[key] ? [[key, { ...below[key], ...above[key] }] as const] : []));
  return { ...below, ...above, ...Object.fromEntries(parts) };
}
