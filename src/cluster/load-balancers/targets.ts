/**
 * Where balancers send: to nodes, as the service controller lists them (staging/cloud-provider/controllers/service), or to
 * pods. One that checks health asks healthCheckNodePort under externalTrafficPolicy Local, else kube-proxy's own port 10256
 * (KEP-3836). Not modelled: subsets of large clusters, weights, draining.
 */
import { type Cidr, cidrContains, familyOf, type Ip, parseIp } from "../../net/address.ts";
import type { BalancerFront, ClusterNode, ClusterService, ClusterSlice, Machine, Origin, OutsideHost } from "../cluster.ts";
import type { Notes } from "../notes.ts";
import type { BalancerDraft } from "./balancers.ts";

/** What targets are looked for in. */
export type Surroundings = {
  readonly nodes: readonly ClusterNode[];
  readonly hosts: readonly OutsideHost[];
  readonly services: readonly ClusterService[];
  readonly slices: readonly ClusterSlice[];
};

type Target = BalancerFront["targets"][number];
type Chosen = { readonly targets: readonly Target[]; readonly leftOut: string };

/** Every address and port that the balancer takes connections or packets on. */
export function frontsOf(draft: BalancerDraft, machine: Machine, around: Surroundings, notes: Notes): BalancerFront[] {
  return draft.address === undefined ? servedFronts(draft, machine, around) : listedFronts(draft, draft.address, machine, around, notes);
}

/** A balancer that stands alone: its listens, its targets. */
function listedFronts(draft: BalancerDraft, ip: Ip, machine: Machine, around: Surroundings, notes: Notes): BalancerFront[] {
  const targets = draft.targets.flatMap((text, i) => {
    const found = addressNamed(text, ip, machine, around);
    if (found === undefined)
      notes.report({
        code: "topology-invalid-value",
        message: `Topology: load balancer ${draft.name}: target "${text}" is no node, host or address that it can reach`,
        ...(draft.origin ? { source: draft.origin.source, field: [...draft.origin.field, "targets", i] } : {}),
      });
    return found === undefined ? [] : [{ name: text, ip: found }];
  });
  return draft.listens.map(({ port, to = port, protocol = "TCP" }, i) => ({
    ip,
    port,
    protocol,
    targets: targets.map((target) => ({ ...target, port: to })),
    leftOut: "",
    ...(draft.origin ? { origin: inside(draft.origin, "listens", i) } : {}),
  }));
}

const inside = (origin: Origin, ...path: readonly (string | number)[]): Origin => ({ ...origin, field: [...origin.field, ...path] });

function addressNamed(text: string, like: Ip, machine: Machine, { nodes, hosts }: Surroundings): Ip | undefined {
  const ip = parseIp(text);
  if (ip !== undefined) return ip;
  const node = nodes.find(({ name, aliases }) => name === text || aliases.includes(text));
  if (node) return addressOn(node, machine, familyOf(like));
  const host = hosts.find(({ name, aliases }) => name === text || aliases.includes(text));
  return host && addressOn(host, machine, familyOf(like));
}

/** The machine's first address on a network that the balancer is attached to, else its internal or first one. */
export function addressOn(target: ClusterNode | OutsideHost, balancer: Machine, family: 4 | 6): Ip | undefined {
  const networks = balancer.interfaces.flatMap((each) => each.addresses).filter((cidr) => cidr.length < 31 || family === 6);
  const mine = target.interfaces.flatMap((each) => (each.up ? each.addresses : [])).filter((cidr) => familyOf(cidr.ip) === family);
  const near = mine.find(({ ip }) => networks.some((network) => isShared(network, ip)));
  if (near) return near.ip;
  const internal = target.kind === "node" ? target.internalIPs.find((ip) => familyOf(ip) === family) : undefined;
  return internal ?? mine[0]?.ip;
}

const isShared = (network: Cidr, ip: Ip): boolean => familyOf(network.ip) === familyOf(ip) && cidrContains(network, ip);

/** A balancer with a pool: every port of every Service whose address lies in it. */
function servedFronts(draft: BalancerDraft, machine: Machine, around: Surroundings): BalancerFront[] {
  return around.services.flatMap((service) =>
    service.loadBalancerIngress.flatMap(({ ip }): BalancerFront[] => {
      if (ip === undefined || !draft.pool.some((cidr) => isShared(cidr, ip))) return [];
      return service.ports.map((port) => ({
        ip,
        port: port.port,
        protocol: port.protocol,
        ...targetsFor(draft, machine, around, service, port, familyOf(ip)),
        service: { namespace: service.namespace, name: service.name },
        ...(service.origin ? { origin: inside(service.origin, "spec", "ports", port.index) } : {}),
      }));
    }),
  );
}

function targetsFor(
  draft: BalancerDraft,
  machine: Machine,
  around: Surroundings,
  service: ClusterService,
  port: ClusterService["ports"][number],
  family: 4 | 6,
): Chosen {
  if (draft.forward === "pod") return podTargets(around.slices, service, port, family);
  const { nodes, leftOut } = nodesFor(draft, around, service);
  if (draft.forward === "nodePort" || draft.isProxy) {
    const { nodePort } = port;
    if (nodePort === undefined)
      return { targets: [], leftOut: `port ${port.port} has no node port: allocateLoadBalancerNodePorts is false` };
    return { targets: towards(nodes, machine, family, nodePort), leftOut };
  }
  return { targets: towards(nodes, machine, family, port.port), leftOut };
}

const towards = (nodes: readonly ClusterNode[], machine: Machine, family: 4 | 6, port: number): Target[] =>
  nodes.flatMap((node) => {
    const ip = addressOn(node, machine, family);
    return ip === undefined ? [] : [{ ip, port, name: node.name }];
  });

/** Nodes labelled so are no targets; the cluster autoscaler's taint and a node that is not ready fail the health check. */
const EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers";
const DRAINING = "ToBeDeletedByClusterAutoscaler";

function nodesFor(draft: BalancerDraft, { nodes, slices }: Surroundings, service: ClusterService) {
  const listed = nodes.filter((node) => !Object.hasOwn(node.labels, EXCLUDED));
  const local = service.externalTrafficPolicy === "Local" ? nodesWithEndpoints(slices, service) : undefined;
  const healthy = draft.healthCheck ? listed.filter((node) => (local ? local.has(node.name) : isAlive(node))) : listed;
  const failing = listed.filter((node) => !healthy.includes(node)).map(({ name }) => name);
  const said = failing.slice(0, 5).join(", ") + (failing.length > 5 ? ` and ${failing.length - 5} more` : "");
  const why = local ? "no local ready endpoint: healthCheckNodePort answers 503" : "kube-proxy's health check does not answer 200";
  return { nodes: healthy, leftOut: failing.length === 0 ? "" : `${said} left out: ${why}` };
}

const isAlive = (node: ClusterNode): boolean => node.ready && !node.taints.some((taint) => taint.key === DRAINING);

/** The nodes whose healthCheckNodePort answers 200 (pkg/proxy/healthcheck): those with a ready endpoint. */
function nodesWithEndpoints(slices: readonly ClusterSlice[], service: ClusterService): ReadonlySet<string> {
  const own = slices.filter((slice) => slice.namespace === service.namespace && slice.service === service.name);
  return new Set(
    own.flatMap(({ endpoints }) => endpoints.flatMap(({ ready, nodeName }) => (ready && nodeName !== undefined ? [nodeName] : []))),
  );
}

function podTargets(
  slices: readonly ClusterSlice[],
  service: ClusterService,
  port: ClusterService["ports"][number],
  family: 4 | 6,
): Chosen {
  const found = new Map<string, Target>();
  for (const slice of slices) {
    if (slice.namespace !== service.namespace || slice.service !== service.name) continue;
    const slicePort = slice.ports.find(({ name, protocol }) => name === port.name && protocol === port.protocol);
    if (!slicePort) continue;
    for (const { addresses, ready, pod } of slice.endpoints) {
      const [ip] = addresses;
      if (!ready || ip === undefined || familyOf(ip) !== family) continue;
      found.set(`${ip} ${slicePort.port}`, { ip, port: slicePort.port, name: pod?.name ?? ip });
    }
  }
  const targets = [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, target]) => target);
  return { targets, leftOut: targets.length === 0 ? `Service ${service.namespace}/${service.name} has no ready endpoint` : "" };
}
