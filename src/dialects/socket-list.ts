/** What `ss` and `netstat` show of listening sockets alike: which ones, in which order, at which address. */
import { hasFamily, type ListeningSocket, type Netns } from "../linux/netns.ts";
import { familyOf, type Ip, ipToBigInt } from "../net/address.ts";

export type SocketFilter = {
  readonly tcp?: boolean;
  readonly udp?: boolean;
  readonly sctp?: boolean;
  readonly family?: 4 | 6;
};

/** A socket with the address that it shows. Bound to "*" it is an IPv6 socket that takes IPv4 too, on a stack without IPv6 0.0.0.0. */
export type ShownSocket = { readonly socket: ListeningSocket; readonly ip: Ip; readonly v6: boolean };

/** Sockets of the chosen protocols (none chosen: all), IPv4 before IPv6, then by port. */
export function shownSockets(netns: Netns, protocol: "tcp" | "udp" | "sctp", filter: SocketFilter): ShownSocket[] {
  const chosen = filter.tcp || filter.udp || filter.sctp ? filter[protocol] === true : true;
  if (!chosen) return [];
  const isDual = ({ families }: ListeningSocket): boolean => (families === undefined ? hasFamily(netns, 6) : families !== 4);
  return netns.sockets
    .filter((socket) => socket.protocol === protocol)
    .map((socket) => ({
      socket,
      ip: socket.ip === "*" ? (isDual(socket) ? "::" : "0.0.0.0") : socket.ip,
      v6: socket.ip === "*" ? isDual(socket) : familyOf(socket.ip) === 6,
    }))
    .filter((shown) => filter.family === undefined || shown.v6 === (filter.family === 6))
    .sort((a, b) => Number(a.v6) - Number(b.v6) || a.socket.port - b.socket.port || (ipToBigInt(a.ip) < ipToBigInt(b.ip) ? -1 : 1));
}

/** Sockets of the kernel itself (VXLAN) belong to no process. */
export const processOf = (socket: ListeningSocket): string | undefined =>
  socket.owner === "kernel" || socket.process === "" ? undefined : socket.process;
