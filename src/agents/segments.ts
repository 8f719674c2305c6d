/**
 * The cables outside: which NICs of nodes and hosts share an Ethernet segment. Two NICs do when each holds the other's
 * address on-link. Not modelled: switches with VLANs, links that share a prefix and yet no cable.
 */
import type { Firewall, Machine, MachineInterface } from "../cluster/cluster.ts";
import type { LinkEnd, NetnsId } from "../linux/netns.ts";
import { addressBits, type Cidr, cidrContains, cidrsOverlap, familyOf, formatCidr, networkOf } from "../net/address.ts";
import { firewallNetns, insideLink, outsideLink } from "./firewall.ts";
import { linkRoleOf, machineNetns } from "./machine.ts";

export type Segments = {
  /** The segment of one NIC: "net/10.0.2.0/24", or a name of its own when it shares no prefix. */
  readonly of: (netns: NetnsId, link: string) => string;
  readonly members: (name: string) => readonly LinkEnd[];
  /** The wires that a firewall cuts in two. */
  readonly cuts: (firewall: Firewall) => readonly Cut[];
};

/** The two halves of a wire: nodes hang on the inner one, what is outside on the outer. */
export type Cut = { readonly inside: string; readonly outside: string };

type Nic = { readonly end: LinkEnd; readonly addresses: readonly Cidr[] };
type Network = { readonly cidr: Cidr; readonly nics: Nic[] };

/** Groups the NICs of all machines. Bridges and dummies listed among the interfaces (docker0) are on no cable. */
export function segmentsOf(machines: readonly Machine[], firewalls: readonly Firewall[] = []): Segments {
  const nics = machines.flatMap((machine) =>
    machine.interfaces.filter((each) => linkRoleOf(each.name) === "device").map((each) => nicOf(machine, each)),
  );
  const networks = networksOf(nics);
  const parent = new Map<Nic, Nic>();
  const root = (nic: Nic): Nic => {
    let at = nic;
    for (let up = parent.get(at); up; up = parent.get(at)) at = up;
    return at;
  };
  const join = (a: Nic | undefined, b: Nic | undefined): void => {
    if (a && b && root(a) !== root(b)) parent.set(root(b), root(a));
  };
  for (const network of networks) for (const nic of network.nics) join(network.nics[0], nic);
  for (const [wide, narrow] of nestedPairs(networks)) if (seesEachOther(wide, narrow)) join(wide.nics[0], narrow.nics[0]);
  return named(nics, networks, root, firewalls);
}

const nicOf = (machine: Machine, each: MachineInterface): Nic => ({
  end: { netns: machineNetns(machine), link: each.name },
  addresses: each.addresses,
});

function networksOf(nics: readonly Nic[]): Network[] {
  const byKey = new Map<string, Network>();
  for (const nic of nics) {
    for (const address of nic.addresses) {
      if (address.length === addressBits(familyOf(address.ip))) continue; // a /32 has no neighbours
      const cidr = networkOf(address);
      const network = byKey.get(formatCidr(cidr)) ?? { cidr, nics: [] };
      network.nics.push(nic);
      byKey.set(formatCidr(cidr), network);
    }
  }
  return [...byKey.values()];
}

/** 10.0.0.0/16 and 10.0.2.0/24: prefixes written with different lengths. */
function nestedPairs(networks: readonly Network[]): (readonly [Network, Network])[] {
  return networks.flatMap((wide) =>
    networks
      .filter((narrow) => wide.cidr.length < narrow.cidr.length && cidrsOverlap(wide.cidr, narrow.cidr))
      .map((narrow) => [wide, narrow] as const),
  );
}

const seesEachOther = (wide: Network, narrow: Network): boolean =>
  wide.nics.some((nic) => nic.addresses.some((address) => cidrContains(narrow.cidr, address.ip)));

function named(nics: readonly Nic[], networks: readonly Network[], root: (nic: Nic) => Nic, firewalls: readonly Firewall[]): Segments {
  const names = new Map<Nic, string>();
  const before = new Map<Nic, Firewall[]>();
  for (const network of networks) {
    const first = network.nics[0];
    if (!first) continue;
    if (!names.has(root(first))) names.set(root(first), `net/${formatCidr(network.cidr)}`);
    const known = before.get(root(first)) ?? [];
    const cutting = firewalls.filter((one) => !known.includes(one) && one.before.some((cidr) => cidrsOverlap(cidr, network.cidr)));
    before.set(root(first), [...known, ...cutting]);
  }
  const ofEnd = new Map<string, string>();
  const members = new Map<string, LinkEnd[]>();
  const cuts = new Map<Firewall, Cut[]>();
  const plug = (end: LinkEnd, name: string): void => {
    ofEnd.set(keyOf(end.netns, end.link), name);
    const list = members.get(name);
    if (list) list.push(end);
    else members.set(name, [end]);
  };
  for (const [first, walls] of before) for (const cut of cutsOf(names.get(first) ?? "", walls)) plugFirewall(cut, cuts, plug);
  for (const nic of nics) {
    const inside = names.get(root(nic));
    const outermost = (before.get(root(nic)) ?? []).at(-1);
    const isOutside = !nic.end.netns.startsWith("node/");
    const name = inside === undefined ? `nic/${keyOf(nic.end.netns, nic.end.link)}` : inside;
    plug(nic.end, isOutside && inside !== undefined && outermost ? beyond(inside, outermost) : name);
  }
  return {
    of: (netns, link) => ofEnd.get(keyOf(netns, link)) ?? `nic/${keyOf(netns, link)}`,
    members: (name) => members.get(name) ?? [],
    cuts: (firewall) => cuts.get(firewall) ?? [],
  };
}

const beyond = (inside: string, firewall: Firewall): string => `${inside} before ${firewall.name}`;

/** Several firewalls before one network stand in a row, the first listed next to the nodes. */
const cutsOf = (inside: string, firewalls: readonly Firewall[]): (Cut & { readonly firewall: Firewall })[] =>
  firewalls.map((firewall, i) => {
    const inner = firewalls[i - 1];
    return { firewall, inside: inner ? beyond(inside, inner) : inside, outside: beyond(inside, firewall) };
  });

function plugFirewall(
  { firewall, inside, outside }: Cut & { readonly firewall: Firewall },
  cuts: Map<Firewall, Cut[]>,
  plug: (end: LinkEnd, name: string) => void,
): void {
  const known = cuts.get(firewall) ?? [];
  const netns = firewallNetns(firewall);
  plug({ netns, link: insideLink(known.length) }, inside);
  plug({ netns, link: outsideLink(known.length) }, outside);
  cuts.set(firewall, [...known, { inside, outside }]);
}

const keyOf = (netns: NetnsId, link: string): string => `${netns}/${link}`;
