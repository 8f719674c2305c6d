/**
 * Random flows through a cluster that is already decided: who asks, whom, how. A sketch is numbers only, so that it shrinks
 * and means something in every cluster. To add a way of asking: a line in TARGETS.
 */
import fc from "fast-check";
import type { ClusterPod, ClusterService } from "../../../src/cluster/cluster.ts";
import type { Session } from "../../../src/ktrace.ts";
import type { Flow } from "../../../src/lab/observe.ts";
import { netnsOfCluster } from "../../../src/lab/of-cluster.ts";
import { type Predicted, predictFlow } from "../../../src/lab/predict.ts";
import type { NetnsId } from "../../../src/linux/netns.ts";
import { familyOf, nthAddress, parseIp } from "../../../src/net/address.ts";
import { icmpOf, type Protocol } from "../../../src/net/packet.ts";
import { inIpv6 } from "./families.ts";
import { pick } from "./machine-arms.ts";

export type FlowSketch = {
  readonly from: number;
  readonly target: number;
  readonly which: number;
  readonly port: number;
  readonly ping: boolean;
  readonly ttl: number | undefined;
  readonly bind: number | undefined;
};

const rarely = <T>(arbitrary: fc.Arbitrary<T>, often: number): fc.Arbitrary<T | undefined> =>
  fc.oneof({ arbitrary: fc.constant(undefined), weight: often - 1 }, { arbitrary, weight: 1 });

export const flowSketch: fc.Arbitrary<FlowSketch> = fc.record({
  from: fc.nat(59),
  target: fc.nat(99),
  which: fc.nat(59),
  port: fc.nat(59),
  ping: fc.integer({ min: 0, max: 11 }).map((n) => n === 11),
  ttl: rarely(fc.integer({ min: 1, max: 4 }), 8),
  bind: rarely(fc.nat(9), 14),
});

type Target = { readonly protocol: Protocol; readonly dst: string; readonly dport: number };
type Aim = (session: Session, from: NetnsId, which: number, port: number) => Target | undefined;

const transport = (protocol: string): Protocol => (protocol === "UDP" ? "udp" : "tcp");
/** The addresses that the arms know as IPv4, as this cluster speaks: either way where it has both families. */
function spoken({ cluster }: Session, texts: readonly string[]): string[] {
  const families = new Set([...cluster.podCIDRs, ...cluster.serviceCIDRs].map(({ ip }) => familyOf(ip)));
  return [...(families.has(4) ? texts : []), ...(families.has(6) ? [...new Set(texts.map(inIpv6))] : [])];
}
const livingPods = ({ cluster }: Session): ClusterPod[] => cluster.pods.filter(({ hostNetwork, ips }) => !hostNetwork && ips.length > 0);
const clusterIp = ({ clusterIPs }: ClusterService, which: number): string | undefined =>
  pick(
    clusterIPs.filter((ip) => ip !== "None"),
    Math.floor(which / 5),
  );
const addressesOf = (session: Session, id: NetnsId): string[] =>
  session.world.netns(id)?.links.flatMap((link) => (link.type.kind === "loopback" ? [] : link.addresses.map(({ cidr }) => cidr.ip))) ?? [];

const toPod: Aim = (session, _, which, port) => {
  const pod = pick(livingPods(session), which);
  const listen = pick(pod?.listens ?? [], port);
  const dst = pick(pod?.ips ?? [], Math.floor(which / 5));
  return dst === undefined ? undefined : { dst, protocol: transport(listen?.protocol ?? "TCP"), dport: listen?.port ?? 8080 };
};

const toService =
  (addressOf: (service: ClusterService, which: number) => string | undefined): Aim =>
  ({ cluster }, _, which, port) => {
    const services = cluster.services.filter((each) => addressOf(each, which) !== undefined);
    const service = pick(services, which);
    const dst = service && addressOf(service, which);
    const asked = pick(service?.ports ?? [], port);
    return dst === undefined || !asked ? undefined : { dst, protocol: transport(asked.protocol), dport: asked.port };
  };

const outsideAddress = ({ externalIPs, loadBalancerIngress }: ClusterService, which: number): string | undefined =>
  pick([...externalIPs, ...loadBalancerIngress.flatMap(({ ip }) => (ip === undefined ? [] : [ip]))], which);

const nodePorts = ({ cluster }: Session): { readonly protocol: Protocol; readonly dport: number }[] =>
  cluster.services.flatMap(({ ports, healthCheckNodePort }) => [
    ...ports.flatMap(({ nodePort, protocol }) => (nodePort === undefined ? [] : [{ protocol: transport(protocol), dport: nodePort }])),
    ...(healthCheckNodePort === undefined ? [] : [{ protocol: "tcp" as const, dport: healthCheckNodePort }]),
  ]);

const toNodePort: Aim = (session, _, which, port) => {
  const node = pick(session.cluster.nodes, which);
  const dst = node && pick(addressesOf(session, `node/${node.name}`), Math.floor(which / 3));
  const asked = pick(nodePorts(session), port);
  return dst === undefined || !asked ? undefined : { dst, ...asked };
};

const PORTS: readonly { readonly protocol: Protocol; readonly dport: number }[] = [
  { protocol: "tcp", dport: 22 },
  { protocol: "tcp", dport: 8080 },
  { protocol: "tcp", dport: 7777 },
  { protocol: "tcp", dport: 7778 },
  { protocol: "udp", dport: 5353 },
  { protocol: "tcp", dport: 10250 },
  { protocol: "udp", dport: 9 },
  { protocol: "tcp", dport: 80 },
  { protocol: "udp", dport: 53 },
  { protocol: "tcp", dport: 30999 },
];
const anyPort = (port: number) => PORTS[port % PORTS.length] ?? { protocol: "tcp" as const, dport: 80 };

const toNode: Aim = (session, _, which, port) => {
  const node = pick(session.cluster.nodes, which);
  const dst = node && pick(addressesOf(session, `node/${node.name}`), Math.floor(which / 3));
  return dst === undefined ? undefined : { dst, ...anyPort(port) };
};

const toLoopback: Aim = (session, _, which, port) => ({
  dst: pick(spoken(session, ["127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.2"]), which) ?? "127.0.0.1",
  ...(pick(nodePorts(session), port) ?? anyPort(port)),
  ...(which % 5 === 4 ? anyPort(port) : {}),
});

const toHost: Aim = (session, _, which, port) => {
  const host = pick(session.cluster.hosts, which);
  const dst = host && pick(addressesOf(session, `host/${host.name}`), Math.floor(which / 3));
  return dst === undefined ? undefined : { dst, ...anyPort(port) };
};

/** Addresses that nobody has, and that no Service has. */
const toNobody: Aim = (session, _, which, port) => {
  const { nodes, serviceCIDRs } = session.cluster;
  const dst = pick(
    [
      ...(pick(nodes, which)?.podCIDRs ?? []).flatMap((pods) => [
        nthAddress(pods, 99n),
        ...(familyOf(pods.ip) === 4 ? [nthAddress(pods, 0n)] : []),
      ]),
      ...serviceCIDRs.map((services) => nthAddress(services, 9999n % 4096n)),
      ...spoken(session, ["10.0.2.250", "192.168.56.250", "203.0.113.50", "203.0.113.99"]),
    ],
    which,
  );
  return dst === undefined ? undefined : { dst, ...anyPort(port) };
};

const toItself: Aim = (session, from, which, port) => {
  const dst = pick(addressesOf(session, from), which);
  return dst === undefined ? undefined : { dst, ...(pick(nodePorts(session), port) ?? anyPort(port)) };
};

/** A pod asks a Service that it is an endpoint of. */
const toOwnService: Aim = (session, from, which, port) => {
  const own = new Set(addressesOf(session, from));
  const names = session.cluster.slices.filter(({ endpoints }) => endpoints.some(({ addresses }) => addresses.some((ip) => own.has(ip))));
  const service = session.cluster.services.find(({ name }) => name === pick(names, which)?.service);
  const asked = pick(service?.ports ?? [], port);
  const dst = service && clusterIp(service, which);
  return dst === undefined || !asked ? undefined : { dst, protocol: transport(asked.protocol), dport: asked.port };
};

const wrongPort =
  (aim: Aim): Aim =>
  (session, from, which, port) => {
    const target = aim(session, from, which, port);
    return target && { ...target, dport: target.dport + 1 };
  };

/** Ways of asking, and how many of a hundred flows take each. */
export const TARGETS: readonly { readonly name: string; readonly share: number; readonly aim: Aim }[] = [
  { name: "pod", share: 13, aim: toPod },
  { name: "a Service of one's own", share: 5, aim: toOwnService },
  { name: "ClusterIP", share: 19, aim: toService(clusterIp) },
  { name: "NodePort", share: 20, aim: toNodePort },
  { name: "external or load balancer address", share: 12, aim: toService(outsideAddress) },
  { name: "node", share: 7, aim: toNode },
  { name: "loopback", share: 5, aim: toLoopback },
  { name: "host", share: 5, aim: toHost },
  { name: "oneself", share: 3, aim: toItself },
  { name: "closed port of a pod", share: 2, aim: wrongPort(toPod) },
  { name: "ClusterIP, a port it does not have", share: 3, aim: wrongPort(toService(clusterIp)) },
  { name: "address of nobody", share: 5, aim: toNobody },
  {
    name: "the internet",
    share: 1,
    aim: (session, _, which, port) => ({ dst: pick(spoken(session, ["198.51.100.7"]), which) ?? "198.51.100.7", ...anyPort(port) }),
  },
];

const aimOf = (n: number): Aim => {
  let left = n % TARGETS.reduce((sum, { share }) => sum + share, 0);
  for (const { share, aim } of TARGETS) {
    if (left < share) return aim;
    left -= share;
  }
  return toPod;
};

/** Pods and the first host ask most. */
const askersOf = (session: Session): NetnsId[] =>
  netnsOfCluster(session.cluster).flatMap((id) => Array.from({ length: id.startsWith("host/") && id !== "host/client" ? 1 : 3 }, () => id));

/** The sketch in this cluster; undefined when it has nobody to ask or to be asked. */
function flowOf(session: Session, sketch: FlowSketch): Flow | undefined {
  const from = pick(askersOf(session), sketch.from);
  if (from === undefined) return undefined;
  const target = aimOf(sketch.target)(session, from, sketch.which, sketch.port) ?? toNode(session, from, sketch.which, sketch.port);
  if (!target || parseIp(target.dst) === undefined) return undefined;
  const family = familyOf(target.dst);
  const own = addressesOf(session, from).filter((ip) => familyOf(ip) === family);
  // From ::1 only to ::1: of other destinations see docs/deviations.md, ipv6-loopback-source.
  const sources = [...own, ...(family === 4 ? ["127.0.0.1"] : target.dst === "::1" ? ["::1"] : [])];
  const src = sketch.bind === undefined ? undefined : pick(sources, sketch.bind);
  return {
    from,
    ...target,
    ...(sketch.ping ? { protocol: icmpOf(family), dport: 0 } : {}),
    ...(sketch.ttl === undefined ? {} : { ttl: sketch.ttl }),
    ...(src === undefined ? {} : { src }),
  };
}

/** A router tells a sender of at most five packets in a row that it has no way for them (ip_error, net.ipv4.route.error_burst). */
const MOST_ROUTE_ERRORS = 3;

/** The sketches as flows that can be observed together: of those that touch one list of session affinity only the first. */
export function flowsOf(session: Session, sketches: readonly FlowSketch[]): { readonly flow: Flow; readonly place: number }[] {
  const lists = new Set<string>();
  const errors = new Map<string, number>();
  return sketches.flatMap((sketch, place) => {
    const flow = flowOf(session, sketch);
    if (!flow) return [];
    const courses = predictFlow(session.world, flow, 19999);
    const own = listsOf(courses);
    if (own.some((list) => lists.has(list))) return [];
    const told = [...new Set(courses.flatMap(routeErrorOf))];
    if (told.some((pair) => (errors.get(pair) ?? 0) >= MOST_ROUTE_ERRORS)) return [];
    for (const pair of told) errors.set(pair, (errors.get(pair) ?? 0) + 1);
    for (const list of own) lists.add(list);
    return [{ flow, place }];
  });
}

/** Who tells whom that a route leads nowhere. */
const routeErrorOf = ({ connection: { end } }: Predicted): string[] =>
  end.kind === "answered" && end.because === undefined && end.delaySeconds === undefined && end.answer.segment.kind === "icmp-error"
    ? [`${end.netns} ${end.answer.dst}`]
    : [];

/** Lists of xt_recent that the flow's courses touch: they outlive it. */
const listsOf = (courses: readonly Predicted[]): string[] =>
  courses.flatMap(({ rules }) =>
    rules.flatMap(({ netns, rule }) => rule.matches.flatMap((match) => (match.kind === "recent" ? [`${netns} ${match.name}`] : []))),
  );
