/**
 * The cables: one extra namespace with a bridge for each Ethernet segment and one port for each NIC. A veth whose far end
 * is not in the lab and a dummy device end there too, in a port of no bridge.
 */
import type { Link, Netns, NetnsId } from "../linux/netns.ts";

export type LanPort = { readonly port: string; readonly bridge?: string; readonly plugged: boolean };
export type Lan = {
  readonly name: string;
  readonly bridges: readonly string[];
  readonly ports: readonly LanPort[];
  readonly portOf: (netns: NetnsId, link: string) => LanPort | undefined;
};

/** A bridge a segment, a port a NIC. Names are short and odd: `ip` refuses a name that the far side already has. */
export function lanOf(stacks: readonly Netns[], name: string): Lan {
  const present = new Set(stacks.map((netns) => netns.id));
  const bridges = new Map<string, string>();
  const ports = new Map<string, LanPort>();
  for (const netns of stacks) {
    for (const link of netns.links) {
      const segment = link.type.kind === "device" ? link.type.segment : undefined;
      if (segment === undefined && !isLoose(link, present)) continue;
      if (segment !== undefined && !bridges.has(segment)) bridges.set(segment, `ktbr${bridges.size}`);
      const bridge = segment === undefined ? undefined : bridges.get(segment);
      ports.set(keyOf(netns.id, link.name), {
        port: `ktp${ports.size}`,
        ...(bridge === undefined ? {} : { bridge }),
        plugged: link.carrier,
      });
    }
  }
  return { name, bridges: [...bridges.values()], ports: [...ports.values()], portOf: (id, link) => ports.get(keyOf(id, link)) };
}

const isLoose = ({ type }: Link, present: ReadonlySet<NetnsId>): boolean =>
  type.kind === "dummy" || (type.kind === "veth" && !present.has(type.peer.netns));
const keyOf = (netns: NetnsId, link: string): string => `${netns} ${link}`;

/** A switch's MTU must not be the smallest: frames too big for a NIC are the NIC's to refuse. */
export const LAN_MTU = 65535;

/** `ip -batch` lines for the namespace of the cables. A port that is not plugged in stays down: no carrier at the NIC. */
export const lanLines = (lan: Lan): string[] => [
  ...lan.bridges.map((bridge) => `link add ${bridge} mtu ${LAN_MTU} type bridge mcast_snooping 0`),
  ...lan.ports.flatMap(({ port, bridge }) => (bridge === undefined ? [] : [`link set ${port} master ${bridge}`])),
  ...lan.ports.filter(({ plugged }) => plugged).map(({ port }) => `link set ${port} up`),
  ...lan.bridges.map((bridge) => `link set ${bridge} up`),
];
