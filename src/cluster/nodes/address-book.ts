/** Which addresses of the node networks are taken, to choose free ones for machines that the input gives none. */
import {
  broadcastOf,
  type Cidr,
  cidrSize,
  cidrsOverlap,
  type Family,
  familyOf,
  formatCidr,
  type Ip,
  networkOf,
  nthAddress,
  parseCidr,
} from "../../net/address.ts";

export type AddressBook = {
  /** The next free address of the cluster's first node network, from .11 up, as a person would number machines. */
  readonly nextFree: (family: Family) => Cidr | undefined;
  /** A free address at the network's far end. */
  readonly lastFree: (network: Cidr) => Cidr | undefined;
  /** The first address of the network that no listed machine has: where a router usually is. */
  readonly gateway: (network: Cidr) => Ip | undefined;
};

const FIRST_MACHINE = 11n;
/** Tried in turn for a cluster whose input names no node network. */
const NODE_NETWORKS: Readonly<Record<Family, readonly string[]>> = {
  4: ["192.168.1.0/24", "172.16.0.0/16", "10.16.0.0/12"],
  6: ["fd00:192:168:1::/64", "fd00:172:31:1::/64"],
};

export function createAddressBook(written: readonly Cidr[], avoid: readonly Cidr[]): AddressBook {
  const taken = new Set(written.map((cidr) => cidr.ip));
  const networks = { 4: nodeNetworks(4, written, avoid), 6: nodeNetworks(6, written, avoid) };
  const cursors = new Map<string, bigint>();
  const gateways = new Map<string, bigint>();
  const take = (network: Cidr): Cidr | undefined => {
    const [key, end] = [formatCidr(network), lastUsable(network)];
    for (let n = cursors.get(key) ?? (end > 2n * FIRST_MACHINE ? FIRST_MACHINE : 2n); n <= end; n++) {
      cursors.set(key, n + 1n);
      const ip = nthAddress(network, n);
      if (taken.has(ip)) continue;
      taken.add(ip);
      return { ip, length: network.length };
    }
    return undefined;
  };
  return {
    nextFree: (family) => {
      for (const network of networks[family]) {
        const free = take(network);
        if (free) return free;
      }
      return undefined;
    },
    lastFree: (network) => {
      for (let n = lastUsable(network); n > 0n; n--) {
        const ip = nthAddress(network, n);
        if (taken.has(ip)) continue;
        taken.add(ip);
        return { ip, length: network.length };
      }
      return undefined;
    },
    gateway: (network) => {
      const key = formatCidr(networkOf(network));
      for (let n = gateways.get(key) ?? 1n; n < cidrSize(network) - 1n; n++) {
        gateways.set(key, n); // what is taken stays taken
        const ip = nthAddress(network, n);
        if (!taken.has(ip)) return ip;
      }
      return undefined;
    },
  };
}

const lastUsable = (network: Cidr): bigint => cidrSize(network) - (broadcastOf(network) === undefined ? 1n : 2n);

/** The first network that the input names, then the usual ones, as far as they lie clear of pods and Services. */
function nodeNetworks(family: Family, written: readonly Cidr[], avoid: readonly Cidr[]): Cidr[] {
  const known = written.find((cidr) => familyOf(cidr.ip) === family && cidrSize(cidr) > 4n);
  const usual = NODE_NETWORKS[family]
    .flatMap((text) => parseCidr(text) ?? [])
    .filter((cidr) => !avoid.some((other) => cidrsOverlap(other, cidr)));
  return [...(known ? [networkOf(known)] : []), ...usual];
}
