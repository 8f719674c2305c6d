/**
 * A load balancer outside the cluster, on the machine that it is. A proxy is a process that listens. One that hands on packets
 * is a router: it keeps the balanced address (multipath routes to nodes, nothing tracked, answers go straight to the client),
 * or it rewrites the destination as LVS does in its NAT mode; then a client that nodes answer past the balancer has its source
 * rewritten too. Not modelled: a provider's own data plane (GRE, GUE, flow tables).
 */
import type { BalancerFront, Cluster, LoadBalancer } from "../cluster/cluster.ts";
import type { Match, Rule } from "../linux/netfilter/rule.ts";
import type { Link, ListeningSocket, Netns, Route } from "../linux/netns.ts";
import { addressBits, type Cidr, cidrContains, type Family, familyOf, formatCidr, hostCidr, type Ip, networkOf } from "../net/address.ts";
import type { CauseId } from "../net/cause.ts";
import type { CauseTable } from "../objects/cause.ts";
import { causeAt, machineNetns, transportOf } from "./machine.ts";
import { mergeRuleset, partOf, type RulesetPart } from "./ruleset.ts";

/** The stack of an outside host, with what the balancers on it add. */
export function withBalancers(netns: Netns, cluster: Cluster, causes: CauseTable): Netns {
  const own = (cluster.loadBalancers ?? []).filter(({ machine }) => machineNetns({ kind: "host", name: machine }) === netns.id);
  if (own.length === 0) return netns;
  const parts = own.flatMap((balancer) => ([4, 6] as const).flatMap((family) => rulesOf(balancer, family, cluster, netns, causes)));
  return {
    ...netns,
    routes: [...netns.routes, ...own.flatMap((balancer) => vipRoutes(balancer, netns.links, causes))],
    sockets: [...netns.sockets, ...own.flatMap((balancer) => proxySockets(balancer, netns.id, causes))],
    ...(parts.length > 0 ? { netfilter: mergeRuleset(parts) } : {}),
  };
}

/** What a front is there for: the Service's port, or the topology's own listen. */
export function frontCause(balancer: LoadBalancer, front: BalancerFront, causes: CauseTable): CauseId {
  const object = front.service ? { kind: "Service", ...front.service } : { kind: "LoadBalancer", name: balancer.name };
  return causeAt(causes, "load-balancer-ip", object, front.origin ?? balancer.origin, front.leftOut === "" ? undefined : front.leftOut);
}

const proxySockets = (balancer: LoadBalancer, owner: string, causes: CauseTable): ListeningSocket[] =>
  balancer.proxy
    ? balancer.fronts.map((front) => ({
        protocol: transportOf(front.protocol),
        ip: front.ip,
        port: front.port,
        process: balancer.name.slice(0, 15),
        owner,
        cause: frontCause(balancer, front, causes),
      }))
    : [];

/** Each address that is kept goes on to the nodes that are its targets. */
function vipRoutes(balancer: LoadBalancer, links: readonly Link[], causes: CauseTable): Route[] {
  if (balancer.proxy || balancer.forward !== "vip") return [];
  const fronts = new Map(balancer.fronts.filter(({ targets }) => targets.length > 0).map((front) => [front.ip, front]));
  return [...fronts.values()].flatMap((front): Route[] => {
    const nexthops = front.targets.flatMap(({ ip }) => {
      const dev = links.find((link) => link.addresses.some(({ cidr }) => isNetwork(cidr) && cidrContains(cidr, ip)))?.name;
      return dev === undefined ? [] : [{ via: ip, dev }];
    });
    const [first] = nexthops;
    if (!first) return [];
    const cause = frontCause(balancer, front, causes);
    const common = { type: "unicast" as const, to: hostCidr(front.ip), metric: 0, proto: "static" as const, cause };
    return [{ ...common, ...first, ...(nexthops.length > 1 ? { nexthops } : {}) }];
  });
}

const isNetwork = (cidr: Cidr): boolean => cidr.length < addressBits(familyOf(cidr.ip));

function rulesOf(balancer: LoadBalancer, family: Family, cluster: Cluster, netns: Netns, causes: CauseTable): RulesetPart[] {
  const fronts = balancer.fronts.filter(({ ip }) => familyOf(ip) === family);
  const pool = balancer.pool.filter((cidr) => familyOf(cidr.ip) === family);
  if (pool.length === 0) return [];
  const raw = [...fronts.flatMap((front) => admit(balancer, front, causes)), ...pool.map((cidr) => nobodys(balancer, cidr, causes))];
  const parts = [partOf(family, "raw", [], [{ chain: "PREROUTING", at: "back", rules: raw }])];
  if (balancer.proxy || balancer.forward === "vip") return parts;
  const nat = fronts.flatMap((front) => spread(front, frontCause(balancer, front, causes)));
  return [
    ...parts,
    partOf(
      family,
      "nat",
      [],
      [
        { chain: "PREROUTING", at: "back", rules: nat },
        { chain: "POSTROUTING", at: "back", rules: masquerade(cluster, netns, family, frontless(balancer, causes)) },
      ],
    ),
  ];
}

const frontless = (balancer: LoadBalancer, causes: CauseTable): CauseId =>
  causeAt(causes, "load-balancer-ip", { kind: "LoadBalancer", name: balancer.name }, balancer.origin);

const at = ({ ip, port, protocol }: BalancerFront): Match[] => {
  const transport = transportOf(protocol);
  const ports = { from: port, to: port };
  const dport: Match[] = transport === "icmp" || transport === "icmpv6" ? [] : [{ kind: "dport", protocol: transport, ports }];
  return [{ kind: "dst", cidr: hostCidr(ip) }, { kind: "protocol", protocol: transport }, ...dport];
};

/** A front with targets is let in, untracked where the packet is only handed on; one without is a dead end. */
function admit(balancer: LoadBalancer, front: BalancerFront, causes: CauseTable): Rule[] {
  const cause = frontCause(balancer, front, causes);
  const matches = at(front);
  if (balancer.proxy) return [{ matches: [{ kind: "dst", cidr: hostCidr(front.ip) }], target: { kind: "accept" }, cause }];
  if (front.targets.length === 0) return [{ matches, target: { kind: "drop" }, cause, reason: "load-balancer-no-target" }];
  const notrack: Rule[] = balancer.forward === "vip" ? [{ matches, target: { kind: "notrack", writtenAs: "CT --notrack" }, cause }] : [];
  return [...notrack, { matches, target: { kind: "accept" }, cause }];
}

/** Addresses of the pool that nobody has, and ports that no Service has. */
const nobodys = (balancer: LoadBalancer, cidr: Cidr, causes: CauseTable): Rule => ({
  matches: [{ kind: "dst", cidr: networkOf(cidr) }],
  target: { kind: "drop" },
  cause: frontless(balancer, causes),
  reason: "load-balancer-no-target",
});

/** Evenly over the targets, as kube-proxy does it. */
const spread = (front: BalancerFront, cause: CauseId): Rule[] =>
  front.targets.map(({ ip, port }, i) => {
    const left = front.targets.length - i;
    const random: Match[] = left > 1 ? [{ kind: "statistic-random", inverse: left }] : [];
    return { matches: [...at(front), ...random], target: { kind: "dnat", ip, ports: { from: port, to: port } }, cause };
  });

/** Clients that nodes have a wire of their own to: their answers would not come back through here. */
function masquerade(cluster: Cluster, netns: Netns, family: Family, cause: CauseId): Rule[] {
  const nodeAddresses: Ip[] = cluster.nodes.flatMap((node) => node.interfaces.flatMap((each) => each.addresses.map(({ ip }) => ip)));
  const networks = netns.links
    .flatMap((link) => link.addresses)
    .filter(({ cidr }) => familyOf(cidr.ip) === family && isNetwork(cidr) && nodeAddresses.some((ip) => cidrContains(cidr, ip)));
  const unique = new Map(networks.map(({ cidr }) => [formatCidr(networkOf(cidr)), networkOf(cidr)]));
  return [...unique.values()].map((cidr) => ({
    matches: [
      { kind: "src", cidr },
      { kind: "ctstate", states: ["DNAT"] },
    ],
    target: { kind: "masquerade", randomFully: true },
    cause,
  }));
}
