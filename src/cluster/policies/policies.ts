/**
 * Whether NetworkPolicies let a connection through: a pod that any policy of a direction selects is isolated in that direction,
 * and then only what some rule of some of them holds may pass. There is no order and no deny (KEP-2091 has those, not this API).
 * Answers always pass, and a pod's own node always reaches it (the API's words on "the pod's local node").
 */
import { cidrContains, cidrsOverlap, type Ip, parseCidr } from "../../net/address.ts";
import type { NetworkPolicy } from "../../objects/api.ts";
import type { Cluster, ClusterPod } from "../cluster.ts";
import { groupBy } from "../order.ts";
import {
  type Direction,
  directionsOf,
  type EndPort,
  namespaceOfPolicy,
  type PolicyPod,
  type PolicyRule,
  peerSelects,
  portsHold,
  rulesOf,
  selectsPod,
} from "./rules.ts";

/** The other end: a pod with its addresses, or something that is known by addresses only, any of which it may show. */
export type Peer =
  | { readonly kind: "pod"; readonly pod: PolicyPod & Pick<ClusterPod, "ips"> }
  | { readonly kind: "addresses"; readonly ips: readonly Ip[] };

/** `open`: no policy isolates the pod. `allowed`: by these rules. `denied`: by all of these policies together. */
export type Ruling =
  | { readonly verdict: "open" }
  | { readonly verdict: "allowed"; readonly rules: readonly PolicyRule[] }
  | { readonly verdict: "denied"; readonly policies: readonly NetworkPolicy[] };

export type Policies = {
  /** Those that isolate a pod in a direction. None for a pod on its node's network: there a policy has no defined effect. */
  readonly isolating: (pod: PolicyPod, direction: Direction) => readonly NetworkPolicy[];
  /** What a pod's own policies say of a connection from (Ingress) or to (Egress) a peer. `port`: where the connection ends. */
  readonly judge: (pod: PolicyPod, direction: Direction, peer: Peer, port: EndPort) => Ruling;
};

/** The policies of a cluster, indexed once. */
export function createPolicies(policies: readonly NetworkPolicy[], { namespaces }: Pick<Cluster, "namespaces">): Policies {
  const byNamespace = groupBy(policies, namespaceOfPolicy);
  const labels = new Map(namespaces.map((each) => [each.name, each.labels]));
  const isolating = (pod: PolicyPod, direction: Direction): readonly NetworkPolicy[] =>
    pod.hostNetwork
      ? []
      : (byNamespace.get(pod.namespace) ?? []).filter((policy) => directionsOf(policy).includes(direction) && selectsPod(policy, pod));
  const holdsPeer = ({ peers, policy }: PolicyRule, peer: Peer): boolean =>
    peers.length === 0 ||
    peers.some((each) => {
      const ips = peer.kind === "pod" ? peer.pod.ips : peer.ips;
      if (each.ipBlock) return ips.some((ip) => blockHolds(each.ipBlock, ip));
      return peer.kind === "pod" && peerSelects(each, policy, peer.pod, (name) => labels.get(name));
    });
  return {
    isolating,
    judge: (pod, direction, peer, port) => {
      const found = isolating(pod, direction);
      if (found.length === 0) return { verdict: "open" };
      const target = direction === "Egress" && peer.kind === "pod" ? peer.pod : pod;
      const rules = found
        .flatMap((policy) => rulesOf(policy, direction))
        .filter((rule) => portsHold(rule.ports, port, target) && holdsPeer(rule, peer));
      return rules.length > 0 ? { verdict: "allowed", rules } : { verdict: "denied", policies: found };
    },
  };
}

type IpBlock = { readonly cidr: string; readonly except?: readonly string[] } | undefined;

/** An address in the block, and in none of its exceptions. Pods are found by address too, as plugins on netfilter do it. */
export function blockHolds(block: IpBlock, ip: Ip): boolean {
  const holds = (text: string): boolean => {
    const cidr = parseCidr(text);
    return cidr !== undefined && cidrContains(cidr, ip);
  };
  return block !== undefined && holds(block.cidr) && !(block.except ?? []).some(holds);
}

/** Whether a block shares an address with a range. Exceptions count when they take out the whole of the range. */
export function blockMeets(block: IpBlock, range: { readonly ip: Ip; readonly length: number }): boolean {
  const cidr = block && parseCidr(block.cidr);
  if (cidr === undefined || !cidrsOverlap(cidr, range)) return false;
  return !(block?.except ?? []).some((text) => {
    const except = parseCidr(text);
    return except !== undefined && except.length <= range.length && cidrsOverlap(except, range);
  });
}
