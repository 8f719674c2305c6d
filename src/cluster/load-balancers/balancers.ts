/**
 * The topology's load balancers as read: addresses parsed, defaults filled in. One with `pool` serves Services of type
 * LoadBalancer and checks its targets' health unless told not to; one with `address` stands alone and checks when told to.
 */
import { type Cidr, type Ip, parseCidr, parseIp } from "../../net/address.ts";
import type { PathPart } from "../../objects/source.ts";
import type { Listen, Topology, TopologyLoadBalancer } from "../../objects/topology.ts";
import type { LoadBalancer, Origin } from "../cluster.ts";
import type { Notes } from "../notes.ts";

/** A balancer before it is known whom it serves. */
export type BalancerDraft = {
  readonly name: string;
  readonly pool: readonly Cidr[];
  readonly class?: string;
  readonly forward: LoadBalancer["forward"];
  readonly isProxy: boolean;
  readonly sources: readonly Cidr[]; // a proxy's
  readonly healthCheck: boolean;
  readonly address?: Ip;
  readonly listens: readonly Listen[];
  readonly targets: readonly string[];
  readonly field: readonly PathPart[]; // in the topology
  readonly origin?: Origin;
};

export function readBalancers(topology: Topology, notes: Notes): BalancerDraft[] {
  return (topology.loadBalancers ?? []).flatMap((written, i) => {
    const field = ["spec", "loadBalancers", i];
    const complain = (message: string, help: string, inside: readonly PathPart[] = []): void =>
      notes.report({
        code: "topology-invalid-value",
        message: `Topology: load balancer ${written.name}: ${message}`,
        help,
        source: topology.source,
        field: [...field, ...inside],
      });
    const draft = draftOf(written, complain);
    if (draft.pool.length === 0 && draft.address === undefined) {
      complain("it has neither pool nor address", "`pool` serves Services of type LoadBalancer, `address` stands alone");
      return [];
    }
    const origin = topology.source ? { origin: { source: topology.source, field } } : {};
    return [{ ...draft, field, ...origin }];
  });
}

type Complain = (message: string, help: string, inside?: readonly PathPart[]) => void;

function draftOf(written: TopologyLoadBalancer, complain: Complain): Omit<BalancerDraft, "field" | "origin"> {
  const address = written.address === undefined ? undefined : parseIp(written.address);
  if (written.address !== undefined && address === undefined)
    complain(`"${written.address}" is no IP address`, 'for example "192.168.56.200"', ["address"]);
  const sources = cidrsOf(written.sources ?? [], "sources", complain);
  const alone = address !== undefined;
  return {
    name: written.name,
    pool: cidrsOf(written.pool ?? [], "pool", complain),
    ...(written.class === undefined ? {} : { class: written.class }),
    forward: alone ? "listed" : (written.forward ?? "vip"),
    isProxy: alone || sources.length > 0,
    sources,
    healthCheck: written.healthCheck ?? !alone,
    ...(alone ? { address } : {}),
    listens: written.listens ?? [],
    targets: written.targets ?? [],
  };
}

const cidrsOf = (texts: readonly string[], key: string, complain: Complain): Cidr[] =>
  texts.flatMap((text, i) => {
    const cidr = parseCidr(text);
    if (!cidr) complain(`"${text}" is no prefix in CIDR form`, 'for example "203.0.113.0/24"', [key, i]);
    return cidr ?? [];
  });
