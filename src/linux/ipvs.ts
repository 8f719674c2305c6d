/**
 * IP Virtual Server: new connections to a virtual server are given a real server, and every packet of them is rewritten at
 * netfilter's hooks. Facts: net/netfilter/ipvs/ip_vs_core.c (ip_vs_in_hook, ip_vs_out_hook, ip_vs_leave, handle_response_icmp),
 * ip_vs_xmit.c (ip_vs_nat_xmit), ip_vs_nfct.c (ip_vs_update_conntrack). Only forwarding by masquerading (NAT), which is all
 * that kube-proxy asks for. Not modelled: direct routing and tunnels, firewall marks, applications, synchronisation, ICMP
 * errors from the client's side.
 */
import { isLoopback } from "../net/address.ts";
import type { Packet } from "../net/packet.ts";
import { type IcmpKind, icmpError } from "./answers.ts";
import { addStep, dropped, type Flight } from "./flight.ts";
import { scheduleServer } from "./ipvs-scheduler.ts";
import type { Hook } from "./netfilter/table.ts";
import type { Netns } from "./netns.ts";
import type { Reason } from "./reason.ts";
import { lookupRoute, sysctl } from "./route.ts";
import type { IpvsConnection } from "./run.ts";
import type { Stolen } from "./stage.ts";
import type { Address, End, Step } from "./step.ts";
import type { VirtualServer } from "./virtual-server.ts";

/**
 * ip_vs_in_hook, at LOCAL_IN (99) and LOCAL_OUT (-98): a packet of a virtual server's connection goes to its real server.
 * One that is elsewhere is reached by way of LOCAL_OUT and POSTROUTING: FORWARD never sees the packet.
 */
export function ipvsRequest(flight: Flight, netns: Netns, hook: Hook): End | Stolen | undefined {
  const { packet } = flight;
  if (flight.virtual !== undefined || !isBalanced(packet)) return undefined;
  const known = flight.run.ipvs.find(
    (one) => isOf(one, netns, packet) && isAt(one.client, packet.src, packet.sport) && isAt(one.virtual, packet.dst, packet.dport),
  );
  if (known) return sendOn(flight, netns, hook, known);
  const server = beginsConnection(packet) ? netns.ipvs?.lookup(packet.protocol, packet.dst, packet.dport) : undefined;
  if (!server) return undefined;
  addStep(flight, { kind: "note", text: describe(server) });
  const real = scheduleServer(flight, netns, hook, server);
  // ip_vs_leave: "since it is in IP layer, the TCP socket is not actually created": no RST, but an ICMP error.
  if (!real) return refused(flight, netns, "port-unreachable", server.emptyReason);
  const connection: IpvsConnection = {
    netns: netns.id,
    protocol: packet.protocol,
    client: { ip: packet.src, port: packet.sport },
    virtual: { ip: packet.dst, port: packet.dport },
    real: { ip: real.ip, port: real.port },
    cause: server.cause,
  };
  flight.run.ipvs.push(connection);
  return sendOn(flight, netns, hook, connection);
}

/** ip_vs_out_hook, at LOCAL_IN (98), LOCAL_OUT (-99) and FORWARD (100): an answer of a real server gets the virtual address back. */
export function ipvsReply(flight: Flight, netns: Netns, hook: Hook): undefined {
  const { packet } = flight;
  if (flight.virtual !== undefined) return;
  if (packet.segment.kind === "icmp-error") return replyWithError(flight, netns, hook, packet.segment);
  const connection = isBalanced(packet)
    ? flight.run.ipvs.find(
        (one) => isOf(one, netns, packet) && isAt(one.real, packet.src, packet.sport) && isAt(one.client, packet.dst, packet.dport),
      )
    : undefined;
  if (!connection) return;
  const { virtual, real } = connection;
  flight.packet = { ...packet, src: virtual.ip, sport: virtual.port };
  flight.virtual = { protocol: packet.protocol, ...virtual };
  addStep(flight, natStep(hook, "src", real, virtual, connection, true));
}

/** ip_vs_nat_icmp: an error about a packet to the real server seems to come from the virtual one, and to quote it. */
function replyWithError(flight: Flight, netns: Netns, hook: Hook, segment: Packet["segment"] & { kind: "icmp-error" }): undefined {
  const { quoted } = segment;
  const connection = flight.run.ipvs.find(
    (one) => isOf(one, netns, quoted) && isAt(one.real, quoted.dst, quoted.dport) && isAt(one.client, quoted.src, quoted.sport),
  );
  if (!connection) return;
  const { virtual } = connection;
  const before: Address = { ip: flight.packet.src, port: 0 };
  const inner: Packet = { ...quoted, dst: virtual.ip, dport: virtual.port };
  flight.packet = { ...flight.packet, src: virtual.ip, segment: { ...segment, quoted: inner } };
  flight.virtual = { protocol: quoted.protocol, ...virtual };
  if (before.ip !== virtual.ip) addStep(flight, natStep(hook, "src", before, { ip: virtual.ip, port: 0 }, connection, true));
}

/** ip_vs_nat_xmit. The TTL is spent here in place of FORWARD (ip_vs_xmit.c decrement_ttl), for a node's own packets too. */
function sendOn(flight: Flight, netns: Netns, hook: Hook, connection: IpvsConnection): End | Stolen | undefined {
  const { real, virtual } = connection;
  const route = lookupRoute(netns, real.ip);
  if (route?.type !== "unicast" && route?.type !== "local") return refused(flight, netns, "host-unreachable", "no-route");
  const isHere = route.type === "local";
  const { src, ttl } = flight.packet;
  if (isHere ? hook === "input" && isLoopback(real.ip) : isLoopback(src))
    return dropped(flight, netns.id, "spoofed-source", `IPVS sends nothing from or to 127.0.0.0/8 across machines: ${src} to ${real.ip}`);
  if (!isHere && ttl <= 1) return refused(flight, netns, "time-exceeded", "ttl-exceeded");
  flight.packet = { ...flight.packet, dst: real.ip, dport: real.port, ttl: isHere ? ttl : ttl - 1 };
  flight.virtual = { protocol: connection.protocol, ...virtual };
  addStep(flight, natStep(hook, "dst", virtual, real, connection, false));
  updateConntrack(flight, netns, real);
  if (isHere) return undefined;
  addStep(flight, { kind: "route", why: "reroute", dst: real.ip, route, local: false });
  addStep(flight, { kind: "ttl", before: ttl, after: ttl - 1 });
  return { kind: "stolen", next: { at: "local-out", netns: netns.id, route } };
}

/**
 * ip_vs_update_conntrack: the answer will come from the real server, so the entry expects that; but no NAT bit is set, so
 * nf_nat leaves both directions of this rewrite to IPVS. Without net.ipv4.vs.conntrack the packet is not tracked further.
 */
function updateConntrack(flight: Flight, netns: Netns, real: Address): void {
  const { tracked } = flight;
  if (sysctl(netns, "net.ipv4.vs.conntrack") !== "1") {
    flight.tracked = { state: "UNTRACKED" };
    return;
  }
  if (!tracked || tracked.state === "INVALID" || tracked.state === "UNTRACKED" || tracked.entry.confirmed) return;
  const { entry } = tracked;
  entry.reply = { ...entry.reply, src: real.ip, sport: real.port };
  entry.byIpvs = true;
}

function refused(flight: Flight, netns: Netns, kind: IcmpKind, reason: Reason): End {
  const { packet } = flight;
  const answer = icmpError(netns, kind, packet, flight.iif);
  if (!answer) return dropped(flight, netns.id, reason, "no ICMP error is sent about such a packet");
  addStep(flight, { kind: "answer", packet: answer });
  return { kind: "answered", netns: netns.id, packet, answer, reason };
}

const natStep = (hook: Hook, manip: "src" | "dst", before: Address, after: Address, { cause }: IpvsConnection, reverse: boolean): Step => ({
  kind: "nat",
  hook,
  manip,
  before,
  after,
  because: [],
  cause,
  reverse,
});

/** What IPVS has a protocol handler for (ip_vs_proto.c); an echo request is left to the stack. */
const isBalanced = ({ protocol, segment }: Packet): boolean =>
  (protocol === "tcp" || protocol === "udp" || protocol === "sctp") && segment.kind !== "icmp-error";
/** Only a SYN or an INIT is scheduled (sloppy_tcp and sloppy_sctp are 0), and any UDP datagram. */
const beginsConnection = ({ segment }: Packet): boolean => segment.kind === "syn" || segment.kind === "datagram";

const isOf = (one: IpvsConnection, netns: Netns, packet: Packet): boolean => one.netns === netns.id && one.protocol === packet.protocol;
const isAt = (address: Address, ip: Address["ip"], port: Address["port"]): boolean => address.ip === ip && address.port === port;

function describe(server: VirtualServer): string {
  const { length } = server.servers();
  const persistent = server.persistentSeconds === undefined ? "" : ", persistent for each client address";
  const count = length === 0 ? "no real server" : length === 1 ? "1 real server" : `${length} real servers`;
  const note = server.note === undefined ? "" : `: ${server.note}`;
  return `IPVS virtual server, scheduler ${server.scheduler}${persistent}, ${count}${note}`;
}
