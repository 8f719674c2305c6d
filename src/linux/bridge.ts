/**
 * A bridge and br_netfilter: which port a frame leaves by, or whether it goes up to IP; and what the IPv4 hooks do to a
 * bridged packet. Facts: net/bridge/br_input.c, br_forward.c (should_deliver: hairpin), br_netfilter_hooks.c
 * (br_nf_pre_routing_finish: DNAT behind the same bridge is bridged, not routed). Not modelled: VLAN filtering, STP,
 * flooding (the forwarding table knows every MAC).
 */
import { isLoopback } from "../net/address.ts";
import { ARP_GIVES_UP_AFTER, portTowards, resolveNeighbour } from "./ethernet.ts";
import { addSeen, addStep, dropped, type Flight } from "./flight.ts";
import { runHook } from "./hooks.ts";
import { forwards, refuse } from "./input.ts";
import type { Link, Netns } from "./netns.ts";
import { linkOf, lookupRoute, nexthopDevice, sysctl } from "./route.ts";
import { ended, nexthopOf, type Stage } from "./stage.ts";

/** br_handle_frame: a frame came in by a port. */
export function bridgeInput(flight: Flight, netns: Netns, port: Link): Stage {
  const bridge = port.master ?? "";
  addSeen(flight, port.name, "in");
  const filtered = callsIptables(netns, flight.packet.family);
  if (filtered) {
    const asked = flight.packet.dst;
    flight.physIn = port.name;
    const end = runHook(flight, netns, "prerouting", { in: bridge, physIn: port.name });
    if (end) return ended(end);
    flight.prerouted = true;
    if (flight.packet.dst !== asked) {
      // br_nf_pre_routing_finish_ipv6: what has no way after DNAT ends here, and nobody is told.
      if (flight.packet.family === 6 && !hasWay(netns, flight.packet.dst))
        return ended(dropped(flight, netns.id, "no-route", `no route to ${flight.packet.dst} after the rewrite`));
      const there = behindBridge(flight, netns, bridge);
      if (there === undefined) return up(flight, netns, port, bridge);
      // br_nf_pre_routing_finish_bridge asks ARP itself; the packet never goes up.
      if (there.kind === "silent") return ended(refuse(flight, netns, "host-unreachable", "host-unreachable", ARP_GIVES_UP_AFTER));
      flight.target = there.end;
      return bridged(flight, netns, port, bridge, "dnat-bridged");
    }
  }
  const { target } = flight;
  if (!target || (target.netns === netns.id && target.link === bridge)) return up(flight, netns, port, bridge);
  return bridged(flight, netns, port, bridge, "bridged");
}

/** net.bridge.bridge-nf-call-iptables and -ip6tables. */
const callsIptables = (netns: Netns, family: 4 | 6): boolean =>
  sysctl(netns, family === 4 ? "net.bridge.bridge-nf-call-iptables" : "net.bridge.bridge-nf-call-ip6tables") === "1";

/** ::1 is looked for on the bridge alone (rt6_need_strict), and not there. */
const hasWay = (netns: Netns, dst: string): boolean => {
  const type = lookupRoute(netns, dst)?.type;
  return !isLoopback(dst) && (type === "unicast" || type === "local");
};

/**
 * After DNAT: who answers behind this same bridge, or undefined when IP has to route the packet elsewhere. IPv4 has no route
 * at all where it does not forward (ip_route_input_slow); IPv6 looks no further than the route.
 */
function behindBridge(flight: Flight, netns: Netns, bridge: string) {
  const { dst, family } = flight.packet;
  const route = lookupRoute(netns, dst);
  if (route?.type !== "unicast" || nexthopDevice(route) !== bridge || (family === 4 && !forwards(netns, 4))) return undefined;
  const link = linkOf(netns, bridge);
  return link && resolveNeighbour(flight.run.world, netns, link, nexthopOf(route, dst));
}

/** br_pass_frame_up: the frame is for the bridge's own stack. */
function up(flight: Flight, netns: Netns, port: Link, bridge: string): Stage {
  addStep(flight, { kind: "bridge", bridge, in: port.name, out: bridge, why: "up" });
  addSeen(flight, bridge, "in");
  return { at: "ip-input", netns: netns.id, dev: bridge };
}

/** br_forward: FORWARD and POSTROUTING run with the bridge as both devices when br_netfilter is on; the TTL stays. */
function bridged(flight: Flight, netns: Netns, port: Link, bridge: string, why: "bridged" | "dnat-bridged"): Stage {
  const { target } = flight;
  const out = target && portTowards(flight.run.world, netns, bridge, target);
  if (!out?.up) return ended(dropped(flight, netns.id, "host-unreachable", `no port of ${bridge} leads there`));
  if (out.name === port.name && out.hairpin !== true) {
    return ended(dropped(flight, netns.id, "hairpin-off", `${out.name} may not send a frame back where it came in: hairpin mode is off`));
  }
  addStep(flight, { kind: "bridge", bridge, in: port.name, out: out.name, why });
  if (callsIptables(netns, flight.packet.family)) {
    const devices = { out: bridge, physOut: out.name, nexthop: flight.packet.dst };
    const end =
      runHook(flight, netns, "forward", { in: bridge, physIn: port.name, ...devices }) ?? runHook(flight, netns, "postrouting", devices);
    if (end) return ended(end);
  }
  flight.prerouted = false;
  return { at: "transmit", netns: netns.id, dev: out.name, mac: "" };
}

/** A frame that the bridge's own stack sends: to the port behind which the receiver is. br_netfilter's hooks ran in IP. */
export function bridgeOutput(flight: Flight, netns: Netns, bridge: string): Stage {
  const { target } = flight;
  const port = target && portTowards(flight.run.world, netns, bridge, target);
  if (!port?.up) return ended(dropped(flight, netns.id, "host-unreachable", `no port of ${bridge} leads there`));
  addStep(flight, { kind: "bridge", bridge, in: bridge, out: port.name, why: "down" });
  return { at: "transmit", netns: netns.id, dev: port.name, mac: "" };
}
