/** The input with one thing changed: new objects and topologies, the old ones untouched. */
import type { ClusterService } from "../cluster/cluster.ts";
import type { ApiObject, PodSpec, Service, ServicePort, ServiceSpec } from "../objects/api.ts";
import { isScalable, type PodMaker } from "../objects/pod-maker.ts";
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
