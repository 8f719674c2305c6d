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
  (ip: string, ranges: readonly string[] | undefined) =>
  (service: ServiceDraft): ServiceDraft => ({
    name: service.name,
    spec: { ...service.spec, type: "LoadBalancer", ...(ranges ? { loadBalancerSourceRanges: ranges } : {}) },
    status: { loadBalancer: { ingress: [{ ip }] } },
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
      .tuple(serviceArb, fc.constantFrom(undefined, ["192.168.56.0/24"], ["10.0.2.0/24", "10.244.0.0/16"], ["198.51.100.0/24"]))
      .map(([i, ranges]) => changeService(i, balanced(`203.0.113.2${i}`, ranges))),
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
];
