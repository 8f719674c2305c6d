/**
 * Which nodes there are and what the input says of each: the topology's nodes, Node objects, and nodes that only pods of a
 * live dump name. Nothing at all: two assumed nodes.
 */
import { type Cidr, type Family, familyOf, type Ip, parseCidr, parseIp } from "../../net/address.ts";
import type { Node } from "../../objects/api.ts";
import type { Topology, TopologyNode } from "../../objects/topology.ts";
import type { Given } from "../given.ts";
import type { Notes } from "../notes.ts";
import { byCodeUnits, compareIps } from "../order.ts";

/** What is known of a node before anything is decided. */
export type Sketch = {
  readonly name: string;
  readonly written?: { readonly node: TopologyNode; readonly index: number };
  readonly object?: Node;
  readonly hostIP?: string;
};

export const NODE_MASK: Readonly<Record<Family, number>> = { 4: 24, 6: 64 };

/** Topology order, then Node objects by pod CIDR and name, then nodes that only pods name. */
export function sketchNodes(given: Given, topology: Topology, notes: Notes): Sketch[] {
  const sketches = new Map<string, Sketch>();
  for (const [index, node] of (topology.nodes ?? []).entries())
    if (!sketches.has(node.name)) sketches.set(node.name, { name: node.name, written: { node, index } });
  const byPodCidr = [...given.all("Node")].sort((a, b) => comparePodCidr(a, b) || byCodeUnits(a.metadata.name, b.metadata.name));
  for (const object of byPodCidr)
    sketches.set(object.metadata.name, { ...sketches.get(object.metadata.name), name: object.metadata.name, object });
  for (const { name, hostIP } of nodesOfPods(given, topology, sketches.size === 0)) {
    if (sketches.has(name)) continue;
    sketches.set(name, { name, ...(hostIP === undefined ? {} : { hostIP }) });
    notes.assume(`node ${name}`, "exists, because a pod runs there", "spec.nodes");
  }
  if (sketches.size > 0) return [...sketches.values()];
  notes.assume("nodes", "two worker nodes, node-1 and node-2", "spec.nodes");
  return [{ name: "node-1" }, { name: "node-2" }];
}

const comparePodCidr = (a: Node, b: Node): number => {
  const [first, second] = [primaryPodCidr(a), primaryPodCidr(b)];
  if (!first || !second) return first ? -1 : second ? 1 : 0;
  return familyOf(first.ip) - familyOf(second.ip) || compareIps(first.ip, second.ip);
};
const primaryPodCidr = (node: Node): Cidr | undefined => parseCidr(node.spec?.podCIDRs?.[0] ?? node.spec?.podCIDR ?? "");

type NamedNode = { readonly name: string; readonly hostIP?: string };

/** A pod with a hostIP was running there. A bare nodeName is believed only when nothing else names a node. */
function nodesOfPods(given: Given, topology: Topology, nothingElse: boolean): NamedNode[] {
  const running = given.all("Pod").flatMap((pod): NamedNode[] => {
    const [name, hostIP] = [pod.spec?.nodeName, pod.status?.hostIP];
    if (!name) return [];
    return hostIP ? [{ name, hostIP }] : nothingElse ? [{ name }] : [];
  });
  const pinned = nothingElse ? (topology.pods ?? []).flatMap((pin): NamedNode[] => (pin.node ? [{ name: pin.node }] : [])) : [];
  return [...running, ...pinned].sort((a, b) => byCodeUnits(a.name, b.name) || byCodeUnits(b.hostIP ?? "", a.hostIP ?? ""));
}

export function addressesWritten(sketches: readonly Sketch[], topology: Topology): Cidr[] {
  const ofInterfaces = [...sketches.flatMap((sketch) => sketch.written?.node ?? []), ...(topology.hosts ?? [])]
    .flatMap((machine) => machine.interfaces ?? [])
    .flatMap((each) => each.addresses ?? []);
  return [...ofInterfaces.flatMap((text) => parseCidr(text) ?? []), ...sketches.flatMap((sketch) => objectAddresses(sketch))];
}

/** InternalIPs of a Node object, with the usual length of a node network. */
export const objectAddresses = (sketch: Sketch): Cidr[] =>
  [
    ...addressesOfType(sketch.object, "InternalIP"),
    ...(sketch.object ? [] : [sketch.hostIP ?? ""].flatMap((text) => parseIp(text) ?? [])),
  ].map((ip) => ({
    ip,
    length: NODE_MASK[familyOf(ip)],
  }));

export const addressesOfType = (object: Node | undefined, type: string): Ip[] =>
  (object?.status?.addresses ?? []).filter((address) => address.type === type).flatMap((address) => parseIp(address.address) ?? []);
