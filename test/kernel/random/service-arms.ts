/** Arms of Services: types, ports, policies, endpoints of every kind, and their usual mistakes. */
import fc from "fast-check";
import type { Arm } from "./cluster.ts";
import type { Change, Draft, ServiceDraft, ServicePortDraft } from "./draft.ts";
import { pick } from "./machine-arms.ts";

const WEB: ServicePortDraft = { name: "web", port: 80, protocol: "TCP", targetPort: 8080 };
const NAMED: ServicePortDraft = { name: "web", port: 80, protocol: "TCP", targetPort: "web" };
const DNS: ServicePortDraft = { name: "dns", port: 53, protocol: "UDP", targetPort: 5353 };
const ALT: ServicePortDraft = { name: "alt", port: 9090, protocol: "TCP", targetPort: 9090 };

type Sketch = { readonly app: string; readonly ports: readonly ServicePortDraft[]; readonly type: ServiceDraft["spec"]["type"] };
const sketch: fc.Arbitrary<Sketch> = fc.record({
  app: fc.constantFrom("a", "b"),
  ports: fc.constantFrom([WEB], [NAMED], [DNS], [WEB, DNS], [NAMED, ALT]),
  type: fc.constantFrom("ClusterIP", "NodePort", "NodePort", "LoadBalancer"),
});

/** Services s1, s2…, with the node ports that ktrace allocates. */
const addServices = (sketches: readonly Sketch[]): Change => {
  const services = sketches.map(
    ({ app, ports, type }, i): ServiceDraft => ({ name: `s${i + 1}`, spec: { type, selector: { app }, ports } }),
  );
  return (draft) => ({ ...draft, services: [...draft.services, ...services] });
};

const serviceArb = fc.nat(3);
const changeService =
  (i: number, change: (service: ServiceDraft) => ServiceDraft): Change =>
  (draft) => ({ ...draft, services: draft.services.map((each, k) => (k === i % draft.services.length ? change(each) : each)) });

const withSpec =
  (spec: Readonly<Record<string, unknown>>) =>
  (service: ServiceDraft): ServiceDraft => ({ ...service, spec: { ...service.spec, ...spec } });

/** externalTrafficPolicy stands only where traffic from outside comes in. */
const localOutside = (service: ServiceDraft): ServiceDraft =>
  service.spec.type === "ClusterIP" ? service : withSpec({ externalTrafficPolicy: "Local" })(service);

const balanced =
  (ip: string, ranges: readonly string[] | undefined, ipMode: "VIP" | "Proxy" | undefined) =>
  (service: ServiceDraft): ServiceDraft => ({
    name: service.name,
    spec: { ...service.spec, type: "LoadBalancer", ...(ranges ? { loadBalancerSourceRanges: ranges } : {}) },
    status: { loadBalancer: { ingress: [{ ip, ...(ipMode ? { ipMode } : {}) }] } },
  });

/** Addresses that endpoints outside the cluster's pods have: hosts, nodes, nobody. */
const strangers = (draft: Draft): string[] => [
  ...draft.hosts.flatMap(
    (host) => host.interfaces?.flatMap(({ addresses }) => addresses?.map((each) => each.split("/")[0] ?? "") ?? []) ?? [],
  ),
  ...draft.nodes.flatMap(({ internalIP }) => internalIP ?? []),
  "10.0.2.250",
  "198.51.100.7",
  `${draft.nodes[0]?.podCIDRs?.[0]?.split(".").slice(0, 3).join(".")}.99`,
];

/** Addresses of nobody (RFC 2544), 510 in each half. */
const manyAddresses = (half: number): string[] =>
  [0, 1].flatMap((k) => Array.from({ length: 255 }, (_, i) => `198.18.${2 * half + k}.${i}`));

export const SERVICE_ARMS: readonly Arm[] = [
  { name: "Services", often: 1, change: fc.array(sketch, { minLength: 1, maxLength: 4 }).map(addServices) },
  {
    name: "external IPs",
    often: 3,
    change: fc
      .tuple(serviceArb, fc.constantFrom("203.0.113.10", "203.0.113.11", "192.168.56.200", "10.0.2.200"))
      .map(([i, ip]) => changeService(i, withSpec({ externalIPs: [ip] }))),
  },
  {
    name: "load balancer addresses",
    often: 3,
    change: fc
      .tuple(
        serviceArb,
        fc.constantFrom(undefined, ["192.168.56.0/24"], ["10.0.2.0/24", "10.244.0.0/16"], ["198.51.100.0/24"]),
        fc.constantFrom(undefined, undefined, "VIP" as const, "Proxy" as const),
      )
      .map(([i, ranges, ipMode]) => changeService(i, balanced(`203.0.113.2${i}`, ranges, ipMode))),
  },
  { name: "externalTrafficPolicy Local", often: 2, change: serviceArb.map((i) => changeService(i, localOutside)) },
  {
    name: "internalTrafficPolicy Local",
    often: 4,
    change: serviceArb.map((i) => changeService(i, withSpec({ internalTrafficPolicy: "Local" }))),
  },
  {
    name: "session affinity",
    often: 4,
    change: serviceArb.map((i) => changeService(i, withSpec({ sessionAffinity: "ClientIP" }))),
  },
  {
    name: "endpoints written by hand",
    often: 2,
    change: fc.tuple(fc.array(fc.nat(20), { minLength: 0, maxLength: 2 }), fc.constantFrom("TCP", "UDP"), fc.boolean()).map(
      ([who, protocol, isNodePort]): Change =>
        (draft) => {
          const port = protocol === "TCP" ? 80 : 53;
          const addresses = [...new Set(who.flatMap((i) => pick(strangers(draft), i) ?? []))];
          const spec: ServiceDraft["spec"] = {
            type: isNodePort ? "NodePort" : "ClusterIP",
            ports: [{ name: "", port, protocol: protocol === "TCP" ? "TCP" : "UDP", targetPort: port }],
          };
          return {
            ...draft,
            services: [...draft.services, { name: "manual", spec }],
            slices: [...draft.slices, { service: "manual", addresses, port, protocol }],
          };
        },
    ),
  },
  {
    name: "a selector that selects nobody",
    often: 4,
    change: serviceArb.map((i) => changeService(i, withSpec({ selector: { app: "nobody" } }))),
  },
  {
    name: "a wrong targetPort",
    often: 5,
    change: fc.tuple(serviceArb, fc.constantFrom<number | string>(8081, "wbe")).map(([i, targetPort]) =>
      changeService(i, (service) => ({
        ...service,
        spec: { ...service.spec, ports: service.spec.ports.map((port) => ({ ...port, targetPort })) },
      })),
    ),
  },
  {
    name: "pods that are not ready",
    often: 6,
    change: serviceArb.map(
      (i): Change =>
        (draft) => ({
          ...draft,
          pods: draft.pods.map((pod, k) => (k === i % draft.pods.length ? { ...pod, ready: false } : pod)),
        }),
    ),
  },
  {
    name: "endpoints that terminate",
    often: 6,
    change: fc.tuple(serviceArb, fc.boolean()).map(
      ([i, all]): Change =>
        (draft) => ({
          ...draft,
          pods: draft.pods.map((pod, k) =>
            (all ? pod.app === draft.pods[i % draft.pods.length]?.app : k === i % draft.pods.length) ? { ...pod, terminating: true } : pod,
          ),
        }),
    ),
  },
  {
    name: "publishNotReadyAddresses",
    often: 10,
    change: serviceArb.map((i) => changeService(i, withSpec({ publishNotReadyAddresses: true }))),
  },
  {
    name: "zones and trafficDistribution",
    often: 8,
    change: fc.tuple(serviceArb, fc.constantFrom("PreferClose", "PreferSameZone", "PreferSameNode")).map(
      ([i, trafficDistribution]): Change =>
        (draft) =>
          changeService(
            i,
            withSpec({ trafficDistribution }),
          )({
            ...draft,
            nodes: draft.nodes.map((node, k) => ({
              ...node,
              labels: { ...node.labels, "topology.kubernetes.io/zone": k === 0 ? "a" : "b" },
            })),
          }),
    ),
  },
  {
    name: "node ports below the usual range",
    often: 6,
    change: fc.tuple(serviceArb, fc.constantFrom(443, 8080, 8081)).map(
      ([i, nodePort]): Change =>
        (draft) =>
          changeService(i, ({ spec, ...service }) => ({
            ...service,
            spec: {
              ...spec,
              type: spec.type === "ClusterIP" ? "NodePort" : spec.type,
              ports: spec.ports.map((port, k) => (k === 0 ? { ...port, nodePort } : port)),
            },
          }))({ ...draft, kubernetes: { ...draft.kubernetes, nodePortRange: "443-32767" } }),
    ),
  },
  {
    name: "balanced addresses without node ports",
    often: 10,
    change: serviceArb.map((i) =>
      changeService(i, (service) =>
        balanced(`203.0.113.3${i}`, undefined, undefined)(withSpec({ allocateLoadBalancerNodePorts: false })(service)),
      ),
    ),
  },
  {
    name: "more than 1000 endpoints",
    often: 40,
    change: fc.constant((draft) => ({
      ...draft,
      services: [
        ...draft.services,
        { name: "many", spec: { type: "ClusterIP", ports: [{ name: "", port: 9999, protocol: "TCP", targetPort: 9999 }] } },
      ],
      slices: [
        ...draft.slices,
        ...[0, 1].map((half) => ({ service: "many", name: `half${half}`, addresses: manyAddresses(half), port: 9999, protocol: "TCP" })),
      ],
    })),
  },
];
