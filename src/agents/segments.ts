/**
 * The cables outside: which NICs of nodes and hosts share an Ethernet segment. Two NICs do when each holds the other's
 * address on-link. Not modelled: switches with VLANs, links that share a prefix and yet no cable.
 */
import type { Machine, MachineInterface } from "../cluster/cluster.ts";
import type { LinkEnd, NetnsId } from "../linux/netns.ts";
import { addressBits, type Cidr, cidrContains, cidrsOverlap, familyOf, formatCidr, networkOf } from "../net/address.ts";
import { linkRoleOf, machineNetns } from "./machine.ts";

export type Segments = {
  /** The segment of one NIC: "net/10.0.2.0/24", or a name of its own when it shares no prefix. */
  readonly of: (netns: NetnsId, link: string) => string;
  readonly members: (name: string) => readonly LinkEnd[];
};

type Nic = { readonly end: LinkEnd; readonly addresses: readonly Cidr[] };
type Network = { readonly cidr: Cidr; readonly nics: Nic[] };

/** Groups the NICs of all machines. Bridges and dummies listed among the interfaces (docker0) are on no cable. */
export function segmentsOf(machines: readonly Machine[]): Segments {
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
  return named(nics, networks, root);
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

function named(nics: readonly Nic[], networks: readonly Network[], root: (nic: Nic) => Nic): Segments {
  const names = new Map<Nic, string>();
  for (const network of networks) {
    const first = network.nics[0];
    if (first && !names.has(root(first))) names.set(root(first), `net/${formatCidr(network.cidr)}`);
  }
  const ofEnd = new Map<string, string>();
  const members = new Map<string, LinkEnd[]>();
  for (const nic of nics) {
    const name = names.get(root(nic)) ?? `nic/${keyOf(nic.end.netns, nic.end.link)}`;
    ofEnd.set(keyOf(nic.end.netns, nic.end.link), name);
    const list = members.get(name);
    if (list) list.push(nic.end);
    else members.set(name, [nic.end]);
  }
  return { of: (netns, link) => ofEnd.get(keyOf(netns, link)) ?? `nic/${keyOf(netns, link)}`, members: (name) => members.get(name) ?? [] };
}

const keyOf = (netns: NetnsId, link: string): string => `${netns}/${link}`;
