/** The input with one thing changed: new objects and topologies, the old ones untouched. */
import type { ClusterService } from "../cluster/cluster.ts";
import type { ApiObject, Labels, Pod, PodSpec, Service, ServicePort, ServiceSpec, Workload } from "../objects/api.ts";
import type { Topology, TopologyHost, TopologyNode } from "../objects/topology.ts";
import type { Edit, Setting } from "./case.ts";

type Named = { readonly namespace: string; readonly name: string };

const isNamed = (object: ApiObject, { namespace, name }: Named): boolean =>
  object.metadata.name === name && (object.metadata.namespace ?? "default") === namespace;

/** A Service's spec changed. */
export const editService = ({ objects }: Setting, service: Named, to: (spec: ServiceSpec) => ServiceSpec): Edit => ({
  objects: objects.map((object): ApiObject => {
    if (object.kind !== "Service" || !isNamed(object, service)) return object;
    const changed: Service = { ...object, spec: to(object.spec ?? {}) };
    return changed;
  }),
});

/** One port of a Service changed. */
export const editPort = (setting: Setting, service: ClusterService, index: number, to: (port: ServicePort) => ServicePort): Edit =>
  editService(setting, service, (spec) => ({ ...spec, ports: (spec.ports ?? []).map((port, i) => (i === index ? to(port) : port)) }));

/** A thing that pods are made from: a workload's template, or a Pod of its own. */
export type PodMaker = {
  readonly title: string; // "Deployment tomcat6"
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly spec: PodSpec;
  readonly object: Workload | Pod;
  readonly path: readonly string[]; // of the pod in the object: ["spec", "template"], or [] for a Pod
  readonly replicas?: number; // as written; undefined for what counts otherwise
};

/** Everything in the input that makes pods. Pods that a workload of the input made are not listed for themselves. */
export function podMakers(objects: readonly ApiObject[]): PodMaker[] {
  return objects.flatMap((object): PodMaker[] => {
    const namespace = object.metadata.namespace ?? "default";
    const base = { title: `${object.kind} ${object.metadata.name}`, namespace, name: object.metadata.name };
    if (object.kind === "Pod")
      return (object.metadata.ownerReferences ?? []).some((owner) => owner.controller)
        ? []
        : [{ ...base, labels: object.metadata.labels ?? {}, spec: object.spec ?? {}, object, path: [] }];
    if (!isScalable(object) || !object.spec?.template) return [];
    const { template, replicas } = object.spec;
    return [
      {
        ...base,
        labels: template.metadata?.labels ?? {},
        spec: template.spec ?? {},
        object,
        path: ["spec", "template"],
        ...(replicas === undefined ? {} : { replicas }),
      },
    ];
  });
}

const SCALABLE = ["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet"] as const;
const isScalable = (object: ApiObject): object is Workload => SCALABLE.some((kind) => kind === object.kind);

/** The pods of one maker changed. */
export const editPods = ({ objects }: Setting, maker: PodMaker, to: (spec: PodSpec) => PodSpec): Edit => ({
  objects: objects.map((object): ApiObject => {
    if (object !== maker.object) return object;
    if (object.kind === "Pod") return { ...object, spec: to(object.spec ?? {}) };
    if (!isScalable(object)) return object;
    return { ...object, spec: { ...object.spec, template: { ...object.spec?.template, spec: to(object.spec?.template?.spec ?? {}) } } };
  }),
});

export const editReplicas = ({ objects }: Setting, maker: PodMaker, replicas: number): Edit => ({
  objects: objects.map(
    (object): ApiObject => (object === maker.object && isScalable(object) ? { ...object, spec: { ...object.spec, replicas } } : object),
  ),
});

export const editNode = ({ topology }: Setting, name: string, to: (node: TopologyNode) => TopologyNode): Edit => ({
  topology: { ...topology, nodes: (topology.nodes ?? []).map((node) => (node.name === name ? to(node) : node)) },
});

export const editHost = ({ topology }: Setting, name: string, to: (host: TopologyHost) => TopologyHost): Edit => ({
  topology: { ...topology, hosts: (topology.hosts ?? []).map((host) => (host.name === name ? to(host) : host)) },
});

export const editTopology = ({ topology }: Setting, to: (topology: Topology) => Topology): Edit => ({ topology: to(topology) });
