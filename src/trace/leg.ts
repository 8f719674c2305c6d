/** From a walked connection to the leg and the destination that a trace shows. */
import type { Who } from "../apps/apps.ts";
import type { End } from "../linux/step.ts";
import type { Connection } from "./connection.ts";
import type { Destination, Leg, NameStep, Party, ProxyStep } from "./trace.ts";
import type { TraceNet } from "./trace-net.ts";

export const partyOf = (who: Who): Party => ({
  kind: who.kind,
  name: who.name,
  ...(who.namespace === undefined ? {} : { namespace: who.namespace }),
  ...(who.netns === undefined ? {} : { netns: who.netns }),
  ...(who.ip === undefined ? {} : { ip: who.ip }),
});

export function legOf(
  net: TraceNet,
  kind: Leg["kind"],
  from: Who,
  to: Leg["to"],
  connection: Connection,
  extra: { readonly name?: NameStep; readonly proxy?: ProxyStep } = {},
): Leg {
  const destination = destinationOf(net, connection);
  const source = connection.hops[0]?.packetIn.src;
  const party = partyOf(from);
  return {
    kind,
    from: source === undefined ? party : { ...party, ip: source },
    to,
    hops: connection.hops,
    reply: connection.reply,
    ...(destination ? { destination } : {}),
    ...(extra.name ? { name: extra.name } : {}),
    ...(extra.proxy ? { proxy: extra.proxy } : {}),
  };
}

/** Who the first packet reached, or whom it was meant for when nobody was there. Undefined where it died on the way. */
export function destinationOf(net: TraceNet, connection: Connection): Destination | undefined {
  const { end } = connection;
  if (end.kind === "socket") {
    return {
      ...named(net.apps.who(end.socket.owner)),
      ...seen(end),
      process: end.socket.process,
      ...(end.socket.assumed === true ? { assumed: true } : {}),
    };
  }
  if (end.kind === "answered" && (end.reason === "not-listening" || end.reason === undefined)) {
    const owner = net.apps.whoHas(end.packet.dst);
    return { ...named(owner.kind === "address" ? net.apps.who(end.netns) : owner), ...seen(end) };
  }
  if (end.kind === "answered" && end.reason === "host-unreachable") {
    const meant = net.apps.whoHas(end.packet.dst);
    return { ...named(meant), ip: end.packet.dst, ...portOf(end) };
  }
  if (end.kind === "exits")
    return { kind: "gateway", name: end.via, ip: end.packet.dst, ...portOf(end), clientIPSeen: end.packet.src, ttl: end.packet.ttl };
  return undefined;
}

const named = (who: Who): Pick<Destination, "kind" | "name" | "namespace" | "node"> => ({
  kind: who.kind,
  name: who.name,
  ...(who.namespace === undefined ? {} : { namespace: who.namespace }),
  ...(who.node === undefined ? {} : { node: who.node }),
});

type WithPacket = Extract<End, { readonly packet: unknown }>;
const portOf = (end: WithPacket) => (end.packet.protocol === "icmp" || end.packet.protocol === "icmpv6" ? {} : { port: end.packet.dport });
const seen = (end: WithPacket) => ({ ip: end.packet.dst, ...portOf(end), clientIPSeen: end.packet.src, ttl: end.packet.ttl });
