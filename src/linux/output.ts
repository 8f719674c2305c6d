/**
 * Out of IP: local output with its re-routing, POSTROUTING, the neighbour table, and the wire.
 * Facts: net/ipv4/ip_output.c, netfilter.c (ip_route_me_harder), arp.c, drivers/net/veth.c.
 */
import { isLoopback } from "../net/address.ts";
import { bridgeOutput } from "./bridge.ts";
import { ARP_GIVES_UP_AFTER, resolveNeighbour, takerOf } from "./ethernet.ts";
import { addSeen, addStep, dropped, type Flight, leaveHop } from "./flight.ts";
import { runHook } from "./hooks.ts";
import { notModelled, refuse } from "./input.ts";
import type { Link, Netns, Route } from "./netns.ts";
import { deviceSetting, isGroupAddress, linkOf, lookupRoute, nexthopDevice, refusalOfRoute } from "./route.ts";
import { ended, nexthopOf, type Stage } from "./stage.ts";
import type { End } from "./step.ts";
import { encapsulate } from "./vxlan.ts";

/** ip_local_out: OUTPUT, and a new route when a table changed what the first one depended on. */
export function localOut(flight: Flight, netns: Netns, route: Route): Stage {
  let current = route;
  const reroute = () => {
    const again = lookupRoute(netns, flight.packet.dst);
    const out = again && nexthopDevice(again);
    if (!again || (again.type !== "unicast" && again.type !== "local"))
      return withErrno(dropped(flight, netns.id, "no-route", `no route to ${flight.packet.dst} after the rewrite`), again);
    // __mkroute_output: 127/8 does not leave by another device unless route_localnet allows it there.
    if (
      isLoopback(flight.packet.src) &&
      flight.packet.family === 4 &&
      out !== undefined &&
      out !== "lo" &&
      deviceSetting(netns, out, "route_localnet") === 0
    ) {
      const text = `route_localnet is 0: a packet from ${flight.packet.src} may not leave by ${out}`;
      return withErrno(dropped(flight, netns.id, "spoofed-source", text), again);
    }
    current = again;
    addStep(flight, { kind: "route", why: "reroute", dst: flight.packet.dst, route: again, local: again.type === "local" });
    return undefined;
  };
  const out = nexthopDevice(route);
  const end = runHook(flight, netns, "output", out === undefined ? {} : { out }, reroute);
  if (end) return ended(end);
  return { at: "ip-output", netns: netns.id, route: current };
}

/** ip_route_me_harder's error goes back to the sender (NF_DROP_ERR in nf_nat_ipv4_local_fn). */
const withErrno = (end: End, route: Route | undefined): End =>
  end.kind === "dropped" ? { ...end, errno: refusalOfRoute(route).errno } : end;

/** ip_output, ip_finish_output: POSTROUTING, then the next hop's address on the wire. */
export function ipOutput(flight: Flight, netns: Netns, route: Route): Stage {
  const dev = nexthopDevice(route);
  const link = dev === undefined ? undefined : linkOf(netns, dev);
  if (dev === undefined || !link) return ended(dropped(flight, netns.id, "no-route", "the route has no device"));
  if (isGroupAddress(netns, flight.packet.dst)) return ended(notModelled(flight, netns, `${flight.packet.dst} is a group address`));
  const nexthop = nexthopOf(route, flight.packet.dst);
  const end = runHook(flight, netns, "postrouting", { out: dev, nexthop });
  if (end) return ended(end);
  flight.physIn = undefined;
  if (link.type.kind === "loopback") return { at: "transmit", netns: netns.id, dev, mac: "" };
  const found = resolveNeighbour(flight.run.world, netns, link, nexthop);
  if (found.kind === "silent") return unreachable(flight, netns, route, link);
  addStep(flight, { kind: "neighbour", ip: nexthop, mac: found.mac, dev, ...(found.entry ? { entry: found.entry } : {}) });
  flight.target = found.end;
  return { at: "transmit", netns: netns.id, dev, mac: found.mac };
}

/** Nobody answers: the packet leaves the model at an unlisted gateway; else ICMP host unreachable after the last probe. */
function unreachable(flight: Flight, netns: Netns, route: Route, link: Link): Stage {
  const nexthop = nexthopOf(route, flight.packet.dst);
  const isNic = link.type.kind === "device" && link.up && link.carrier;
  if (isNic && route.via !== undefined && flight.run.world.isOutsideGateway(netns.id, route.via)) {
    addSeen(flight, link.name, "out");
    leaveHop(flight, link.name);
    return ended({ kind: "exits", netns: netns.id, packet: flight.packet, via: route.via });
  }
  const who = `nobody answers for ${nexthop} on ${link.name}`;
  addStep(flight, { kind: "note", text: who });
  // A tunnel without learning floods nothing, so its probes are asked of nobody: only an entry could have answered.
  const reason = link.type.kind === "vxlan" ? "no-tunnel-peer" : "host-unreachable";
  return ended(refuse(flight, netns, "host-unreachable", reason, ARP_GIVES_UP_AFTER));
}

/** dev_queue_xmit: onto the wire, into the bridge, into the tunnel, or back over lo. */
export function transmit(flight: Flight, netns: Netns, dev: string, mac: string): Stage {
  const link = linkOf(netns, dev);
  if (!link?.up) return ended(dropped(flight, netns.id, "no-route", `${dev} is down`));
  addSeen(flight, dev, "out");
  switch (link.type.kind) {
    case "loopback":
      flight.looped = true;
      return { at: "receive", netns: netns.id, dev };
    case "bridge":
      return bridgeOutput(flight, netns, dev);
    case "vxlan":
      return encapsulate(flight, netns, link, link.type, mac);
    case "dummy":
      return ended(dropped(flight, netns.id, "no-route", `${dev} leads nowhere`));
    case "device":
    case "veth":
      return ontoWire(flight, netns, link);
    default:
      return link.type satisfies never;
  }
}

/** The frame leaves this stack; marks and connection do not travel with it. */
function ontoWire(flight: Flight, netns: Netns, link: Link): Stage {
  const next = link.type.kind === "veth" ? link.type.peer : nextOnWire(flight, netns, link);
  if (!next)
    return ended(dropped(flight, netns.id, "host-unreachable", `no machine has the address the neighbour entry on ${link.name} names`));
  leaveHop(flight, link.name);
  flight.mark = 0;
  flight.tracked = undefined;
  flight.physIn = undefined;
  flight.virtual = undefined;
  flight.iif = undefined;
  flight.prerouted = false;
  return { at: "receive", netns: next.netns, dev: next.link };
}

const nextOnWire = ({ run, target }: Flight, netns: Netns, link: Link) =>
  target && takerOf(run.world, { netns: netns.id, link: link.name }, link, target);
