/**
 * Which next hop of a multipath route a forwarded flow takes: a hash over addresses and ports, so all packets of one flow
 * take the same (fib_multipath_hash_policy 1; net/ipv4/fib_semantics.c fib_select_path). The hash is seeded at boot, so a new
 * flow is split evenly. Not modelled: weights, and a choice for packets of the machine itself (they take the first).
 */
import { fraction } from "../net/fraction.ts";
import type { Packet } from "../net/packet.ts";
import { addStep, type Flight } from "./flight.ts";
import type { Netns, Route } from "./netns.ts";

/** The route with the next hop of this packet's flow. */
export function selectPath(flight: Flight, netns: Netns, route: Route): Route {
  const { nexthops } = route;
  if (nexthops === undefined || nexthops.length < 2) return route;
  const { run, packet } = flight;
  const key = `${netns.id} ${flowOf(packet)}`;
  const known = run.multipath.get(key);
  const taken = known ?? run.choose(nexthops.map(() => fraction(1, nexthops.length)));
  run.multipath.set(key, taken);
  const nexthop = nexthops[taken];
  if (!nexthop) return route;
  if (known === undefined)
    addStep(flight, { kind: "note", text: `the flow goes to ${nexthop.via}, one of ${nexthops.length} next hops, by a hash of it` });
  const { nexthops: _, ...single } = route;
  return { ...single, ...nexthop };
}

const flowOf = ({ protocol, src, sport, dst, dport }: Packet): string => `${protocol} ${src} ${sport} ${dst} ${dport}`;
