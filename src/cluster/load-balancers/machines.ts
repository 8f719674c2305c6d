/**
 * The machine that a balancer is, and how the others reach it: a leg in every network that nodes or outside hosts are in and,
 * on those machines, routes to its addresses. A cloud's routers do this out of sight; here it is assumed, and said.
 */
import {
  addressBits,
  type Cidr,
  cidrContains,
  cidrsOverlap,
  familyOf,
  formatCidr,
  hostCidr,
  type Ip,
  networkOf,
  nthAddress,
} from "../../net/address.ts";
import type { ClusterNode, ClusterService, Machine, MachineInterface, OutsideHost } from "../cluster.ts";
import { type AddressBook, createAddressBook } from "../nodes/address-book.ts";
import type { Notes } from "../notes.ts";
import { drawMac } from "../synthetic.ts";
import type { BalancerDraft } from "./balancers.ts";
import { addressOn } from "./targets.ts";

/** A balancer with its machine, and the addresses it connects from. */
export type WiredBalancer = { readonly draft: BalancerDraft; readonly machine: OutsideHost; readonly sources: readonly Ip[] };
export type Wiring = {
  readonly balancers: readonly WiredBalancer[];
  readonly nodes: readonly ClusterNode[];
  readonly hosts: readonly OutsideHost[]; // balancers last
};

export function wireBalancers(
  drafts: readonly BalancerDraft[],
  nodes: readonly ClusterNode[],
  hosts: readonly OutsideHost[],
  services: readonly ClusterService[],
  notes: Notes,
): Wiring {
  if (drafts.length === 0) return { balancers: [], nodes, hosts };
  const taken = [...nodes, ...hosts].flatMap((machine) => [...addressesOf(machine), ...gatewaysOf(machine)]);
  const ours = drafts.flatMap((draft) => [...draft.pool, ...(draft.address === undefined ? [] : [hostCidr(draft.address)])]);
  const book = createAddressBook([...taken, ...ours.filter((cidr) => cidr.length === addressBits(familyOf(cidr.ip)))], ours);
  const balancers = drafts.map((draft) => wire(draft, nodes, hosts, vipsOf(draft, services), book));
  for (const { draft, machine } of balancers)
    notes.assume(
      `load balancer ${draft.name}`,
      `it has ${addressesOf(machine).map(formatCidr).join(", ")}, and nodes and hosts reach its addresses through these`,
      "spec.loadBalancers, spec.hosts",
    );
  const routed = <M extends ClusterNode | OutsideHost>(machine: M): M => ({
    ...machine,
    routes: [...machine.routes, ...balancers.flatMap((balancer) => routesTo(machine, balancer, hosts, services))],
  });
  const machines = balancers.map(({ machine }) => machine);
  return {
    balancers,
    nodes: nodes.map(routed),
    hosts: [...hosts.filter(({ name }) => !machines.some((machine) => machine.name === name)).map(routed), ...machines],
  };
}

const addressesOf = (machine: Machine): readonly Cidr[] => machine.interfaces.flatMap((each) => each.addresses);
const gatewaysOf = (machine: Machine): Cidr[] => machine.routes.flatMap(({ via }) => (via === undefined ? [] : [hostCidr(via)]));
const isNetwork = (cidr: Cidr): boolean => cidr.length < addressBits(familyOf(cidr.ip));

/** The addresses of Services that the balancer serves. */
const vipsOf = (draft: BalancerDraft, services: readonly ClusterService[]): Ip[] => [
  ...new Set(
    services.flatMap(({ loadBalancerIngress }) =>
      loadBalancerIngress.flatMap(({ ip }) => (ip !== undefined && draft.pool.some((cidr) => cidrContains(cidr, ip)) ? [ip] : [])),
    ),
  ),
];

function wire(
  draft: BalancerDraft,
  nodes: readonly ClusterNode[],
  hosts: readonly OutsideHost[],
  vips: readonly Ip[],
  book: AddressBook,
): WiredBalancer {
  const listed = hosts.find((host) => host.name === draft.name || addressesOf(host).some(({ ip }) => ip === draft.address));
  const bare = listed ?? newMachine(draft, nicsFor(draft, nodes, hosts, book));
  const networks = addressesOf(bare).filter(isNetwork);
  const sources = draft.sources.map((prefix) => networks.find(({ ip }) => cidrContains(prefix, ip))?.ip ?? firstUsable(prefix));
  const own = [...(draft.isProxy ? vips : []), ...sources, ...(draft.address === undefined ? [] : [draft.address])];
  const extra = [...new Set(own)].filter((ip) => !addressesOf(bare).some((cidr) => cidr.ip === ip)).map(hostCidr);
  const machine: OutsideHost = {
    ...bare,
    interfaces: bare.interfaces.map((each, i) => (i === 0 ? { ...each, addresses: [...each.addresses, ...extra] } : each)),
    routes: [...bare.routes, ...(draft.forward === "pod" ? podRoutes(nodes, bare) : [])],
    sysctls: draft.isProxy ? bare.sysctls : { ...FORWARDING, ...bare.sysctls },
  };
  return { draft, machine, sources };
}

/** A balancer that hands on packets is a router. */
const FORWARDING = { "net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1" };

/** The address a proxy connects from: its prefix's first that a machine can have. */
const firstUsable = (cidr: Cidr): Ip => (cidr.length >= addressBits(familyOf(cidr.ip)) - 1 ? cidr.ip : nthAddress(cidr, 1n));

function newMachine(draft: BalancerDraft, nics: readonly (readonly Cidr[])[]): OutsideHost {
  const interfaces = nics.map(
    (addresses, i): MachineInterface => ({
      name: `eth${i}`,
      mac: drawMac(`balancer/${draft.name}/eth${i}`),
      mtu: 1500,
      up: true,
      addresses,
      ...(draft.origin ? { origin: draft.origin } : {}),
    }),
  );
  const origin = draft.origin ? { origin: draft.origin } : {};
  return { kind: "host", name: draft.name, aliases: [], interfaces, routes: [], hostsFile: [], listens: [], sysctls: {}, ...origin };
}

/** One interface in each network that is needed to stand beside every node and every outside host. */
function nicsFor(
  draft: BalancerDraft,
  nodes: readonly ClusterNode[],
  hosts: readonly OutsideHost[],
  book: AddressBook,
): (readonly Cidr[])[] {
  const nics: (readonly Cidr[])[] = [];
  const attach = (each: MachineInterface | undefined): void => {
    const addresses = (each?.addresses ?? []).filter(isNetwork).flatMap((cidr) => {
      const { address } = draft;
      if (address !== undefined && cidrContains(cidr, address)) return [{ ip: address, length: cidr.length }];
      return book.lastFree(networkOf(cidr)) ?? [];
    });
    if (addresses.length > 0) nics.push(addresses);
  };
  attach(firstNetwork(draft, nodes, hosts));
  for (const machine of [...nodes, ...hosts]) if (!nics.some((nic) => isBeside(nic, machine))) attach(upInterfaces(machine)[0]);
  return nics;
}

const upInterfaces = (machine: Machine): readonly MachineInterface[] =>
  machine.interfaces.filter((each) => each.up && each.name !== "lo" && each.addresses.some(isNetwork));
const isBeside = (nic: readonly Cidr[], machine: Machine): boolean =>
  upInterfaces(machine).some(({ addresses }) => addresses.some(({ ip }) => nic.some((cidr) => isNetwork(cidr) && cidrContains(cidr, ip))));

/** Its own address's network; else one that the first outside host shares with all nodes; else the nodes' own. */
function firstNetwork(draft: BalancerDraft, nodes: readonly ClusterNode[], hosts: readonly OutsideHost[]): MachineInterface | undefined {
  const { address } = draft;
  const around = [...hosts, ...nodes].flatMap(upInterfaces);
  const holding =
    address === undefined
      ? undefined
      : around.find((each) => each.addresses.some((cidr) => isNetwork(cidr) && cidrContains(cidr, address)));
  const shared = hosts[0] && upInterfaces(hosts[0]).find((each) => nodes.every((node) => isBeside(each.addresses, node)));
  return holding ?? shared ?? (nodes[0] && upInterfaces(nodes[0])[0]);
}

/** Ranges of the nodes' pods, each through its node: a cloud's route table. */
const podRoutes = (nodes: readonly ClusterNode[], machine: Machine): Machine["routes"] =>
  nodes.flatMap((node) =>
    node.podCIDRs.flatMap((cidr) => {
      const via = addressOn(node, machine, familyOf(cidr.ip));
      return via === undefined ? [] : [{ to: formatCidr(networkOf(cidr)), via, assumed: true }];
    }),
  );

/** What a node or host needs to reach the balancer's addresses, and a node the clients behind it. */
function routesTo(
  machine: ClusterNode | OutsideHost,
  { draft, machine: balancer, sources }: WiredBalancer,
  hosts: readonly OutsideHost[],
  services: readonly ClusterService[],
): Machine["routes"] {
  if (machine.name === balancer.name && machine.kind === "host") return [];
  const networks = upInterfaces(machine)
    .flatMap((each) => each.addresses)
    .filter(isNetwork);
  const gateway = (family: 4 | 6): Ip | undefined =>
    addressesOf(balancer).find(
      (cidr) => familyOf(cidr.ip) === family && isNetwork(cidr) && networks.some((own) => cidrContains(own, cidr.ip)),
    )?.ip;
  const onLink = (ip: Ip): boolean =>
    networks.some((own) => cidrContains(own, ip)) && addressesOf(balancer).some((cidr) => cidr.ip === ip && isNetwork(cidr));
  const single = [...sources, ...(draft.address === undefined ? [] : [draft.address])].filter((ip) => !onLink(ip));
  const pools = draft.pool.flatMap((pool) =>
    networks.some((own) => own.length >= pool.length && cidrsOverlap(own, pool))
      ? vipsOf({ ...draft, pool: [pool] }, services).map(hostCidr)
      : [networkOf(pool)],
  );
  const behind = machine.kind === "node" ? hosts.filter((host) => !isBeside(networks, host)).flatMap(clientNetworks) : [];
  const wanted = new Map([...pools, ...single.map(hostCidr), ...behind].map((cidr) => [formatCidr(cidr), cidr]));
  return [...wanted].flatMap(([to, cidr]) => {
    const via = gateway(familyOf(cidr.ip));
    const known = machine.routes.some((route) => route.to === to) || networks.some((own) => formatCidr(networkOf(own)) === to);
    return via === undefined || known ? [] : [{ to, via, assumed: true }];
  });
}

const clientNetworks = (host: OutsideHost): Cidr[] => (upInterfaces(host)[0]?.addresses ?? []).filter(isNetwork).map(networkOf);
