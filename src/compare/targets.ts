/**
 * What can be asked in a cluster, by names that stay when addresses change: every port of every Service at each of its
 * entrances, every Ingress route, every workload's pods.
 */
import type { Cluster, ClusterNode, ClusterPod, ClusterService, ClusterServicePort, Machine } from "../cluster/cluster.ts";
import { cidrContains, familyOf, type Ip } from "../net/address.ts";
import type { Protocol } from "../net/packet.ts";
import type { ObjectRef } from "../objects/api.ts";
import type { Asked } from "./ask.ts";
import { endpointPods, isRunning, podName, workloadName } from "./who.ts";

export type TargetKind = "service" | "node-port" | "load-balancer" | "external-ip" | "ingress" | "pod";
export type Target = {
  readonly id: string; // "svc/default/web:80", "http://www.test.com/"
  readonly kind: TargetKind;
  readonly object: ObjectRef;
  /** Asked from inside the cluster, from outside it, or both. */
  readonly from: "inside" | "outside" | "both";
  /** The question's address part, for who asks: an outside host may need another address of a node than a pod does. */
  readonly at: (asker: Machine | undefined) => Omit<Asked, "from"> | undefined;
  /** Pods behind it, by `namespace/name`: a node that runs one, and such a pod itself, may fare otherwise. */
  readonly behind: ReadonlySet<string>;
  /** Source ranges that make a difference. */
  readonly service?: ClusterService;
};

/** All targets, in the order of Services, Ingresses and workloads. */
export function targetsOf(cluster: Cluster): readonly Target[] {
  const services = cluster.services.flatMap((service) => serviceTargets(cluster, service));
  const all = [...services, ...ingressTargets(cluster), ...podTargets(cluster)];
  return [...new Map(all.map((target) => [target.id, target])).values()]; // a path that stands twice is asked once
}

const transportOf = { TCP: "tcp", UDP: "udp", SCTP: "sctp" } as const;
const suffix = (protocol: Protocol): string => (protocol === "tcp" ? "" : `/${protocol}`);

function serviceTargets(cluster: Cluster, service: ClusterService): Target[] {
  const behind = endpointPods(cluster, service);
  const object: ObjectRef = { kind: "Service", namespace: service.namespace, name: service.name };
  const base = { object, behind, service };
  const ports = service.ports.length > 0 ? service.ports : namedOnly(service);
  return ports.flatMap((port): Target[] => {
    const protocol = transportOf[port.protocol];
    const id = `svc/${service.namespace}/${service.name}:${port.port}${suffix(protocol)}`;
    const fixed = (host: string) => () => ({ host, port: port.port, protocol });
    const [first] = service.clusterIPs.filter((ip) => ip !== "None");
    const name = `${service.name}.${service.namespace}.svc.${cluster.clusterDomain}`;
    const inside: Target = { ...base, id, kind: "service", from: "inside", at: fixed(first ?? name) };
    const external = service.externalIPs.map(
      (ip): Target => ({ ...base, id: `${id} externalIP ${ip}`, kind: "external-ip", from: "both", at: fixed(ip) }),
    );
    const balanced = service.loadBalancerIngress.flatMap(({ ip }): Target[] =>
      ip === undefined ? [] : [{ ...base, id: `${id} loadBalancer`, kind: "load-balancer", from: "both", at: fixed(ip) }],
    );
    return [inside, ...nodePortTargets(cluster, base, id, port), ...balanced, ...external];
  });
}

/** An ExternalName or a headless Service without ports still has a name: port 80 stands for any. */
const namedOnly = ({ type, clusterIPs }: ClusterService): readonly ClusterServicePort[] =>
  type === "ExternalName" || clusterIPs.includes("None") ? [{ index: 0, name: "", protocol: "TCP", port: 80, targetPort: 80 }] : [];

/** More nodes than this are represented: one that runs a pod of the Service, and one that does not. */
const MOST_NODES = 6;

function nodePortTargets(
  cluster: Cluster,
  base: Pick<Target, "object" | "behind" | "service">,
  id: string,
  port: ClusterServicePort,
): Target[] {
  const { nodePort } = port;
  if (nodePort === undefined) return [];
  const hosting = new Set(cluster.pods.filter((pod) => base.behind.has(podName(pod))).map((pod) => pod.node));
  const picked =
    cluster.nodes.length <= MOST_NODES
      ? cluster.nodes
      : [cluster.nodes.find(({ name }) => hosting.has(name)), cluster.nodes.find(({ name }) => !hosting.has(name))].flatMap(
          (node) => node ?? [],
        );
  return picked.map((node) => ({
    ...base,
    id: `${id} nodePort at ${node.name}`,
    kind: "node-port",
    from: "outside",
    at: () => ({ host: node.name, port: nodePort, protocol: transportOf[port.protocol] }),
  }));
}

function ingressTargets(cluster: Cluster): Target[] {
  return cluster.ingresses.flatMap((ingress) => {
    const namespace = ingress.metadata.namespace ?? "default";
    const object: ObjectRef = { kind: "Ingress", namespace, name: ingress.metadata.name };
    const isSecured = (host: string): boolean => (ingress.spec?.tls ?? []).some(({ hosts = [] }) => hosts.includes(host));
    const rules = ingress.spec?.rules ?? [];
    const routes = rules.flatMap(({ host = "", http }) => (http?.paths ?? []).map(({ path = "/" }) => ({ host, path })));
    const known = ingress.spec?.defaultBackend ? [...routes, { host: "", path: "/" }] : routes;
    return known.flatMap(({ host, path }): Target[] => {
      const name = host.replace(/^\*/, "any");
      const scheme: "http" | "https" = isSecured(host) ? "https" : "http";
      const port = scheme === "https" ? 443 : 80;
      const at: Target["at"] = (asker) => {
        const ip = entranceFor(cluster, ingress.status?.loadBalancer?.ingress?.flatMap((each) => each.ip ?? []) ?? [], asker);
        if (ip === undefined) return undefined;
        const knows = asker?.hostsFile.some((entry) => entry.name === name) ?? false;
        const plain = {
          host: name === "" ? ip : name,
          port,
          protocol: "tcp" as const,
          path: path === "" ? "/" : path,
          scheme,
        };
        return name === "" || knows ? plain : { ...plain, resolve: ip };
      };
      return [{ id: `${scheme}://${host === "" ? "*" : host}${path}`, kind: "ingress", object, from: "outside", at, behind: new Set() }];
    });
  });
}

/** The address that an asker uses for an Ingress: the one of its status on a machine that both share a network with, else that. */
function entranceFor(cluster: Cluster, status: readonly Ip[], asker: Machine | undefined): Ip | undefined {
  const [first] = status;
  const node = cluster.nodes.find((each) => addressesOf(each).includes(first ?? ""));
  return node ? addressFor(asker, node) : first;
}

const addressesOf = (machine: Machine): Ip[] => machine.interfaces.flatMap((each) => each.addresses.map(({ ip }) => ip));

/** The node's address on a network of the asker, else its internal one. */
function addressFor(asker: Machine | undefined, node: ClusterNode): Ip | undefined {
  const mine = (asker?.interfaces ?? []).flatMap((each) => each.addresses);
  return addressesOf(node).find((ip) => mine.some((cidr) => cidrContains(cidr, ip))) ?? node.internalIPs[0];
}

/** A workload's pods by each port that they listen on, one pod of each node. */
function podTargets(cluster: Cluster): Target[] {
  const seen = new Set<string>();
  return cluster.pods.flatMap((pod) =>
    pod.listens.flatMap(({ port, protocol }): Target[] => {
      const id = `${workloadName(pod)}:${port}${suffix(transportOf[protocol])} on ${pod.node}`;
      if (!isRunning(pod) || pod.hostNetwork || seen.has(id)) return [];
      seen.add(id);
      return [podTarget(pod, id, port, transportOf[protocol])];
    }),
  );
}

const podTarget = (pod: ClusterPod, id: string, port: number, protocol: Protocol): Target => ({
  id,
  kind: "pod",
  object: { kind: "Pod", namespace: pod.namespace, name: pod.name },
  from: "inside",
  at: () => ({ host: pod.ips.find((ip) => familyOf(ip) === 4) ?? pod.ips[0] ?? "", port, protocol }),
  behind: new Set([podName(pod)]),
});
