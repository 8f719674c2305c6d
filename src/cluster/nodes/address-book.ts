/** Which addresses of the node networks are taken, to choose free ones for machines that the input gives none. */
import {
  broadcastOf,
  type Cidr,
  cidrSize,
  cidrsOverlap,
  type Family,
  familyOf,
  type Ip,
  networkOf,
  nthAddress,
  parseCidr,
} from "../../net/address.ts";

export type AddressBook = {
  /** The next free address of the cluster's first node network, from .11 up, as a person would number machines. */
  readonly nextFree: (family: Family) => Cidr;
  /** A free address at the network's far end. */
  readonly lastFree: (network: Cidr) => Cidr;
  /** The first address of the network that no listed machine has: where a router usually is. */
  readonly gateway: (network: Cidr) => Ip | undefined;
};

const FIRST_MACHINE = 11n;
/** Tried in turn for a cluster whose input names no node network. */
const NODE_NETWORKS: Readonly<Record<Family, readonly string[]>> = {
  4: ["192.168.1.0/24", "172.31.1.0/24", "10.1.1.0/24"],
  6: ["fd00:192:168:1::/64", "fd00:172:31:1::/64"],
};

export function createAddressBook(written: readonly Cidr[], avoid: readonly Cidr[]): AddressBook {
  const taken = new Set(written.map((cidr) => cidr.ip));
  const take = (network: Cidr, n: bigint, step: bigint): Cidr => {
    let at = n;
    while (taken.has(nthAddress(network, at))) at += step;
    const ip = nthAddress(network, at);
    taken.add(ip);
    return { ip, length: network.length };
  };
  return {
    nextFree: (family) => {
      const network = nodeNetwork(family, written, avoid);
      return take(network, cidrSize(network) > FIRST_MACHINE * 2n ? FIRST_MACHINE : 1n, 1n);
    },
    lastFree: (network) => take(networkOf(network), cidrSize(network) - (broadcastOf(network) === undefined ? 1n : 2n), -1n),
    gateway: (network) => {
      for (let n = 1n; n < cidrSize(network) - 1n; n++) {
        const ip = nthAddress(network, n);
        if (!taken.has(ip)) return ip;
      }
      return undefined;
    },
  };
}

function nodeNetwork(family: Family, written: readonly Cidr[], avoid: readonly Cidr[]): Cidr {
  const known = written.find((cidr) => familyOf(cidr.ip) === family && cidrSize(cidr) > 4n);
  if (known) return networkOf(known);
  const candidates = NODE_NETWORKS[family].flatMap((text) => parseCidr(text) ?? []);
  return candidates.find((cidr) => !avoid.some((other) => cidrsOverlap(other, cidr))) ?? candidates[0] ?? { ip: "192.168.1.0", length: 24 };
}
