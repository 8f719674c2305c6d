/** The topology's packet filters: addresses and ports parsed. Which wires they cut is the agents' affair. */
import { type Cidr, networkOf, parseCidr } from "../net/address.ts";
import type { PathPart } from "../objects/source.ts";
import type { Topology, TopologyFirewall } from "../objects/topology.ts";
import type { ClusterNode, Firewall } from "./cluster.ts";
import type { Notes } from "./notes.ts";

type Allow = Firewall["allow"][number];

/** A firewall that says no networks stands before all of the nodes'. */
export function decideFirewalls(topology: Topology, nodes: readonly ClusterNode[], notes: Notes): Firewall[] {
  return (topology.firewalls ?? []).map((written, i) => {
    const field = ["spec", "firewalls", i];
    const origin = (...inside: readonly PathPart[]) =>
      topology.source ? { origin: { source: topology.source, field: [...field, ...inside] } } : {};
    const complain = (text: string, what: string, ...inside: readonly PathPart[]): void =>
      notes.report({
        code: "topology-invalid-value",
        message: `Topology: firewall ${written.name}: "${text}" is no ${what}`,
        source: topology.source,
        field: [...field, ...inside],
      });
    const cidr = (text: string, ...inside: readonly PathPart[]): Cidr | undefined => {
      const found = parseCidr(text.trim());
      if (!found) complain(text, "prefix in CIDR form", ...inside);
      return found;
    };
    const before = (written.before ?? []).flatMap((text, at) => cidr(text, "before", at) ?? []);
    return {
      name: written.name,
      before: before.length > 0 ? before : nodes.flatMap((node) => node.interfaces.flatMap((each) => each.addresses.map(networkOf))),
      allow: (written.allow ?? []).map((rule, at) => ({ ...readAllow(rule, at, cidr, complain), ...origin("allow", at) })),
      ...origin(),
    };
  });
}

function readAllow(
  rule: NonNullable<TopologyFirewall["allow"]>[number],
  at: number,
  cidr: (text: string, ...inside: readonly PathPart[]) => Cidr | undefined,
  complain: (text: string, what: string, ...inside: readonly PathPart[]) => void,
): Allow {
  const from = rule.from === undefined ? undefined : cidr(rule.from, "allow", at, "from");
  const to = rule.to === undefined ? undefined : cidr(rule.to, "allow", at, "to");
  const ports = (rule.ports ?? []).flatMap((text, i) => {
    const range = portRange(String(text));
    if (!range) complain(String(text), "port or range of ports", "allow", at, "ports", i);
    return range ?? [];
  });
  return {
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    ...(rule.protocol === undefined ? {} : { protocol: PROTOCOL[rule.protocol] }),
    ports,
  };
}

const PROTOCOL = { TCP: "tcp", UDP: "udp", SCTP: "sctp", ICMP: "icmp" } as const;

function portRange(text: string): Allow["ports"][number] | undefined {
  const found = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text.trim());
  const [from, to] = [Number(found?.[1]), Number(found?.[2] ?? found?.[1])];
  return found && from <= to && to <= 65535 ? { from, to } : undefined;
}
