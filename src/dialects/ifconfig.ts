/**
 * `ifconfig`, as net-tools 2.10 prints it (lib/interface.c): interfaces that are up, by name. Not modelled, so left out:
 * the lines of packet counters.
 */
import type { Link, LinkAddress, Netns } from "../linux/netns.ts";
import { broadcastOf, familyOf } from "../net/address.ts";
import { netmask } from "./netstat.ts";
import { printableWord } from "./printable.ts";

export type IfconfigOptions = { readonly all?: boolean; readonly dev?: string };

/** `ifconfig`, `ifconfig -a`, `ifconfig DEV`. */
export function printIfconfig(netns: Netns, options: IfconfigOptions = {}): string {
  return netns.links
    .filter((link) => (options.dev === undefined ? options.all || link.up : link.name === options.dev))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(printInterface)
    .join("");
}

function printInterface(link: Link): string {
  const loop = link.type.kind === "loopback";
  const flags = flagsOf(link);
  const sum = flags.reduce((total, [, bit]) => total + bit, 0);
  const lines = [
    `${printableWord(link.name)}: flags=${sum}<${flags.map(([name]) => name).join(",")}>  mtu ${link.mtu}`,
    ...link.addresses
      .filter(({ cidr }) => familyOf(cidr.ip) === 4)
      .slice(0, 1)
      .map((address) => printInet(address, loop)), // the classic ioctl knows one
    ...link.addresses.filter(({ cidr }) => familyOf(cidr.ip) === 6).map(printInet6),
    loop
      ? "        loop  txqueuelen 1000  (Local Loopback)"
      : `        ether ${printableWord(link.mac)}  txqueuelen ${link.type.kind === "device" ? 1000 : 0}  (Ethernet)`,
  ];
  return `${lines.join("\n")}\n\n`;
}

/** Names and values of include/uapi/linux/if.h, in net-tools' order. */
function flagsOf(link: Link): (readonly [string, number])[] {
  return [
    ...(link.up ? [["UP", 0x1] as const] : []),
    link.type.kind === "loopback" ? (["LOOPBACK", 0x8] as const) : (["BROADCAST", 0x2] as const),
    ...(link.up && link.carrier ? [["RUNNING", 0x40] as const] : []),
    ...(link.type.kind === "dummy" ? [["NOARP", 0x80] as const] : []),
    ...(link.type.kind === "loopback" || link.type.kind === "dummy" ? [] : [["MULTICAST", 0x1000] as const]),
  ];
}

function printInet({ cidr }: LinkAddress, loop: boolean): string {
  const broadcast = loop ? "" : `  broadcast ${broadcastOf(cidr) ?? "0.0.0.0"}`;
  return `        inet ${cidr.ip}  netmask ${netmask(cidr)}${broadcast}`;
}

/** scopeid: the classes of include/net/ipv6.h. */
const SCOPE_ID = { global: "0x0<global>", host: "0x10<host>", link: "0x20<link>" } as const;
const printInet6 = ({ cidr, scope }: LinkAddress): string =>
  `        inet6 ${cidr.ip}  prefixlen ${cidr.length}  scopeid ${SCOPE_ID[scope]}`;
