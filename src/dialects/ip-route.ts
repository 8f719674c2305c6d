/**
 * `ip route` and `ip -6 route`: table main in the order in which the kernel dumps it (net/ipv4/fib_trie.c, net/ipv6/ip6_fib.c),
 * as iproute2 6.1 prints it (ip/iproute.c). Not modelled: reading multipath routes, route protocols of routing daemons, expiry.
 */
import type { Netns, Route, RouteType } from "../linux/netns.ts";
import {
  addressBits,
  anyCidr,
  type Cidr,
  cidrContains,
  type Family,
  familyOf,
  formatCidr,
  type Ip,
  ipToBigInt,
  isDefaultCidr,
  parseCidr,
  parseIp,
} from "../net/address.ts";
import { NO_CAUSE } from "../net/cause.ts";
import { printableWord } from "./printable.ts";
import { numberOf, type Parsed, parseLines, valueAfter, wordsOf } from "./words.ts";

export type IpRouteOptions = { readonly family?: Family; readonly dev?: string };

/** `ip route show`; with `dev` the device is not repeated, as in iproute2. */
export function printIpRoute(netns: Netns, options: IpRouteOptions = {}): string {
  const family = options.family ?? 4;
  return dumpOrder(shownRoutes(netns, family).filter((route) => options.dev === undefined || route.dev === options.dev))
    .map((route) => `${printRoute(netns, route, options.dev === undefined)}${family === 4 ? " " : ""}\n`)
    .join("");
}

/** A route as `ip route show` words it, without the line's end: "10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink". */
export function printRoute(netns: Netns | undefined, route: Route, withDevice = true): string {
  const v6 = familyOf(route.to.ip) === 6;
  const link = netns?.links.find((each) => each.name === route.dev);
  const words = [
    ...(route.type === "unicast" ? [] : [route.type]),
    destination(route.to),
    ...(route.via === undefined || route.nexthops ? [] : ["via", route.via]),
    ...(withDevice && route.dev !== undefined && !route.nexthops ? ["dev", printableWord(route.dev)] : []),
    ...(withDevice && route.dev === undefined && v6 ? ["dev", "lo"] : []), // the kernel hangs IPv6 reject routes on lo
    ...(route.proto === undefined || route.proto === "boot" ? [] : ["proto", route.proto]),
    ...(v6 || route.scope === undefined || route.scope === "global" ? [] : ["scope", route.scope]),
    ...(route.src === undefined ? [] : ["src", route.src]),
    ...(route.metric === 0 ? [] : ["metric", String(route.metric)]),
    ...(route.onlink ? ["onlink"] : []),
    ...(link && !link.carrier ? ["linkdown"] : []),
    ...(v6 ? ["pref", "medium"] : []),
  ];
  return [words.join(" "), ...(route.nexthops ?? []).map(nexthopText)].join(" \n");
}

const nexthopText = ({ via, dev }: { readonly via: Ip; readonly dev: string }): string =>
  `\tnexthop via ${via} dev ${printableWord(dev)} weight 1`;

/** A device that is down has had its routes withdrawn. */
const shownRoutes = (netns: Netns, family: Family): readonly Route[] =>
  netns.routes.filter(
    (route) =>
      familyOf(route.to.ip) === family && (route.dev === undefined || netns.links.find((link) => link.name === route.dev)?.up !== false),
  );

function destination(to: Cidr): string {
  if (isDefaultCidr(to)) return "default";
  return to.length === addressBits(familyOf(to.ip)) ? to.ip : formatCidr(to);
}

/** IPv4: by address, the longer prefix first. IPv6: a prefix after all that it covers. Then by metric. */
function dumpOrder(routes: readonly Route[]): readonly Route[] {
  return [...routes].sort((a, b) => (familyOf(a.to.ip) === 4 ? byAddress(a.to, b.to) : byContainment(a.to, b.to)) || a.metric - b.metric);
}

function byAddress(a: Cidr, b: Cidr): number {
  const difference = ipToBigInt(a.ip) - ipToBigInt(b.ip);
  return difference < 0n ? -1 : difference > 0n ? 1 : b.length - a.length;
}

function byContainment(a: Cidr, b: Cidr): number {
  if (a.length < b.length && cidrContains(a, b.ip)) return 1;
  if (b.length < a.length && cidrContains(b, a.ip)) return -1;
  return byAddress(a, b);
}

/** Reads what `ip route` printed; `family` is of a lone `default`. Causes are not known. */
export function parseIpRoute(text: string, family: Family = 4): Parsed<Route> {
  return parseLines(text, (line) => parseRoute(wordsOf(line), family));
}

const REJECTING: readonly string[] = ["blackhole", "unreachable", "prohibit"];

function parseRoute(words: readonly string[], family: Family): Route | undefined {
  const type = routeType(words[0]);
  const rest = type === undefined ? words : words.slice(1);
  const via = ipAfter(rest, "via");
  if (via === null) return undefined;
  const to = rest[0] === "default" ? anyCidr(via === undefined ? family : familyOf(via)) : parseCidr(rest[0] ?? "");
  if (!to) return undefined;
  const dev = type !== undefined && REJECTING.includes(type) ? undefined : valueAfter(rest, "dev");
  const src = ipAfter(rest, "src");
  const proto = valueAfter(rest, "proto");
  const scope = valueAfter(rest, "scope");
  return {
    type: type ?? "unicast",
    to,
    metric: numberOf(valueAfter(rest, "metric")) ?? 0,
    ...(via === undefined ? {} : { via }),
    ...(dev === undefined ? {} : { dev }),
    ...(src === undefined || src === null ? {} : { src }),
    ...(rest.includes("onlink") ? { onlink: true } : {}),
    proto: proto === "kernel" || proto === "static" ? proto : "boot",
    ...(scope === "link" || scope === "host" ? { scope } : {}),
    cause: NO_CAUSE,
  };
}

function routeType(word: string | undefined): RouteType | undefined {
  switch (word) {
    case "unicast":
    case "local":
    case "broadcast":
    case "blackhole":
    case "unreachable":
    case "prohibit":
      return word;
    default:
      return undefined;
  }
}

/** The address after a key; null when what stands there is none. */
function ipAfter(words: readonly string[], key: "via" | "src"): Ip | undefined | null {
  const word = valueAfter(words, key) === "inet6" ? words[words.indexOf(key) + 2] : valueAfter(words, key);
  return word === undefined ? undefined : (parseIp(word) ?? null);
}
