/**
 * What the cluster was installed with: release, ranges, kube-proxy's and the CNI plugin's configuration. The topology
 * says it; what it leaves out has kubeadm's defaults (kubeadm/app/apis/kubeadm/v1beta4/defaults.go) and flannel.
 * What a dump's ConfigMaps say was read into the topology before (manifests/facts).
 */
import { type Cidr, type Family, familyOf, type Ip, nthAddress, parseCidr, parseIp } from "../net/address.ts";
import type { PathPart } from "../objects/source.ts";
import type { Topology } from "../objects/topology.ts";
import type { Cluster } from "./cluster.ts";
import type { Given } from "./given.ts";
import { decideKubeProxy } from "./kube-proxy-settings.ts";
import type { Notes } from "./notes.ts";
import { NEWEST, parseVersion } from "./version.ts";

export type Settings = Pick<
  Cluster,
  "version" | "clusterDomain" | "podCIDRs" | "serviceCIDRs" | "nodePortRange" | "clusterDNS" | "kubeProxy" | "cni"
>;

const POD_CIDRS: Readonly<Record<Family, string>> = { 4: "10.244.0.0/16", 6: "fd00:10:244::/56" };
const SERVICE_CIDRS: Readonly<Record<Family, string>> = { 4: "10.96.0.0/12", 6: "fd00:10:96::/112" };
const NODE_PORTS = { from: 30000, to: 32767 };
/** kubeadm gives the cluster's DNS the tenth address of the first service CIDR. */
const DNS_INDEX = 10n;

export function decideSettings(given: Given, topology: Topology, notes: Notes): Settings {
  const podCIDRs = decidePodCIDRs(given, topology, notes);
  const serviceCIDRs = decideServiceCIDRs(topology, podCIDRs, notes);
  const version = decideVersion(topology, notes);
  return {
    version,
    clusterDomain: topology.kubernetes?.clusterDomain ?? "cluster.local",
    podCIDRs,
    serviceCIDRs,
    nodePortRange: decideNodePortRange(topology, notes),
    clusterDNS: decideClusterDNS(topology, serviceCIDRs, notes),
    kubeProxy: decideKubeProxy(given, topology, version, podCIDRs, notes),
    cni: decideCni(topology, notes),
  };
}

function decideVersion(topology: Topology, notes: Notes) {
  const written = topology.kubernetes?.version;
  if (written === undefined) return NEWEST;
  const version = parseVersion(written);
  if (!version)
    badValue(
      topology,
      notes,
      ["spec", "kubernetes", "version"],
      `version "${written}" is no Kubernetes release`,
      `for example "${NEWEST.text}"`,
    );
  return version ?? NEWEST;
}

function decidePodCIDRs(given: Given, topology: Topology, notes: Notes): Cidr[] {
  const written = topology.kubernetes?.podCIDRs ?? topology.kubeProxy?.clusterCIDR?.split(",");
  if (written?.length) return readCidrs(written, ["spec", "kubernetes", "podCIDRs"], topology, notes);
  const chosen = familiesOfNodes(given, topology).map((family) => POD_CIDRS[family]);
  notes.assume("kubernetes", `pod addresses from ${chosen.join(", ")}`, "spec.kubernetes.podCIDRs");
  return chosen.flatMap((text) => parseCidr(text) ?? []);
}

/** The families that the nodes' pod CIDRs name, the first node's first; IPv4 when no node says. */
function familiesOfNodes(given: Given, topology: Topology): Family[] {
  const ofObjects = given.all("Node").map((node) => node.spec?.podCIDRs ?? (node.spec?.podCIDR ? [node.spec.podCIDR] : []));
  const ofTopology = (topology.nodes ?? []).map((node) => node.podCIDRs ?? []);
  const first = [...ofTopology, ...ofObjects].find((cidrs) => cidrs.length > 0) ?? topology.kubernetes?.serviceCIDRs ?? [];
  const families = new Set(first.flatMap((text) => parseCidr(text) ?? []).map((cidr) => familyOf(cidr.ip)));
  return families.size > 0 ? [...families] : [4];
}

function decideServiceCIDRs(topology: Topology, podCIDRs: readonly Cidr[], notes: Notes): Cidr[] {
  const written = topology.kubernetes?.serviceCIDRs;
  if (written?.length) return readCidrs(written, ["spec", "kubernetes", "serviceCIDRs"], topology, notes);
  const chosen = [...new Set(podCIDRs.map((cidr) => SERVICE_CIDRS[familyOf(cidr.ip)]))];
  notes.assume("kubernetes", `cluster addresses of Services from ${chosen.join(", ")}`, "spec.kubernetes.serviceCIDRs");
  return chosen.flatMap((text) => parseCidr(text) ?? []);
}

function decideNodePortRange(topology: Topology, notes: Notes) {
  const written = topology.kubernetes?.nodePortRange;
  if (written === undefined) return NODE_PORTS;
  const found = /^(\d{1,5})-(\d{1,5})$/.exec(written.trim());
  const range = { from: Number(found?.[1]), to: Number(found?.[2]) };
  if (found && range.from >= 1 && range.from <= range.to && range.to <= 65535) return range;
  badValue(
    topology,
    notes,
    ["spec", "kubernetes", "nodePortRange"],
    `nodePortRange "${written}" is no range of ports`,
    'for example "30000-32767"',
  );
  return NODE_PORTS;
}

function decideClusterDNS(topology: Topology, serviceCIDRs: readonly Cidr[], notes: Notes): Ip[] {
  const written = topology.kubernetes?.clusterDNS;
  if (!written) return serviceCIDRs.slice(0, 1).map((cidr) => nthAddress(cidr, DNS_INDEX));
  return written.flatMap((text, i) => {
    const ip = parseIp(text);
    if (ip === undefined) badValue(topology, notes, ["spec", "kubernetes", "clusterDNS", i], `clusterDNS "${text}" is no IP address`);
    return ip ?? [];
  });
}

function decideCni(topology: Topology, notes: Notes): Settings["cni"] {
  const { plugin, ...rest } = topology.cni ?? {};
  if (plugin === undefined) notes.assume("cni", "the plugin is flannel with VXLAN", "spec.cni.plugin");
  const backend = (plugin ?? "flannel") === "flannel" ? { backend: "vxlan" } : {};
  return { ...backend, ...rest, plugin: plugin ?? "flannel" };
}

function readCidrs(texts: readonly string[], field: readonly PathPart[], topology: Topology, notes: Notes): Cidr[] {
  return texts.flatMap((text, i) => {
    const cidr = parseCidr(text.trim());
    if (!cidr) badValue(topology, notes, [...field, i], `"${text}" is no prefix in CIDR form`, 'for example "10.244.0.0/16"');
    return cidr ?? [];
  });
}

function badValue(topology: Topology, notes: Notes, field: readonly PathPart[], message: string, help?: string): void {
  notes.report({
    code: "topology-invalid-value",
    message: `Topology: ${message}`,
    source: topology.source,
    field,
    ...(help ? { help } : {}),
  });
}
