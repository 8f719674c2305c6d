/**
 * Delivery to this stack itself: INPUT, then the socket, or what the kernel answers when nobody listens.
 * Facts: net/ipv4/ip_input.c, tcp_ipv4.c, udp.c, icmp.c. Not modelled: SO_REUSEPORT, TIME_WAIT, SYN cookies.
 */
import type { Ip } from "../net/address.ts";
import type { Packet } from "../net/packet.ts";
import { echoReplyOf, resetOf } from "./answers.ts";
import { addStep, dropped, type Flight } from "./flight.ts";
import { runHook } from "./hooks.ts";
import { refuse } from "./input.ts";
import type { ListeningSocket, Netns } from "./netns.ts";
import { isAnycastAddress, isLocalAddress, lookupRoute, sourceFor } from "./route.ts";
import { socketOf, socketQuoted } from "./run.ts";
import { ended, type Stage } from "./stage.ts";
import { decapsulate } from "./vxlan.ts";

/** ip_local_deliver. */
export function localIn(flight: Flight, netns: Netns, dev: string): Stage {
  const end = runHook(flight, netns, "input", { in: dev });
  if (end) return ended(end);
  const { packet } = flight;
  if (packet.inner) return decapsulate(flight, netns);
  if (packet.segment.kind === "icmp-error") return deliverError(flight, netns, packet.segment.quoted);
  // icmp_echo answers a request before any socket is looked for, one of this stack's own, too.
  if (packet.segment.kind === "echo-request") return deliverEcho(flight, netns);
  if (socketOf(flight.run, netns.id, packet)) return ended({ kind: "peer", netns: netns.id, packet });
  if (packet.protocol === "icmp" || packet.protocol === "icmpv6") return deliverEcho(flight, netns);
  const begins = packet.segment.kind === "syn" || packet.segment.kind === "datagram";
  // tcp_v6_conn_request and tcp_v6_send_reset both look for a unicast destination.
  if (packet.protocol === "tcp" && isAnycastAddress(netns, packet.dst, flight.iif))
    return ended(dropped(flight, netns.id, "not-listening", `${packet.dst} is an anycast address: TCP does not answer there`));
  const socket = begins ? listenerFor(netns, packet) : undefined;
  if (!socket) return ended(nobodyListens(flight, netns));
  addStep(flight, { kind: "accept", socket });
  return ended({ kind: "socket", netns: netns.id, packet, socket });
}

/** The most specific listener: one bound to the address before one bound to all. */
function listenerFor(netns: Netns, packet: Packet): ListeningSocket | undefined {
  const candidates = netns.sockets.filter(
    (s) => s.protocol === packet.protocol && s.port === packet.dport && (s.ip === packet.dst || takesAny(s, packet)),
  );
  return candidates.find((s) => s.ip === packet.dst) ?? candidates[0];
}

const takesAny = ({ ip, families = "both" }: ListeningSocket, { family }: Packet): boolean =>
  ip === "*" && (families === "both" || families === family);

/** TCP answers a closed port with RST (never one RST with another), UDP with ICMP port unreachable, SCTP with ABORT. */
function nobodyListens(flight: Flight, netns: Netns) {
  const { packet } = flight;
  if (packet.protocol === "udp") return refuse(flight, netns, "port-unreachable", "not-listening");
  if (packet.segment.kind === "rst") return dropped(flight, netns.id, "not-listening", "a reset for no connection is ignored");
  const answer = resetOf(netns, packet);
  addStep(flight, { kind: "answer", packet: answer });
  return { kind: "answered", netns: netns.id, packet, answer, reason: "not-listening" } as const;
}

function deliverEcho(flight: Flight, netns: Netns): Stage {
  const { packet } = flight;
  if (packet.segment.kind !== "echo-request")
    return ended(dropped(flight, netns.id, "reply-not-translated", "an echo reply that nobody here waits for"));
  const ignored = netns.sysctls["net.ipv4.icmp_echo_ignore_all"] === "1" && packet.family === 4;
  if (ignored || !isLocalAddress(netns, packet.dst))
    return ended(dropped(flight, netns.id, "rule-denied", "net.ipv4.icmp_echo_ignore_all is 1"));
  const answer = echoReplyOf(
    netns,
    packet,
    isAnycastAddress(netns, packet.dst, flight.iif) ? connectedSource(netns, packet.src) : packet.dst,
  );
  addStep(flight, { kind: "answer", packet: answer });
  return ended({ kind: "answered", netns: netns.id, packet, answer });
}

function connectedSource(netns: Netns, towards: Ip): Ip | undefined {
  const route = lookupRoute(netns, towards);
  return route && sourceFor(netns, route, towards);
}

/** An ICMP error reaches the socket whose packet it quotes; one about an unknown connection is ignored. */
function deliverError(flight: Flight, netns: Netns, quoted: Packet): Stage {
  const { packet } = flight;
  if (socketQuoted(flight.run, netns.id, quoted)) return ended({ kind: "peer", netns: netns.id, packet });
  return ended(dropped(flight, netns.id, "reply-not-translated", "the ICMP error quotes a packet that no socket here sent"));
}
