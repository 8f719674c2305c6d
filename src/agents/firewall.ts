/**
 * A packet filter on the wire before the nodes' networks: a machine without an address that bridges two segments and filters
 * what it forwards (br_netfilter), as a cloud's firewall or a transparent one does. What comes from the nodes passes, and so do
 * answers; what comes from outside must be allowed. Not modelled: filters between two nodes, rules by tag or service account.
 */
import type { Firewall, Origin } from "../cluster/cluster.ts";
import type { Match, Rule } from "../linux/netfilter/rule.ts";
import type { Link, LinkKind, Netns, NetnsId } from "../linux/netns.ts";
import { type Family, familyOf } from "../net/address.ts";
import type { CauseId } from "../net/cause.ts";
import { icmpOf } from "../net/packet.ts";
import type { CauseTable } from "../objects/cause.ts";
import { causeAt, ETHERNET_MTU, loopbackLink } from "./machine.ts";
import { mergeRuleset, partOf } from "./ruleset.ts";
import type { Cut } from "./segments.ts";

export const firewallNetns = (firewall: { readonly name: string }): NetnsId => `firewall/${firewall.name}`;

/** The network stack of a firewall that cuts these wires. */
export function firewallStack(firewall: Firewall, cuts: readonly Cut[], causes: CauseTable): Netns {
  const cause = causeOf(firewall, firewall.origin, causes);
  const link = (name: string, type: LinkKind, i: number, master?: string): Link => ({
    name,
    mac: `02:fb:00:00:${hex(i)}:${hex(name.charCodeAt(0))}`,
    mtu: ETHERNET_MTU,
    up: true,
    carrier: true,
    addresses: [],
    type,
    cause,
    ...(master === undefined ? {} : { master }),
  });
  const links = cuts.flatMap(({ inside, outside }, i) => [
    link(`br${i}`, { kind: "bridge" }, i),
    link(insideLink(i), { kind: "device", segment: inside }, i, `br${i}`),
    link(outsideLink(i), { kind: "device", segment: outside }, i, `br${i}`),
  ]);
  return {
    id: firewallNetns(firewall),
    hostname: firewall.name,
    links: [loopbackLink(false, cause), ...links],
    routes: [],
    neighbours: [],
    fdb: [],
    sysctls: { "net.bridge.bridge-nf-call-iptables": "1", "net.bridge.bridge-nf-call-ip6tables": "1" },
    netfilter: mergeRuleset(
      ([4, 6] as const).map((family) =>
        partOf(family, "filter", [], [{ chain: "FORWARD", at: "back", rules: rulesOf(firewall, family, cause, causes) }]),
      ),
    ),
    sockets: [],
    cause,
  };
}

const hex = (value: number): string => (value & 0xff).toString(16).padStart(2, "0");

/** The ports of the `i`-th wire that a firewall cuts. */
export const insideLink = (i: number): string => `inside${i}`;
export const outsideLink = (i: number): string => `outside${i}`;

const causeOf = (firewall: Firewall, origin: Origin | undefined, causes: CauseTable): CauseId =>
  causeAt(causes, "own-rule", { kind: "Firewall", name: firewall.name }, origin);

function rulesOf(firewall: Firewall, family: Family, cause: CauseId, causes: CauseTable): Rule[] {
  const accept = (matches: readonly Match[], why: CauseId): Rule => ({ matches, target: { kind: "accept" }, cause: why });
  const allowed = firewall.allow.flatMap((rule) => {
    const why = causeOf(firewall, rule.origin, causes);
    return matchesOf(rule, family).map((matches) => accept(matches, why));
  });
  return [
    accept([{ kind: "ctstate", states: ["RELATED", "ESTABLISHED"] }], cause),
    accept([{ kind: "physdev", text: "--physdev-in inside+", in: "inside+" }], cause),
    ...allowed,
    { matches: [], target: { kind: "drop" }, cause, reason: "firewall-denied" },
  ];
}

/** One rule a protocol and range of ports: ports without a protocol are those of all three. */
function matchesOf(rule: Firewall["allow"][number], family: Family): Match[][] {
  const { from, to, protocol, ports } = rule;
  if ((from && familyOf(from.ip) !== family) || (to && familyOf(to.ip) !== family)) return [];
  const ends: Match[] = [
    ...(from && from.length > 0 ? [{ kind: "src", cidr: from } as const] : []),
    ...(to && to.length > 0 ? [{ kind: "dst", cidr: to } as const] : []),
  ];
  if (protocol === "icmp") return [[...ends, { kind: "protocol", protocol: icmpOf(family) }]];
  if (ports.length === 0) return [protocol === undefined ? ends : [...ends, { kind: "protocol", protocol }]];
  const protocols = protocol === undefined ? (["tcp", "udp", "sctp"] as const) : [protocol];
  return protocols.flatMap((one) =>
    ports.map((range): Match[] => [...ends, { kind: "protocol", protocol: one }, { kind: "dport", protocol: one, ports: range }]),
  );
}
