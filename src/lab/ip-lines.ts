/**
 * A network stack as lines for `ip -batch` and `bridge -batch` (ip-link(8), ip-address(8), ip-route(8), bridge(8)).
 * Connected and local routes are not written: the kernel makes them from the addresses, and must come to the same ones.
 */
import type { FdbEntry, Link, LinkAddress, Neighbour, Netns, Route } from "../linux/netns.ts";
import { type Cidr, familyOf, formatCidr, parseCidr, parseIp } from "../net/address.ts";
import { labRequires } from "./error.ts";
import { LAN_MTU, type Lan } from "./lan.ts";
import { checkLinkName, type LabNames } from "./names.ts";

/** How the far ends of cables are called, and which namespaces there are. */
export type Cabling = { readonly names: LabNames; readonly lan: Lan; readonly stacks: ReadonlyMap<string, Netns> };

/** Lines that make the links, in order, far ends included. Run inside the namespace. */
export const createLines = (netns: Netns, links: readonly Link[], cabling: Cabling): string[] =>
  links.map((link) => `link add ${createLine(netns, link, cabling)}`);

function createLine(netns: Netns, link: Link, cabling: Cabling): string {
  const own = `${checkLinkName(link.name)} address ${mac(link.mac)} mtu ${link.mtu}`;
  switch (link.type.kind) {
    case "loopback":
    case "device":
    case "dummy": // a cable into nothing: the dummy module may not be there
      return `${own} type veth peer name ${lanEnd(netns, link, cabling)}`;
    case "veth":
      return `${own} type veth peer name ${farEnd(netns, link, cabling)}`;
    case "bridge":
      return `${own} type bridge mcast_snooping 0`; // snooping sends IGMP of its own, which counts in OUTPUT rules
    case "vxlan":
      return `${own} type vxlan id ${link.type.vni} local ${ip(link.type.local)} dev ${checkLinkName(link.type.dev)} dstport ${link.type.port} nolearning`;
    default:
      return link.type satisfies never;
  }
}

function lanEnd(netns: Netns, link: Link, { lan, names }: Cabling): string {
  const port = lan.portOf(netns.id, link.name);
  labRequires(port, `${netns.id}: ${link.name} has no place on a segment`);
  return `${port.port} mtu ${LAN_MTU} netns ${names.lan}`;
}

function farEnd(netns: Netns, link: Link, cabling: Cabling): string {
  if (link.type.kind !== "veth") return lanEnd(netns, link, cabling);
  const { peer } = link.type;
  const far = cabling.stacks.get(peer.netns)?.links.find((each) => each.name === peer.link);
  if (!far) return lanEnd(netns, link, cabling);
  return `${checkLinkName(far.name)} address ${mac(far.mac)} mtu ${far.mtu} netns ${cabling.names.of(peer.netns)}`;
}

/** Lines that set up what exists: masters, addresses, routes, permanent neighbours. */
export function configureLines(netns: Netns, fastNeighbours: boolean): string[] {
  const ports = netns.links.filter((link) => link.master !== undefined);
  const up = netns.links.filter((link) => link.up);
  return [
    ...netns.links.filter((link) => link.type.kind === "dummy").map((link) => `link set ${checkLinkName(link.name)} arp off`),
    ...ports.map((link) => `link set ${link.name} master ${checkLinkName(link.master ?? "")}`),
    ...ports.filter((link) => link.hairpin).map((link) => `link set ${link.name} type bridge_slave hairpin on`),
    ...(fastNeighbours ? up.filter((link) => link.type.kind !== "loopback").flatMap(fastNeighbourLines(netns)) : []),
    ...up.flatMap((link) => [`link set ${link.name} up`, ...link.addresses.flatMap((address) => addressLines(link, address))]),
    ...netns.links
      .filter((link) => !link.up)
      .flatMap((link) => link.addresses.filter(isKept).flatMap((address) => addressLines(link, address))),
    ...[...netns.routes].filter(isWritten).sort(gatewaysLast).map(routeLine),
    ...netns.neighbours.map(neighbourLine),
  ];
}

/** A device that is down loses its IPv6 addresses (addrconf_ifdown, keep_addr_on_down 0). */
const isKept = ({ cidr }: LinkAddress): boolean => familyOf(cidr.ip) === 4;

/** Lines for `bridge -batch`: where the tunnel ends are. */
export const fdbLines = (netns: Netns): string[] => netns.fdb.map(fdbLine);

const fdbLine = (entry: FdbEntry): string =>
  `fdb append ${mac(entry.mac)} dev ${checkLinkName(entry.dev)} dst ${ip(entry.dst)} self permanent`;
const neighbourLine = (entry: Neighbour): string =>
  `neigh replace ${ip(entry.ip)} lladdr ${mac(entry.mac)} dev ${checkLinkName(entry.dev)} nud permanent`;

/**
 * A silent neighbour is asked three times, 1 s apart (net/ipv4/arp.c): here 100 ms. Who answers for an anycast address waits
 * up to 0.8 s (ndisc_recv_ns): not here.
 */
const fastNeighbourLines =
  (netns: Netns) =>
  (link: Link): string[] => {
    const families = netns.links.some((each) => each.addresses.some(({ cidr }) => cidr.ip.includes(":")))
      ? ["arp_cache", "ndisc_cache"]
      : ["arp_cache"];
    return families.map(
      (name) => `ntable change name ${name} dev ${link.name} retrans 100${name === "ndisc_cache" ? " proxy_delay 0" : ""}`,
    );
  };

/** lo brings 127.0.0.1/8 and ::1/128 itself when it comes up. */
function addressLines(link: Link, { cidr, scope }: LinkAddress): string[] {
  if (link.type.kind === "loopback" && scope === "host") return [];
  const six = familyOf(cidr.ip) === 6;
  const broadcast = six || cidr.length >= 31 || link.type.kind === "loopback" ? "" : " brd +";
  return [`addr add ${prefix(cidr)}${broadcast} dev ${link.name}${scope === "global" ? "" : ` scope ${scope}`}${six ? " nodad" : ""}`];
}

const isWritten = (route: Route): boolean => route.proto !== "kernel";
/** A gateway must be reachable by a route that is there already; prefixes that need none come first. */
const gatewaysLast = (a: Route, b: Route): number => Number(a.via !== undefined) - Number(b.via !== undefined);

function routeLine(route: Route): string {
  const words = ["route add", ...(route.type === "unicast" ? [] : [route.type]), prefix(route.to)];
  if (route.via !== undefined) words.push("via", ip(route.via));
  if (route.dev !== undefined) words.push("dev", checkLinkName(route.dev));
  if (route.src !== undefined) words.push("src", ip(route.src));
  if (route.metric > 0) words.push("metric", String(route.metric));
  if (route.scope !== undefined && route.scope !== "global") words.push("scope", route.scope);
  if (route.proto !== undefined) words.push("proto", route.proto);
  if (route.onlink) words.push("onlink");
  return words.join(" ");
}

// Text of a World comes from checked input; a line for root's `ip` is checked once more.
function mac(text: string): string {
  labRequires(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(text), `${JSON.stringify(text)} is no MAC address`);
  return text;
}
function ip(text: string): string {
  labRequires(parseIp(text) !== undefined, `${JSON.stringify(text)} is no address`);
  return text;
}
function prefix(cidr: Cidr): string {
  const text = formatCidr(cidr);
  labRequires(parseCidr(text), `${JSON.stringify(text)} is no prefix`);
  return text;
}
