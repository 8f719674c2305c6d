/**
 * Each node's share of the cluster's pod CIDRs: the next free one in ascending order, in node order, a /24 (IPv6 a /64)
 * (pkg/controller/nodeipam/ipam/cidrset AllocateNext). Not modelled: a released range, --node-cidr-mask-size.
 */
import {
  type Cidr,
  cidrContains,
  cidrSize,
  cidrsOverlap,
  familyOf,
  formatCidr,
  type Ip,
  nthAddress,
  parseCidr,
} from "../../net/address.ts";
import type { Topology } from "../../objects/topology.ts";
import type { ClusterNode } from "../cluster.ts";
import type { Notes } from "../notes.ts";
import { NODE_MASK, type Sketch } from "./node-sketch.ts";

/** Each node's pod CIDRs: those written, else the next free one of each cluster CIDR, in node order. */
export function allocatePodCIDRs(sketches: readonly Sketch[], clusterCIDRs: readonly Cidr[], topology: Topology, notes: Notes): Cidr[][] {
  const written = sketches.map((sketch) => writtenPodCIDRs(sketch, topology, notes));
  const taken = written.flat();
  const cursors = clusterCIDRs.map((cluster) => ({ cluster, next: 0n }));
  return written.map((own, i) => {
    if (own.length > 0) return own;
    const allocated = cursors.flatMap((cursor) => nextPodCidr(cursor, taken) ?? []);
    if (allocated.length < clusterCIDRs.length)
      notes.report({
        code: "pod-cidr-exhausted",
        message: `node ${sketches[i]?.name ?? ""}: no free range left in ${clusterCIDRs.map(formatCidr).join(", ")}`,
        help: "give spec.kubernetes.podCIDRs a shorter prefix",
      });
    return allocated;
  });
}

function writtenPodCIDRs(sketch: Sketch, topology: Topology, notes: Notes): Cidr[] {
  const ofTopology = sketch.written?.node.podCIDRs;
  if (!ofTopology?.length)
    return (sketch.object?.spec?.podCIDRs ?? [sketch.object?.spec?.podCIDR ?? ""]).flatMap((text) => parseCidr(text) ?? []);
  return ofTopology.flatMap((text, i) => {
    const cidr = parseCidr(text);
    if (!cidr)
      notes.report({
        code: "topology-invalid-value",
        message: `Topology: node ${sketch.name}: "${text}" is no prefix in CIDR form`,
        source: topology.source,
        field: ["spec", "nodes", sketch.written?.index ?? 0, "podCIDRs", i],
      });
    return cidr ?? [];
  });
}

function nextPodCidr(cursor: { readonly cluster: Cidr; next: bigint }, taken: Cidr[]): Cidr | undefined {
  const { cluster } = cursor;
  const length = Math.max(NODE_MASK[familyOf(cluster.ip)], cluster.length);
  const size = cidrSize({ ip: cluster.ip, length });
  for (; cursor.next * size < cidrSize(cluster); cursor.next++) {
    const candidate = { ip: nthAddress(cluster, cursor.next * size), length };
    if (taken.some((cidr) => cidrsOverlap(cidr, candidate))) continue;
    cursor.next++;
    return candidate;
  }
  return undefined;
}

/** The node whose pod CIDR holds an address. */
export const nodeOfPodIp = (nodes: readonly ClusterNode[], ip: Ip): ClusterNode | undefined =>
  nodes.find((node) => node.podCIDRs.some((cidr) => cidrContains(cidr, ip)));
