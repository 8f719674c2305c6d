/**
 * `netstat -l` and `netstat -rn`, as net-tools 2.10 prints them (netstat.c, lib/inet_gr.c), always numeric. Not modelled:
 * process ids, so `-p` shows `-/name`; Unix sockets; counters.
 */
import type { Link, Netns, Route } from "../linux/netns.ts";
import { bigIntToIp, type Cidr, familyOf, ipToBigInt } from "../net/address.ts";
import { printableWord } from "./printable.ts";
import { processOf, type ShownSocket, type SocketFilter, shownSockets } from "./socket-list.ts";

export type NetstatOptions = SocketFilter & { readonly processes?: boolean };

/** `netstat -ltn`, `-lun`, `-p`… */
export function printNetstat(netns: Netns, options: NetstatOptions = {}): string {
  const rows = (["tcp", "udp", "sctp"] as const).flatMap((protocol) =>
    shownSockets(netns, protocol, options).map((shown) => printSocket(protocol, shown, options.processes === true)),
  );
  const program = options.processes ? " PID/Program name    " : "";
  return `Active Internet connections (only servers)\nProto Recv-Q Send-Q Local Address           Foreign Address         State      ${program}\n${rows.join("")}`;
}

function printSocket(protocol: string, { socket, ip, v6 }: ShownSocket, processes: boolean): string {
  const proto = `${protocol}${v6 ? "6" : ""}`.padEnd(5);
  const peer = (v6 ? ":::*" : "0.0.0.0:*").padEnd(23);
  const state = (protocol === "udp" ? "" : "LISTEN").padEnd(11);
  const name = processOf(socket);
  const program = processes ? ` ${(name === undefined ? "-" : `-/${printableWord(name)}`).padEnd(19)} ` : "";
  return `${proto} ${"0".padStart(6)} ${"0".padStart(6)} ${`${ip}:${socket.port}`.padEnd(23)} ${peer} ${state}${program}\n`;
}

/** `netstat -rn`: the IPv4 routes in the kernel's order (`/proc/net/route`). */
export function printNetstatRoutes(netns: Netns): string {
  const routes = netns.routes.filter((route) => familyOf(route.to.ip) === 4 && isPresent(netns.links, route));
  const head = "Kernel IP routing table\nDestination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n";
  return head + [...routes].sort(byDestination).map(printRoute).join("");
}

const isPresent = (links: readonly Link[], route: Route): boolean =>
  route.dev === undefined || links.some((link) => link.name === route.dev && link.up);

function byDestination(a: Route, b: Route): number {
  const difference = ipToBigInt(a.to.ip) - ipToBigInt(b.to.ip);
  return difference < 0n ? -1 : difference > 0n ? 1 : b.to.length - a.to.length || a.metric - b.metric;
}

function printRoute(route: Route): string {
  const rejects = route.type === "unreachable" || route.type === "prohibit";
  const flags = rejects ? "!" : `U${route.via === undefined ? "" : "G"}${route.to.length === 32 ? "H" : ""}`;
  const head = [route.to.ip, rejects ? "-" : (route.via ?? "0.0.0.0"), netmask(route.to)].map((word) => word.padEnd(15)).join(" ");
  const numbers = rejects ? "    - -          -" : "    0 0          0";
  return `${head} ${flags.padEnd(5)} ${numbers} ${printableWord(route.dev ?? (rejects ? "-" : "*"))}\n`;
}

/** "255.255.255.0" */
export const netmask = (cidr: Cidr): string => bigIntToIp(((1n << BigInt(cidr.length)) - 1n) << BigInt(32 - cidr.length), 4);
