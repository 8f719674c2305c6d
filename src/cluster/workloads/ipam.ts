/**
 * Pod addresses as the CNI plugin host-local hands them out: each node counts up through its own pod CIDR, from .2 (the
 * first address is the bridge's), in order of creation, skipping what is taken. hostNetwork pods have their node's addresses.
 * Not modelled: host-local's memory of the last address, Calico's blocks, addresses of other plugins' own pools.
 */
import { broadcastOf, type Cidr, cidrSize, type Family, familyOf, type Ip, nthAddress } from "../../net/address.ts";
import type { ClusterNode } from "../cluster.ts";

const FIRST_POD = 2n;

export type AddressPools = {
  /** Takes an address for good. False when somebody has it already. */
  readonly reserve: (ip: Ip) => boolean;
  /** The node's next free address of a family; undefined when its range is used up or it has none. */
  readonly allocate: (node: ClusterNode, family: Family) => Ip | undefined;
};

export function createAddressPools(): AddressPools {
  const taken = new Set<Ip>();
  const cursors = new Map<string, bigint>();
  const reserve = (ip: Ip): boolean => {
    if (taken.has(ip)) return false;
    taken.add(ip);
    return true;
  };
  const nextIn = (node: string, range: Cidr): Ip | undefined => {
    const key = `${node} ${range.ip}`;
    const end = cidrSize(range) - (broadcastOf(range) === undefined ? 0n : 1n);
    for (let n = cursors.get(key) ?? FIRST_POD; n < end; n++) {
      cursors.set(key, n + 1n);
      const ip = nthAddress(range, n);
      if (reserve(ip)) return ip;
    }
    return undefined;
  };
  return {
    reserve,
    allocate: (node, family) => {
      for (const range of node.podCIDRs.filter((cidr) => familyOf(cidr.ip) === family)) {
        const ip = nextIn(node.name, range);
        if (ip !== undefined) return ip;
      }
      return undefined;
    },
  };
}

export const familiesOf = (node: ClusterNode): Family[] => [...new Set(node.podCIDRs.map((cidr) => familyOf(cidr.ip)))];
