/** Arms of the machines: networks, routes, the CNI plugin, kernel settings, who runs and who does not. */
import fc from "fast-check";
import type { TopologyHost, TopologyNode, TopologyRoute } from "../../../src/objects/topology.ts";
import type { Arm } from "./cluster.ts";
import type { Change, Draft } from "./draft.ts";

/** The `i`-th of a list, round and round. */
export const pick = <T>(list: readonly T[], i: number): T | undefined => list[i % Math.max(1, list.length)];

export const changeNode =
  (i: number, change: (node: TopologyNode) => TopologyNode): Change =>
  (draft) => ({ ...draft, nodes: draft.nodes.map((node, k) => (k === i % draft.nodes.length ? change(node) : node)) });

export const changeHost =
  (i: number, change: (host: TopologyHost) => TopologyHost): Change =>
  (draft) => ({ ...draft, hosts: draft.hosts.map((host, k) => (k === i % draft.hosts.length ? change(host) : host)) });

/** `ip route add` refuses a second route of the same prefix and metric, a connected one included. */
const withRoutes =
  (...routes: readonly TopologyRoute[]) =>
  <T extends TopologyNode | TopologyHost>(machine: T): T => {
    const connected = (machine.interfaces ?? []).flatMap(
      ({ addresses }) => addresses?.map((each) => each.replace(/\.\d+\/24$/, ".0/24 0")) ?? [],
    );
    const stated = new Set([...connected, ...(machine.routes ?? []).map(({ to, metric }) => `${to} ${metric ?? 0}`)]);
    return { ...machine, routes: [...(machine.routes ?? []), ...routes.filter(({ to, metric }) => !stated.has(`${to} ${metric ?? 0}`))] };
  };

const withSysctls =
  (sysctls: Readonly<Record<string, number>>) =>
  <T extends TopologyNode | TopologyHost>(machine: T): T => ({ ...machine, sysctls: { ...machine.sysctls, ...sysctls } });

export const nodeArb = fc.nat(2);

/** An address of a node on the network that the first host is on. */
const routerFor = (draft: Draft, host: TopologyHost, i: number): string | undefined => {
  const prefix = host.interfaces?.[0]?.addresses?.[0]?.split(".").slice(0, 3).join(".");
  const nics = pick(draft.nodes, i)?.interfaces?.flatMap(({ addresses }) => addresses ?? []) ?? [];
  return nics.find((address) => prefix !== undefined && address.startsWith(`${prefix}.`))?.split("/")[0];
};

/** The host sends cluster addresses to one of the nodes. */
const routedHost =
  (h: number, i: number, prefixes: readonly string[]): Change =>
  (draft) =>
    changeHost(h, (host) => {
      const via = routerFor(draft, host, i);
      return via === undefined ? host : withRoutes(...prefixes.map((to) => ({ to, via })))(host);
    })(draft);

const SOME_ROUTES: readonly TopologyRoute[] = [
  { to: "198.51.100.0/24", type: "blackhole" },
  { to: "198.51.100.0/24", type: "unreachable" },
  { to: "198.51.100.0/24", type: "prohibit" },
  { to: "10.244.2.0/25", type: "blackhole" },
  { to: "10.244.1.0/26", type: "unreachable" },
  { to: "203.0.113.0/24", type: "prohibit" },
  { to: "10.96.0.0/13", type: "blackhole" },
];

const backends: readonly Change[] = [
  (draft) => ({ ...draft, cni: { plugin: "flannel", backend: "host-gw" } }),
  (draft) => ({ ...draft, cni: { plugin: "flannel", backend: "vxlan", DirectRouting: true } }),
  (draft) => ({ ...draft, cni: { plugin: "flannel", backend: "vxlan", iface: "eth1" } }),
  // The bridge plugin joins no nodes: routes do.
  (draft) => ({
    ...draft,
    cni: { plugin: "bridge", ipMasq: true, hairpinMode: true },
    nodes: draft.nodes.map((node) =>
      withRoutes(
        ...draft.nodes.filter((each) => each !== node).map((each) => ({ to: each.podCIDRs?.[0] ?? "", via: each.internalIP ?? "" })),
      )(node),
    ),
  }),
  (draft) => ({ ...draft, cni: { plugin: "bridge", ipMasq: false, hairpinMode: false, bridge: "br-pods" } }),
  (draft) => ({ ...draft, cni: { plugin: "none" } }),
];

const settings: readonly Readonly<Record<string, number>>[] = [
  { "net.ipv4.ip_forward": 0 },
  { "net.bridge.bridge-nf-call-iptables": 0 },
  { "net.ipv4.conf.all.rp_filter": 1, "net.ipv4.conf.default.rp_filter": 1 },
  { "net.ipv4.conf.all.rp_filter": 2, "net.ipv4.conf.default.rp_filter": 2 },
  { "net.ipv4.conf.all.route_localnet": 0 },
  { "net.ipv4.conf.all.accept_local": 1 },
  { "net.ipv4.ip_default_ttl": 5 },
];

const host = (name: string, addresses: readonly (readonly [string, string])[]): TopologyHost => ({
  name,
  interfaces: addresses.map(([nic, address]) => ({ name: nic, addresses: [address] })),
  routes: [],
  listens: [{ port: 80, protocol: "TCP" }],
});

const addHost =
  (each: TopologyHost): Change =>
  (draft) => ({ ...draft, hosts: [...draft.hosts, each] });

const changePod =
  (i: number, change: (pod: Draft["pods"][number]) => Draft["pods"][number]): Change =>
  (draft) => ({ ...draft, pods: draft.pods.map((pod, k) => (k === i % draft.pods.length ? change(pod) : pod)) });

/** A pin of one pod beside its place. */
const pinPod =
  (i: number, pin: object): Change =>
  (draft) => {
    const pod = pick(
      draft.pods.filter(({ hostNetwork }) => !hostNetwork),
      i,
    );
    if (!pod || draft.pins.some(({ name }) => name === `default/${pod.name}`)) return draft;
    return { ...draft, pins: [...draft.pins, { name: `default/${pod.name}`, node: pod.node, ...pin }] };
  };

const POD_PREFIXES = ["10.244.0.0/16"];
const SERVICE_PREFIXES = ["10.96.0.0/12", "203.0.113.0/24"];

export const MACHINE_ARMS: readonly Arm[] = [
  { name: "cni plugin and backend", often: 3, change: fc.constantFrom(...backends) },
  { name: "hairpin off", often: 8, change: fc.constant((draft) => ({ ...draft, cni: { ...draft.cni, hairpinMode: false } })) },
  {
    name: "pod and service CIDRs",
    often: 6,
    change: fc.constant((draft) => ({
      ...draft,
      kubernetes: { podCIDRs: ["172.20.0.0/16"], serviceCIDRs: ["172.30.0.0/20"] },
      nodes: draft.nodes.map((node, i) => ({ ...node, podCIDRs: [`172.20.${4 * i}.0/22`] })),
    })),
  },
  {
    name: "a host on the nodes' own network",
    often: 3,
    change: fc.constant(addHost(host("near", [["eth0", "10.0.2.77/24"]]))),
  },
  {
    name: "a router between both networks",
    often: 5,
    change: fc.boolean().map((forwards): Change => {
      const router = host("router", [
        ["eth0", "10.0.2.254/24"],
        ["eth1", "192.168.56.254/24"],
      ]);
      const on = withSysctls({ "net.ipv4.ip_forward": 1 });
      return (draft) =>
        [
          addHost(forwards ? on(router) : router),
          changeHost(0, withRoutes({ to: "10.0.2.0/24", via: "192.168.56.254" })),
          changeNode(0, withRoutes({ to: "192.168.56.0/24", via: "10.0.2.254", metric: 100 })),
        ].reduce((each, change) => change(each), draft);
    }),
  },
  {
    name: "a host with a second address",
    often: 8,
    change: fc.constant(
      addHost(
        host("spoofer", [
          ["lo", "192.168.56.50/32"],
          ["eth0", "10.0.2.78/24"],
        ]),
      ),
    ),
  },
  {
    name: "the nodes' own network by a route through a node",
    often: 4,
    change: nodeArb.map((i) => routedHost(0, i, ["10.0.2.0/24"])),
  },
  {
    name: "pods by a route through a node",
    often: 2,
    change: fc.tuple(nodeArb, nodeArb).map(([h, i]) => routedHost(h, i, POD_PREFIXES)),
  },
  {
    name: "Services by a route through a node",
    often: 2,
    change: fc.tuple(nodeArb, nodeArb).map(([h, i]) => routedHost(h, i, SERVICE_PREFIXES)),
  },
  {
    name: "a default route to an unlisted gateway",
    often: 8,
    change: nodeArb.map((i) => changeNode(i, withRoutes({ to: "default", via: "10.0.2.3" }))),
  },
  {
    name: "a default route to another machine",
    often: 4,
    change: fc
      .tuple(nodeArb, fc.constantFrom("10.0.2.11", "10.0.2.12", "10.0.2.77", "10.0.2.254"))
      .map(([i, via]) => changeNode(i, (node) => (node.internalIP === via ? node : withRoutes({ to: "default", via })(node)))),
  },
  {
    name: "blackhole, unreachable and prohibit routes",
    often: 4,
    change: fc.tuple(nodeArb, fc.constantFrom(...SOME_ROUTES)).map(([i, route]) => changeNode(i, withRoutes(route))),
  },
  {
    name: "host routes and preferred sources",
    often: 8,
    change: fc.tuple(nodeArb, fc.nat(254), fc.boolean()).map(
      ([i, last, preferred]): Change =>
        (draft) => {
          const via = pick(draft.nodes, i + 1)?.internalIP;
          if (via === undefined || draft.nodes.length < 2) return draft;
          return changeNode(i, (node) =>
            withRoutes({ to: `203.0.113.${last}/32`, via, ...(preferred ? { src: node.internalIP ?? via } : {}) })(node),
          )(draft);
        },
    ),
  },
  {
    name: "kernel settings of a node",
    often: 2,
    change: fc.tuple(nodeArb, fc.constantFrom(...settings)).map(([i, sysctls]) => changeNode(i, withSysctls(sysctls))),
  },
  {
    name: "kernel settings of all nodes",
    often: 6,
    change: fc
      .constantFrom(...settings)
      .map((sysctls) => (draft) => ({ ...draft, nodes: draft.nodes.map((node) => withSysctls(sysctls)(node)) })),
  },
  {
    name: "a node that is off",
    often: 8,
    change: nodeArb.map((i) =>
      changeNode(i, (node) => ({ ...node, interfaces: (node.interfaces ?? []).map((each) => ({ ...each, state: "down" as const })) })),
    ),
  },
  {
    name: "a NIC that is down",
    often: 12,
    change: nodeArb.map((i) =>
      changeNode(i, (node) => ({
        ...node,
        interfaces: (node.interfaces ?? []).map((each) => (each.name === "eth1" ? { ...each, state: "down" as const } : each)),
      })),
    ),
  },
  {
    name: "hostNetwork pods",
    often: 3,
    change: nodeArb.map((i) => changePod(i, (pod) => ({ ...pod, hostNetwork: true }))),
  },
  { name: "dead pods", often: 4, change: nodeArb.map((i) => pinPod(i, { dead: true })) },
  {
    name: "processes that listen elsewhere",
    often: 4,
    change: nodeArb.map((i) => pinPod(i, { listens: [{ port: 7000, protocol: "TCP" }] })),
  },
  {
    name: "processes of nodes",
    often: 6,
    change: nodeArb.map((i) => changeNode(i, (node) => ({ ...node, listens: [{ port: 8080, protocol: "TCP" }] }))),
  },
  { name: "the legacy iptables", often: 6, change: fc.constant((draft) => ({ ...draft, backend: "legacy" as const })) },
];
