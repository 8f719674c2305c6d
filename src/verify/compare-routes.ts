/** `ip route`, `ip neigh` and `bridge fdb` against the prediction. Order, protocol and scope carry no meaning here; ARP's own entries none either. */
import { parseBridgeFdb } from "../dialects/bridge-fdb.ts";
import { parseIpNeigh } from "../dialects/ip-neigh.ts";
import { parseIpRoute, printRoute } from "../dialects/ip-route.ts";
import type { FdbEntry, Neighbour, Netns, Route } from "../linux/netns.ts";
import { type Family, familyOf, formatCidr, isDefaultCidr, isLinkLocal, isMulticast } from "../net/address.ts";
import type { Capture } from "./capture.ts";
import type { Compared, Difference, Foreign } from "./difference.ts";

/** A route as the walk and this comparison name it. */
export const routeKey = (route: Route): string => `route ${routeText(route)}`;
const routeText = ({ proto: _proto, scope: _scope, ...route }: Route): string =>
  printRoute(undefined, { ...route, proto: "boot" }).replace(/ pref medium$/, "");
export const neighbourKey = (ip: string, dev: string): string => `neighbour ${ip} ${dev}`;
export const fdbKey = ({ dev, mac }: Pick<FdbEntry, "dev" | "mac">): string => `fdb ${dev} ${mac}`;

type Numbered<T> = T & { readonly line: number };

/** Reads line by line, so that each entry knows its line. */
function numbered<T>(capture: Capture, read: (line: string) => readonly T[]): Numbered<T>[] {
  return capture.text.split("\n").flatMap((line, i) => read(line).map((entry) => ({ ...entry, line: i + 1 })));
}

export function compareRoutes(netns: Netns, capture: Capture): Compared {
  const family: Family = capture.format === "ip -6 route" ? 6 : 4;
  const unread: string[] = [];
  const read = numbered(capture, (line) => {
    const parsed = parseIpRoute(line, family);
    unread.push(...parsed.unread);
    return parsed.entries;
  });
  const real = read.filter(({ to }) => !isLinkLocal(to.ip) && !isMulticast(to.ip));
  const isDown = (dev: string | undefined): boolean => netns.links.some((link) => link.name === dev && !link.up);
  const predicted = netns.routes.filter(({ to, dev }) => familyOf(to.ip) === family && !isDown(dev));
  const known = new Set(netns.links.map(({ name }) => name));
  const lost = predicted.filter((route) => !real.some((other) => routeText(other) === routeText(route)));
  const gained = real.filter((route) => !predicted.some((other) => routeText(other) === routeText(route)));
  const twinOf = (route: Route): Numbered<Route> | undefined =>
    gained.find((other) => formatCidr(other.to) === formatCidr(route.to) && other.metric === route.metric);
  const foreign = gained.filter((route) => route.dev !== undefined && !known.has(route.dev));
  const twins = new Set(lost.flatMap((route) => twinOf(route) ?? []));
  const at = (route: Numbered<Route>) => ({ at: { file: capture.file, line: route.line } });
  return {
    differences: [
      ...lost.map((route): Difference => {
        const twin = twinOf(route);
        const base = { area: "route", where: capture.format, predicted: printRoute(netns, route), cause: route.cause } as const;
        return twin
          ? {
              ...base,
              kind: "changed",
              found: printRoute(netns, twin),
              likely: whyRoute(route),
              ...at(twin),
              keys: [routeKey(route), routeKey(twin)],
            }
          : { ...base, kind: "missing", likely: whyRoute(route), keys: [routeKey(route)] };
      }),
      ...gained
        .filter((route) => !twins.has(route) && !foreign.includes(route))
        .map(
          (route): Difference => ({
            area: "route",
            kind: "unexpected",
            where: capture.format,
            found: printRoute(netns, route),
            likely: "a route that neither the topology nor the CNI plugin gives: add it under nodes[].routes if it belongs there",
            ...at(route),
            keys: [routeKey(route)],
          }),
        ),
    ],
    foreign: foreignRoutes(foreign, capture),
    notes: unread.map((line) => `${capture.format}: not understood: ${line}`),
    captured: {
      ...netns,
      routes: [...netns.routes.filter(({ to }) => familyOf(to.ip) !== family), ...read.map((route) => withCause(route, predicted))],
    },
  };
}

/** A captured route that was predicted is the predicted one. */
const withCause = (route: Route, predicted: readonly Route[]): Route =>
  predicted.find((other) => routeText(other) === routeText(route)) ?? route;

const foreignRoutes = (routes: readonly Route[], { format }: Capture): Foreign[] =>
  routes.length === 0
    ? []
    : [
        {
          where: `${format} over ${[...new Set(routes.flatMap(({ dev }) => dev ?? []))].join(", ")}`,
          count: routes.length,
          notUnderstood: [],
          keys: routes.map(routeKey),
        },
      ];

function whyRoute(route: Route): string {
  if (route.assumed) return "this default route was assumed: state the node's own under nodes[].routes";
  if (route.dev?.startsWith("flannel"))
    return "is flanneld running on this node, and does it see the other node's lease? kubectl get node -o yaml";
  if (route.onlink || (route.via !== undefined && !isDefaultCidr(route.to)))
    return "the way to another node's pods, or a route of the topology: is the CNI plugin's daemon running on this node?";
  if (/^(cni|cbr)/.test(route.dev ?? "")) return "the bridge has no address: no pod was started on this node yet, or its CIDR is another";
  return "the node's own network set-up differs from the topology: nodes[].interfaces and nodes[].routes";
}

export function compareNeighbours(netns: Netns, capture: Capture): Compared {
  const real = numbered(capture, (line) => parseIpNeigh(line).entries);
  const differences = netns.neighbours.flatMap((entry): Difference[] => {
    const twin = real.find(({ ip, dev }) => ip === entry.ip && dev === entry.dev);
    if (twin?.mac === entry.mac) return [];
    return [entryDifference("neighbour", capture, entry, twin, neighbourText, [neighbourKey(entry.ip, entry.dev)])];
  });
  const extra = real.filter(
    ({ state, ip, dev }) => state === "PERMANENT" && !netns.neighbours.some((entry) => entry.ip === ip && entry.dev === dev),
  );
  return {
    differences: [
      ...differences,
      ...extra.map((entry) => extraEntry("neighbour", capture, neighbourText(entry), entry.line, [neighbourKey(entry.ip, entry.dev)])),
    ],
    foreign: [],
    notes: [],
    captured: {
      ...netns,
      neighbours: real.filter(({ state }) => state === "PERMANENT").map(({ ip, dev, mac, cause }) => ({ ip, dev, mac, cause })),
    },
  };
}
const neighbourText = ({ ip, dev, mac }: Neighbour): string => `${ip} dev ${dev} lladdr ${mac} PERMANENT`;

export function compareFdb(netns: Netns, capture: Capture): Compared {
  const real = numbered(capture, (line) => parseBridgeFdb(line).entries);
  const differences = netns.fdb.flatMap((entry): Difference[] => {
    const twin = real.find(({ mac, dev }) => mac === entry.mac && dev === entry.dev);
    if (twin?.dst === entry.dst) return [];
    const moved = twin ?? real.find(({ dst, dev }) => dst === entry.dst && dev === entry.dev);
    return [entryDifference("fdb", capture, entry, moved, fdbText, [fdbKey(entry), ...(moved ? [fdbKey(moved)] : [])])];
  });
  const extra = real.filter(
    ({ mac, dev, dst }) => !netns.fdb.some((entry) => entry.dev === dev && (entry.mac === mac || entry.dst === dst)),
  );
  return {
    differences: [...differences, ...extra.map((entry) => extraEntry("fdb", capture, fdbText(entry), entry.line, [fdbKey(entry)]))],
    foreign: [],
    notes: [],
    captured: { ...netns, fdb: real.map(({ mac, dev, dst, cause }) => ({ mac, dev, dst, cause })) },
  };
}
const fdbText = ({ mac, dev, dst }: FdbEntry): string => `${mac} dev ${dev} dst ${dst} self permanent`;

function entryDifference<T extends Neighbour | FdbEntry>(
  area: "neighbour" | "fdb",
  capture: Capture,
  entry: T,
  twin: Numbered<T> | undefined,
  textOf: (entry: T) => string,
  keys: readonly string[],
): Difference {
  const base = { area, where: capture.format, predicted: textOf(entry), cause: entry.cause, keys };
  return twin
    ? {
        ...base,
        kind: "changed",
        found: textOf(twin),
        at: { file: capture.file, line: twin.line },
        likely:
          "the other node's tunnel device has another MAC or address: pin it in the topology (interfaces: {name: flannel.1, mac}), or it was made anew and flanneld here has not noticed",
      }
    : {
        ...base,
        kind: "missing",
        likely: "packets to that node's pods find no way into the tunnel: is flanneld running here, and is the other node's lease there?",
      };
}

const extraEntry = (area: "neighbour" | "fdb", capture: Capture, found: string, line: number, keys: readonly string[]): Difference => ({
  area,
  kind: "unexpected",
  where: capture.format,
  found,
  likely: "a node that the topology does not have, or one that left and whose lease flanneld still holds",
  at: { file: capture.file, line },
  keys,
});
