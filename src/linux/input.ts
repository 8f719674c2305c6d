/**
 * From the wire to IP's decision: PREROUTING, the routing of what came in, reverse-path and martian checks, forwarding.
 * Facts: net/ipv4/route.c (ip_route_input_slow), fib_frontend.c (fib_validate_source), ip_forward.c; net/ipv6/route.c.
 */
import { isLoopback } from "../net/address.ts";
import { type IcmpKind, icmpError } from "./answers.ts";
import { attachError } from "./conntrack.ts";
import { addSeen, addStep, dropped, type Flight } from "./flight.ts";
import { runHook } from "./hooks.ts";
import { selectPath } from "./multipath.ts";
import type { Netns, Route } from "./netns.ts";
import type { Reason } from "./reason.ts";
import { deviceSetting, isGroupAddress, isLocalAddress, linkOf, lookupRoute, nexthopDevice, sysctl } from "./route.ts";
import { ended, nexthopOf, type Stage } from "./stage.ts";

/** netif_receive_skb: a bridge port hands the frame to its bridge (bridge.ts), any other device to IP. */
export function receiveFrame(flight: Flight, netns: Netns, dev: string): Stage {
  addSeen(flight, dev, "in");
  return { at: "ip-input", netns: netns.id, dev };
}

/** ip_rcv and ip_rcv_finish. */
export function ipInput(flight: Flight, netns: Netns, dev: string): Stage {
  const { packet } = flight;
  flight.iif = dev;
  // ip6_rcv_core looks before any hook does.
  if (packet.family === 6 && (isLoopback(packet.src) || isLoopback(packet.dst)) && linkOf(netns, dev)?.type.kind !== "loopback")
    return ended(dropped(flight, netns.id, "spoofed-source", `::1 on ${dev}: it never leaves its machine`));
  if (!flight.prerouted) {
    const end = runHook(flight, netns, "prerouting", { in: dev, ...(flight.physIn === undefined ? {} : { physIn: flight.physIn }) });
    if (end) return ended(end);
  }
  flight.prerouted = false;
  // What comes over lo keeps the route it was sent with (skb_dst), so it is neither routed again nor checked.
  if (flight.looped) {
    flight.looped = false;
    return { at: "local-in", netns: netns.id, dev };
  }
  return routeInput(flight, netns, dev);
}

function routeInput(flight: Flight, netns: Netns, dev: string): Stage {
  const { packet } = flight;
  const martian = martianReason(netns, dev, packet.src, packet.dst);
  if (martian) return ended(dropped(flight, netns.id, "spoofed-source", martian));
  if (isGroupAddress(netns, packet.dst)) return ended(notModelled(flight, netns, `${packet.dst} is a group address`));
  // A rule made it ::1, which IPv6 looks for on this device alone (rt6_need_strict).
  if (packet.family === 6 && isLoopback(packet.dst)) return ended(noWay(flight, netns, undefined));
  const found = lookupRoute(netns, packet.dst);
  const route = found && selectPath(flight, netns, found);
  const local = route?.type === "local";
  if (route) addStep(flight, { kind: "route", why: local ? "input" : "forward", dst: packet.dst, route, local });
  if (route?.type === "unicast" || local) {
    const spoofed = sourceFault(netns, dev, flight);
    if (spoofed) return ended(dropped(flight, netns.id, "spoofed-source", spoofed));
  }
  if (local) return { at: "local-in", netns: netns.id, dev };
  const off = (): Stage =>
    ended(dropped(flight, netns.id, "forwarding-off", `${forwardingKey(packet.family)} is 0: this machine forwards nothing`));
  // IPv6 asks whether it forwards at all only of what has a way (ip6_forward); IPv4 before it says that there is none.
  if (packet.family === 4 && !forwards(netns, 4)) return off();
  if (route?.type !== "unicast") return ended(noWay(flight, netns, route));
  if (!forwards(netns, packet.family)) return off();
  return { at: "forward", netns: netns.id, dev, route };
}

/**
 * A destination without a way: ICMP by the kind of route (fib_props), silence for a blackhole. To IPv6 `unreachable` is no
 * other than no route (ip6_pkt_discard).
 */
function noWay(flight: Flight, netns: Netns, route: Route | undefined) {
  if (route?.type === "blackhole") return dropped(flight, netns.id, "blackhole-route", `blackhole ${route.to.ip}/${route.to.length}`);
  const unreachable: IcmpKind = flight.packet.family === 6 ? "net-unreachable" : "host-unreachable";
  const kind: IcmpKind = route === undefined ? "net-unreachable" : route.type === "prohibit" ? "admin-prohibited" : unreachable;
  return refuse(flight, netns, kind, route === undefined || route.type !== "unreachable" ? "no-route" : "host-unreachable");
}

/** The stack answers with an ICMP error, or says nothing where none may be sent. */
export function refuse(flight: Flight, netns: Netns, kind: IcmpKind, reason: Reason, delaySeconds?: number) {
  const answer = icmpError(netns, kind, flight.packet, flight.iif);
  if (!answer) return dropped(flight, netns.id, reason, "no ICMP error is sent about such a packet");
  addStep(flight, { kind: "answer", packet: answer });
  attachError(flight.run, answer, flight.tracked);
  return {
    kind: "answered",
    netns: netns.id,
    packet: flight.packet,
    answer,
    reason,
    ...(delaySeconds === undefined ? {} : { delaySeconds }),
  } as const;
}

export const notModelled = (flight: Flight, netns: Netns, text: string) => {
  addStep(flight, { kind: "note", text });
  return { kind: "unknown", netns: netns.id, packet: flight.packet, text } as const;
};

const forwardingKey = (family: 4 | 6): string => (family === 4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding");
export const forwards = (netns: Netns, family: 4 | 6): boolean => sysctl(netns, forwardingKey(family)) === "1";

/** Addresses of 127/8 are refused off lo, unless route_localnet allows them on the device. */
function martianReason(netns: Netns, dev: string, src: string, dst: string): string | undefined {
  const link = linkOf(netns, dev);
  if (link?.type.kind === "loopback" || src.includes(":")) return undefined;
  const allowed = deviceSetting(netns, dev, "route_localnet") > 0;
  if (isLoopback(src) && !allowed) return `martian source ${src} on ${dev}`;
  if (isLoopback(dst) && !allowed) return `martian destination ${dst} on ${dev}: route_localnet is 0`;
  return undefined;
}

/** fib_validate_source: own addresses as source are refused always, unreachable or wrongly reached ones as rp_filter says. */
function sourceFault(netns: Netns, dev: string, flight: Flight): string | undefined {
  const { src, family } = flight.packet;
  if (family === 6) return undefined; // IPv6 has no reverse-path check of its own
  if (isLocalAddress(netns, src)) return `martian source: ${src} is this machine's own address`;
  const mode = deviceSetting(netns, dev, "rp_filter");
  if (mode === 0) return undefined;
  const back = lookupRoute(netns, src);
  if (back?.type !== "unicast") return `rp_filter: no route back to ${src}`;
  if (mode === 1 && nexthopDevice(back) !== dev) return `rp_filter is strict: ${src} is reached by ${back.dev}, it came in by ${dev}`;
  return undefined;
}

/** ip_forward: the TTL, then FORWARD. */
export function forward(flight: Flight, netns: Netns, dev: string, route: Route): Stage {
  const { packet } = flight;
  if (packet.ttl <= 1) return ended(refuse(flight, netns, "time-exceeded", "ttl-exceeded"));
  flight.packet = { ...packet, ttl: packet.ttl - 1 };
  addStep(flight, { kind: "ttl", before: packet.ttl, after: packet.ttl - 1 });
  const out = nexthopDevice(route);
  const end = runHook(flight, netns, "forward", { in: dev, ...(out === undefined ? {} : { out }), nexthop: nexthopOf(route, packet.dst) });
  if (end) return ended(end);
  return { at: "ip-output", netns: netns.id, route };
}
