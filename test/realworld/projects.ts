/** Other people's projects, in a folder beside an index of what is in them; and what ktrace makes of each Service. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterPod, ClusterService } from "../../src/cluster/cluster.ts";
import { openCluster, type Session } from "../../src/ktrace.ts";
import type { Trace } from "../../src/trace/trace.ts";

type ExpectedService = { readonly namespace: string; readonly name: string; readonly headless: boolean; readonly endpoints: number };
type ExpectedWorkload = {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly replicas: number;
  readonly podsOnReferenceCluster?: number;
};
type ExpectedFlow = {
  readonly from: { readonly kind: string; readonly name: string };
  readonly to: string;
  readonly verdict: string;
  readonly backendCount: number;
};
export type Project = {
  readonly directory: string;
  readonly expect: {
    readonly workloads: readonly ExpectedWorkload[];
    readonly services: readonly ExpectedService[];
    readonly flows?: readonly ExpectedFlow[];
  };
};

export const projectsIn = (root: string): readonly Project[] => JSON.parse(readFileSync(join(root, "index.json"), "utf8")).manifests;

/** The project on three nodes of which one is the control plane. */
export const openProject = (root: string, { directory }: Project): Session =>
  openCluster({ files: [join(root, directory)], topology: "test/realworld/topology.yaml", cwd: process.cwd() });

/** Asks from a place, by name or address. */
export function ask({ trace }: Session, from: string, host: string, port: number, namespace = "default"): Trace {
  return trace({ command: `nc ${host} ${port}`, program: "nc", evidence: false, from, namespace, to: { host, port, protocol: "tcp" } });
}

export const podName = ({ namespace, name }: ClusterPod): string => `pod/${namespace}/${name}`;

/** A pod of another workload in the Service's namespace, else one of its own. */
export function clientOf({ cluster }: Session, service: ClusterService, backends: readonly string[]): ClusterPod | undefined {
  const here = cluster.pods.filter((pod) => pod.namespace === service.namespace && pod.ips.length > 0 && !pod.hostNetwork);
  return here.find((pod) => !backends.includes(`${pod.namespace}/${pod.name}`)) ?? here[0];
}

/** Each Service's first port, asked from a pod: what comes of it and the fact it rests on. */
export type Row = {
  readonly service: string;
  readonly from: string;
  readonly verdict: string;
  readonly reason: string;
  readonly fact: string;
};

export function rowsOf(session: Session): readonly Row[] {
  return session.cluster.services
    .filter(({ origin }) => origin !== undefined)
    .flatMap((service): Row[] => {
      const slices = session.cluster.slices.filter((slice) => slice.namespace === service.namespace && slice.service === service.name);
      const backends = slices.flatMap((slice) => slice.endpoints).flatMap(({ pod }) => (pod ? [`${pod.namespace}/${pod.name}`] : []));
      const client = clientOf(session, service, backends);
      const port = service.ports[0]?.port;
      if (!client || port === undefined) return [];
      const trace = ask(session, podName(client), `${service.name}.${service.namespace}`, port, service.namespace);
      const destinations = trace.paths.flatMap(({ destination }) => (destination ? [`${destination.ip}:${destination.port}`] : []));
      const by = service.clusterIPs[0] === "None" ? "headless: the name is the pods' addresses" : `${service.clusterIPs[0]} by kube-proxy`;
      return [
        {
          service: `${service.namespace}/${service.name}:${port}`,
          from: `${client.namespace}/${client.workload?.name ?? client.name}`,
          verdict: trace.verdict,
          reason: trace.paths.flatMap(({ reason }) => reason ?? [])[0] ?? "",
          fact:
            trace.verdict === "delivered"
              ? `${by}, to ${[...new Set(destinations)].sort().join(", ")} (${listened(trace)})`
              : (trace.paths[0]?.text ?? ""),
        },
      ];
    });
}

const listened = ({ paths }: Trace): string =>
  paths.some(({ destination }) => destination?.assumed) ? "assumed to listen: no container declares a port" : "a declared container port";
