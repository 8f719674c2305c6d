/**
 * `ip route get ADDRESS [from ADDRESS]` as iproute2 6.1 prints the kernel's answer (ip/iproute.c; net/ipv4/route.c
 * inet_rtm_getroute, net/ipv6/route.c). Not modelled: iif, oif, mark, the hash that picks one of several next hops.
 */
import type { Netns, Route } from "../linux/netns.ts";
import { isBroadcastAddress, isLocalAddress, lookupRoute, refusalOfRoute, sourceFor } from "../linux/route.ts";
import type { RouteErrno } from "../linux/step.ts";
import { familyOf, type Ip, isMulticast } from "../net/address.ts";
import { printableWord } from "./printable.ts";

export type RouteAnswer =
  | { readonly kind: "route"; readonly text: string }
  | { readonly kind: "refused"; readonly text: string } // "RTNETLINK answers: …", exit status 2
  | { readonly kind: "not-modelled"; readonly text: string };

/** strerror() of what rtnetlink answers. */
const ERRNO_TEXT: Readonly<Partial<Record<RouteErrno, string>>> = {
  EINVAL: "Invalid argument",
  EACCES: "Permission denied",
  EHOSTUNREACH: "No route to host",
  ENETUNREACH: "Network is unreachable",
};

/** What the kernel answers to a sender of this stack. */
export function printIpRouteGet(netns: Netns, dst: Ip, from?: Ip): RouteAnswer {
  if (isMulticast(dst)) return { kind: "not-modelled", text: "multicast routes are not modelled" };
  if (from !== undefined && !isLocalAddress(netns, from)) return refused(familyOf(dst) === 4 ? "ENETUNREACH" : "EINVAL");
  const route = lookupRoute(netns, dst);
  if (route === undefined || (route.type !== "unicast" && route.type !== "local")) return refused(refusalOfRoute(route).errno);
  if (route.nexthops) return { kind: "not-modelled", text: "several next hops: the kernel's hash picks one" };
  const words = familyOf(dst) === 4 ? words4(netns, route, dst, from) : words6(netns, route, dst, from);
  return { kind: "route", text: words };
}

const refused = (errno: RouteErrno): RouteAnswer => ({ kind: "refused", text: `RTNETLINK answers: ${ERRNO_TEXT[errno] ?? errno}` });

/** Two lines: the route, and what the cache of old kept about it. */
function words4(netns: Netns, route: Route, dst: Ip, from: Ip | undefined): string {
  const isBroadcast = isBroadcastAddress(netns, dst);
  const type = isBroadcast ? ["broadcast"] : route.type === "local" ? ["local"] : [];
  const flags = isBroadcast ? "<local,brd> " : route.type === "local" ? "<local> " : "";
  return `${[...type, dst, ...wayOf(netns, route, dst, from), "uid", "0"].join(" ")} \n    cache ${flags}\n`;
}

function words6(netns: Netns, route: Route, dst: Ip, from: Ip | undefined): string {
  const isLocal = route.type === "local";
  const way = wayOf(netns, route, dst, undefined);
  const at = way.indexOf("src");
  const proto = isLocal ? ["table", "local", "proto", "kernel"] : route.proto === "kernel" ? ["proto", "kernel"] : [];
  const words = [...(isLocal ? ["local"] : []), dst, "from", from ?? "::", ...way.slice(0, at), ...proto, ...way.slice(at)];
  return `${words.join(" ")} metric ${route.metric} pref medium\n`;
}

/** `from` stands for the source that the kernel would else have picked. */
function wayOf(netns: Netns, route: Route, dst: Ip, from: Ip | undefined): string[] {
  const device = route.type === "local" ? "lo" : route.dev;
  const source = sourceFor(netns, route, dst);
  return [
    ...(from === undefined ? [] : ["from", from]),
    ...(route.via === undefined || isBroadcastAddress(netns, dst) ? [] : ["via", route.via]), // broadcasts are for the link
    ...(device === undefined ? [] : ["dev", printableWord(device)]),
    ...(from !== undefined || source === undefined ? [] : ["src", source]),
  ];
}
