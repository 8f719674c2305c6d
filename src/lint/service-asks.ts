/** How rules knock at a Service: at its cluster address from a node or a pod, or by its name where it has none. */
import type { Cluster, ClusterPod, ClusterService, ClusterServicePort, ClusterSlice } from "../cluster/cluster.ts";
import type { Ip } from "../net/address.ts";
import type { Protocol } from "../net/packet.ts";
import type { ApiProtocol } from "../objects/api.ts";
import type { Path } from "../trace/trace.ts";
import { type Answer, ask, podSource, question } from "./ask.ts";
import type { Subject } from "./subject.ts";

const PROTOCOLS: Readonly<Record<ApiProtocol, Protocol>> = { TCP: "tcp", UDP: "udp", SCTP: "sctp" };
export const wireProtocol = (protocol: ApiProtocol): Protocol => PROTOCOLS[protocol];

/** The first cluster address; undefined for a headless Service and an ExternalName. */
export const clusterIpOf = ({ clusterIPs }: ClusterService): Ip | undefined => clusterIPs.find((ip) => ip !== "None");

/** One packet to the Service. Undefined when the cluster has nobody to send it. */
export function askService(subject: Subject, service: ClusterService, port: ClusterServicePort, from?: string): Answer | undefined {
  const cluster = subject.cluster();
  const ip = clusterIpOf(service);
  const protocol = wireProtocol(port.protocol);
  if (ip !== undefined) {
    const source = from ?? anyNode(cluster);
    return source === undefined ? undefined : ask(subject, question(source, ip, port.port, protocol));
  }
  const pod = cluster.pods.find(isClient);
  const name = `${service.name}.${service.namespace}.svc.${cluster.clusterDomain}`;
  return pod && service.type !== "ExternalName" ? ask(subject, question(podSource(pod), name, port.port, protocol)) : undefined;
}

export const anyNode = ({ nodes: [node] }: Cluster): string | undefined => (node === undefined ? undefined : `node/${node.name}`);

/** A pod that can send from an address of its own. */
export const isClient = ({ phase, hostNetwork, ips, dead }: ClusterPod): boolean =>
  phase === "Running" && !hostNetwork && ips.length > 0 && !dead;

/** The slices of each Service, `ns/name`. */
export function slicesByService({ slices }: Cluster): (service: ClusterService) => readonly ClusterSlice[] {
  const found = new Map<string, ClusterSlice[]>();
  for (const slice of slices) {
    const key = `${slice.namespace}/${slice.service}`;
    const list = found.get(key);
    if (list) list.push(slice);
    else found.set(key, [slice]);
  }
  return ({ namespace, name }) => found.get(`${namespace}/${name}`) ?? [];
}

export const hasReady = (slices: readonly ClusterSlice[]): boolean => slices.some(({ endpoints }) => endpoints.some(({ ready }) => ready));

/** The courses on which a packet's destination became this address. */
export const pathsThrough = (paths: readonly Path[], ip: Ip): readonly Path[] =>
  paths.filter(({ legs }) =>
    legs.some(({ hops }) =>
      hops.some(({ steps }) => steps.some((step) => step.kind === "nat" && step.manip === "dst" && !step.reverse && step.after.ip === ip)),
    ),
  );
