/**
 * Random clusters: a small base, and a list of arms, one for each capability that exists. An arm is drawn once in `often`
 * clusters. To add a capability to the test: a line in ARMS (and in flows.ts, when it can be asked in a new way).
 */
import fc from "fast-check";
import type { TopologyHost, TopologyNode, TopologyRoute } from "../../../src/objects/topology.ts";
import type { Change, Draft, PodDraft } from "./draft.ts";
import { inFamilies } from "./families.ts";
import { MACHINE_ARMS } from "./machine-arms.ts";
import { PROXY_ARMS } from "./proxy-arms.ts";
import { RULE_ARMS } from "./rule-arms.ts";
import { SERVICE_ARMS } from "./service-arms.ts";

/** One capability. `often` 1: in every cluster. */
export type Arm = { readonly name: string; readonly often: number; readonly change: fc.Arbitrary<Change> };

export const ARMS: readonly Arm[] = [...MACHINE_ARMS, ...PROXY_ARMS, ...SERVICE_ARMS, ...RULE_ARMS];

/** A cluster, and the names of the arms that made it. Shrinks towards fewer arms, nodes, pods. */
export const randomDraft: fc.Arbitrary<{ readonly draft: Draft; readonly arms: readonly string[] }> = fc
  .tuple(
    fc.record({
      nodes: fc.integer({ min: 1, max: 3 }),
      gateway: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
      routed: fc.nat(3), // the client's router to the cluster: a node; 3: none
      twoNics: fc.boolean(),
      swapped: fc.boolean(),
      pods: fc.array(podArbitrary(), { minLength: 1, maxLength: 5 }),
    }),
    fc.tuple(...ARMS.map(drawn)),
  )
  .map(([base, changes]) => ({
    draft: spoken(changes.reduce((draft, change) => change?.(draft) ?? draft, baseOf(base))),
    arms: ARMS.flatMap(({ name }, i) => (changes[i] ? [name] : [])),
  }));

/** Arms think in IPv4; what is sent speaks the cluster's own families. */
const spoken = (draft: Draft): Draft => inFamilies(draft, draft.families);

function drawn({ often, change }: Arm): fc.Arbitrary<Change | undefined> {
  if (often === 1) return change;
  return fc.oneof({ withCrossShrink: true }, { arbitrary: fc.constant(undefined), weight: often - 1 }, { arbitrary: change, weight: 1 });
}

export type PodSketch = { readonly app: string; readonly node: number; readonly shape: number };

function podArbitrary(): fc.Arbitrary<PodSketch> {
  return fc.record({ app: fc.constantFrom("a", "b"), node: fc.nat(2), shape: fc.nat(2) });
}

/** What pods of the base declare, and so listen on. */
const SHAPES: readonly PodDraft["ports"][] = [
  [{ name: "web", containerPort: 8080, protocol: "TCP" }],
  [
    { name: "web", containerPort: 8080, protocol: "TCP" },
    { name: "dns", containerPort: 5353, protocol: "UDP" },
  ],
  [
    { name: "dns", containerPort: 5353, protocol: "UDP" },
    { name: "web", containerPort: 9090, protocol: "TCP" },
  ],
];

export type Base = {
  readonly nodes: number;
  readonly gateway: boolean;
  readonly routed: number;
  readonly twoNics: boolean;
  readonly swapped: boolean;
  readonly pods: readonly PodSketch[];
};

/** Nodes on 10.0.2.0/24 and, with two NICs, on 192.168.56.0/24, a client beside them, pods where they fall. */
export function baseOf({ nodes, gateway, routed, twoNics, swapped, pods }: Base): Draft {
  const router = routed === 3 ? undefined : `${twoNics ? "192.168.56.10" : "10.0.2.1"}${(routed % nodes) + 1}`;
  const count = Array.from({ length: nodes }, (_, i) => i);
  return {
    kubernetes: { podCIDRs: ["10.244.0.0/16"], serviceCIDRs: ["10.96.0.0/12"] },
    kubeProxy: { mode: "iptables" },
    cni: { plugin: "flannel", backend: "vxlan" },
    nodes: count.map((i): TopologyNode => {
      const nics = [
        { name: "eth0", addresses: [`10.0.2.${11 + i}/24`] },
        ...(twoNics ? [{ name: "eth1", addresses: [`192.168.56.${101 + i}/24`] }] : []),
      ];
      return {
        name: `n${i + 1}`,
        aliases: [`node-${i + 1}`],
        interfaces: swapped ? nics.reverse() : nics,
        internalIP: `10.0.2.${11 + i}`,
        routes: gateway ? [{ to: "default", via: "10.0.2.2" }] : [],
        podCIDRs: [`10.244.${i + 1}.0/24`],
        listens: [{ port: 22, protocol: "TCP" }],
      };
    }),
    // The gateway is a listed machine that forwards nothing: what goes out is seen to end there.
    hosts: [
      hostOf("client", twoNics ? "192.168.56.1/24" : "10.0.2.201/24", router === undefined ? [] : clusterRoutes(router)),
      ...(gateway ? [hostOf("gateway", "10.0.2.2/24")] : []),
    ],
    pods: pods.map(({ app, node, shape }, i) => ({
      name: `p${i + 1}`,
      app,
      node: `n${(node % nodes) + 1}`,
      hostNetwork: false,
      ports: SHAPES[shape] ?? [],
      ready: true,
    })),
    pins: [],
    services: [],
    slices: [],
    rules: [],
    backend: "nft",
    families: "4",
  };
}

/** To Services, pods and balanced addresses through a node. */
const clusterRoutes = (via: string): TopologyRoute[] => ["10.96.0.0/12", "10.244.0.0/16", "203.0.113.0/24"].map((to) => ({ to, via }));

const hostOf = (name: string, address: string, routes: readonly TopologyRoute[] = []): TopologyHost => ({
  name,
  interfaces: [{ name: "eth0", addresses: [address] }],
  routes,
  listens: [
    { port: 80, protocol: "TCP" },
    { port: 53, protocol: "UDP" },
  ],
});
