/**
 * The kernels of all network stacks, as one packet meets them: `sendPacket` hands a packet to the stack that makes it and
 * follows it until it ends. Each stage answers the next (stage.ts), as the kernel's own path does.
 */
import { isLoopback } from "../net/address.ts";
import type { Packet } from "../net/packet.ts";
import { bridgeInput } from "./bridge.ts";
import { addStep, createFlight, type Flight, hopsOf, openHop } from "./flight.ts";
import { forward, ipInput, receiveFrame } from "./input.ts";
import { localIn } from "./local.ts";
import type { Netns, NetnsId, Route } from "./netns.ts";
import { ipOutput, localOut, transmit } from "./output.ts";
import { deviceSetting, linkOf, lookupRoute, nexthopDevice, refusalOfRoute, sourceFor } from "./route.ts";
import type { Run } from "./run.ts";
import type { Stage } from "./stage.ts";
import type { End, Journey } from "./step.ts";

/** More stages than any course whose TTL runs out needs; a loop that no TTL ends is a bug. */
const MAX_STAGES = 5000;

/** The source address a socket of this netns gets towards `dst`: what connect() does before the first packet. */
export function connectSource(netns: Netns, dst: string): { readonly route: Route; readonly src: string } | undefined {
  const route = lookupRoute(netns, dst);
  if (!route || (route.type !== "unicast" && route.type !== "local")) return undefined;
  const src = sourceFor(netns, route, dst);
  return src === undefined ? undefined : { route, src };
}

/**
 * Sends a packet from a netns and follows it to its end. `origin`: a process, whose errors it is told, or the kernel
 * itself (RST, ICMP error), which keeps quiet when there is no way.
 */
export function sendPacket(run: Run, from: NetnsId, packet: Packet, origin: "process" | "kernel"): Journey {
  const flight = createFlight(run, packet);
  flight.tracked = run.attached.get(packet);
  openHop(flight, from, undefined);
  addStep(flight, { kind: "send", packet, origin });
  const netns = run.world.netns(from);
  if (!netns) return { hops: hopsOf(flight), end: { kind: "unknown", netns: from, packet, text: `there is no network stack ${from}` } };
  const route = lookupRoute(netns, packet.dst);
  const end =
    route && (route.type === "unicast" || route.type === "local") && mayLeave(netns, packet, route)
      ? follow(flight, { at: "local-out", netns: from, route })
      : noRoute(netns, packet, route, origin);
  return { hops: hopsOf(flight), end };
}

/** __mkroute_output: a socket bound to 127/8 cannot send by another device. One bound to ::1 can: who receives it refuses it. */
function mayLeave(netns: Netns, packet: Packet, route: Route): boolean {
  const out = nexthopDevice(route);
  return (
    packet.family === 6 || out === "lo" || out === undefined || !isLoopback(packet.src) || deviceSetting(netns, out, "route_localnet") > 0
  );
}

/** The errno of connect() and send() without a way: by the kind of route (fib_props), ENETUNREACH without one. */
function noRoute(netns: Netns, packet: Packet, route: Route | undefined, origin: "process" | "kernel"): End {
  if (origin === "kernel") return { kind: "dropped", netns: netns.id, packet, reason: "no-route", text: `no route back to ${packet.dst}` };
  return { kind: "errno", netns: netns.id, ...refusalOfRoute(route) };
}

function follow(flight: Flight, first: Stage): End {
  let stage = first;
  for (let count = 0; stage.at !== "end"; count++) {
    const netns = flight.run.world.netns(stage.netns);
    if (!netns || count > MAX_STAGES)
      return {
        kind: "unknown",
        netns: stage.netns,
        packet: flight.packet,
        text: netns ? "the packet goes round without end" : `there is no network stack ${stage.netns}`,
      };
    stage = next(flight, netns, stage);
  }
  return stage.end;
}

function next(flight: Flight, netns: Netns, stage: Exclude<Stage, { at: "end" }>): Stage {
  switch (stage.at) {
    case "receive":
      return receive(flight, netns, stage.dev);
    case "ip-input":
      return ipInput(flight, netns, stage.dev);
    case "forward":
      return forward(flight, netns, stage.dev, stage.route);
    case "local-in":
      return localIn(flight, netns, stage.dev);
    case "local-out":
      return localOut(flight, netns, stage.route);
    case "ip-output":
      return ipOutput(flight, netns, stage.route);
    case "transmit":
      return transmit(flight, netns, stage.dev, stage.mac);
    default:
      return stage satisfies never;
  }
}

function receive(flight: Flight, netns: Netns, dev: string): Stage {
  if (flight.hops.at(-1)?.netns !== netns.id || !flight.looped) openHop(flight, netns.id, dev);
  const link = linkOf(netns, dev);
  if (!link?.up)
    return {
      at: "end",
      end: { kind: "dropped", netns: netns.id, packet: flight.packet, reason: "host-unreachable", text: `${dev} is down` },
    };
  return link.master === undefined ? receiveFrame(flight, netns, dev) : bridgeInput(flight, netns, link);
}
