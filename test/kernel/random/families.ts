/**
 * IPv6 and dual-stack clusters. Arms speak IPv4 only; here their clusters are told again in fd00::/96, address by address, so
 * that every arm has both families without knowing it. The administrator's own rules stay IPv4: the topology has no others.
 */
import type { Draft, ServiceDraft } from "./draft.ts";

/** The families of a cluster, the first one first. */
export type Families = "4" | "6" | "46" | "64";

/** 10.0.2.11/24 → fd00::a00:20b/120, wherever it stands in a text; the loopback is ::1. */
export const inIpv6 = (text: string): string =>
  text.replace(/\b(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?/g, (whole, ...parts: readonly string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    if (a === 127) return whole.includes("/") ? "::1/128" : "::1";
    const length = parts[4] === undefined ? "" : `/${96 + Number(parts[4])}`;
    return `fd00::${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}${length}`;
  });

const retold = <T>(value: T): T => JSON.parse(inIpv6(JSON.stringify(value)));

/** The cluster in these families. */
export function inFamilies(draft: Draft, families: Families): Draft {
  const switched = forwardingToo(draft);
  if (families === "4") return draft;
  if (families === "6") return { ...retold({ ...switched, rules: [] }), families };
  const [first, second] = families === "46" ? [switched, retold(switched)] : [retold(switched), switched];
  return { ...both(first, second, families === "46" ? "IPv6" : "IPv4"), rules: switched.rules, families };
}

/** What ip_forward is to one family, conf.all.forwarding is to the other. */
function forwardingToo(draft: Draft): Draft {
  const told = <T extends { readonly sysctls?: Readonly<Record<string, string | number>> }>(machine: T): T => {
    const forward = machine.sysctls?.["net.ipv4.ip_forward"];
    return forward === undefined ? machine : { ...machine, sysctls: { ...machine.sysctls, "net.ipv6.conf.all.forwarding": forward } };
  };
  return { ...draft, nodes: draft.nodes.map(told), hosts: draft.hosts.map(told) };
}

/** Two tellings of one cluster as one with two families. */
function both(first: Draft, second: Draft, other: "IPv4" | "IPv6"): Draft {
  const join = <T>(a: readonly T[] = [], b: readonly T[] = []): T[] => [...a, ...b.filter((each) => !a.some((one) => same(one, each)))];
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const machine = <T extends Draft["hosts"][number]>(one: T, other: T | undefined): T => ({
    ...one,
    interfaces: (one.interfaces ?? []).map((nic, i) => ({ ...nic, addresses: join(nic.addresses, other?.interfaces?.[i]?.addresses) })),
    routes: join(one.routes, other?.routes),
  });
  return {
    ...first,
    kubernetes: {
      ...first.kubernetes,
      podCIDRs: join(first.kubernetes.podCIDRs, second.kubernetes.podCIDRs),
      serviceCIDRs: join(first.kubernetes.serviceCIDRs, second.kubernetes.serviceCIDRs),
    },
    kubeProxy: { ...first.kubeProxy, ...joined(first.kubeProxy, second.kubeProxy, join) },
    nodes: first.nodes.map((node, i) => ({
      ...machine(node, second.nodes[i]),
      podCIDRs: join(node.podCIDRs, second.nodes[i]?.podCIDRs),
    })),
    hosts: first.hosts.map((host, i) => machine(host, second.hosts[i])),
    services: first.services.map((service, i) => dualService(service, second.services[i], i % 3 === 2 ? other : undefined)),
    slices: [...first.slices, ...second.slices],
  };
}

/** clusterCIDR holds one prefix of each family. */
const joined = (
  first: Draft["kubeProxy"],
  second: Draft["kubeProxy"],
  join: (a?: readonly string[], b?: readonly string[]) => string[],
): Partial<Draft["kubeProxy"]> => ({
  ...(first.clusterCIDR === undefined ? {} : { clusterCIDR: `${first.clusterCIDR},${second.clusterCIDR}` }),
  ...(first.nodePortAddresses === undefined ? {} : { nodePortAddresses: join(first.nodePortAddresses, second.nodePortAddresses) }),
});

/** `single`: the one family that a Service has all the same. */
function dualService(first: ServiceDraft, second: ServiceDraft | undefined, single: "IPv4" | "IPv6" | undefined): ServiceDraft {
  const lists = ["externalIPs", "loadBalancerSourceRanges"].flatMap((key) => {
    const [a, b] = [first.spec[key], second?.spec[key]];
    return Array.isArray(a) && Array.isArray(b) ? [[key, [...a, ...b]] as const] : [];
  });
  const ingress = [...(first.status?.loadBalancer.ingress ?? []), ...(second?.status?.loadBalancer.ingress ?? [])];
  return {
    ...first,
    spec: {
      ...first.spec,
      ...Object.fromEntries(lists),
      ...(single === undefined ? { ipFamilyPolicy: "RequireDualStack" } : { ipFamilyPolicy: "SingleStack", ipFamilies: [single] }),
    },
    ...(ingress.length > 0 ? { status: { loadBalancer: { ingress } } } : {}),
  };
}
