/**
 * The topology's `services:`: addresses and node ports of Services as somebody saw them in a live cluster, where the manifest
 * leaves them to the API server. They are put where the API server would have written them; what the manifest says stays.
 */
import type { ApiObject, Service, ServicePort } from "../objects/api.ts";
import type { Topology, TopologyService } from "../objects/topology.ts";
import type { ClusterService } from "./cluster.ts";

/** The objects, Services completed. */
export function withServicePins(objects: readonly ApiObject[], { services = [] }: Topology): readonly ApiObject[] {
  if (services.length === 0) return objects;
  const pins = new Map(services.map((pin) => [pin.name, pin]));
  return objects.map((object) => {
    const pin = object.kind === "Service" ? pins.get(`${object.metadata.namespace ?? "default"}/${object.metadata.name}`) : undefined;
    return object.kind === "Service" && pin ? pinned(object, pin) : object;
  });
}

function pinned(service: Service, { clusterIPs = [], nodePorts = [], healthCheckNodePort, loadBalancer }: TopologyService): Service {
  const { spec = {}, status } = service;
  const isAddressed = spec.clusterIP || spec.clusterIPs?.length || spec.type === "ExternalName";
  const [clusterIP] = clusterIPs;
  const ports = spec.ports?.map((port, i): ServicePort => (port.nodePort || !nodePorts[i] ? port : { ...port, nodePort: nodePorts[i] }));
  return {
    ...service,
    spec: {
      ...spec,
      ...(isAddressed || clusterIP === undefined ? {} : { clusterIP, clusterIPs }),
      ...(ports ? { ports } : {}),
      ...(healthCheckNodePort === undefined || spec.healthCheckNodePort ? {} : { healthCheckNodePort }),
    },
    ...(loadBalancer && !status?.loadBalancer?.ingress?.length ? { status: { loadBalancer: { ingress: loadBalancer } } } : {}),
  };
}

/** What a Service was given, as a pin; undefined when it was given nothing. */
export function servicePin(service: ClusterService): TopologyService | undefined {
  const { namespace, name, ports, healthCheckNodePort, loadBalancerIngress } = service;
  const clusterIPs = service.clusterIPs.filter((ip) => ip !== "None");
  const nodePorts = ports.map(({ nodePort = 0 }) => nodePort);
  const pin = {
    name: `${namespace}/${name}`,
    ...(clusterIPs.length > 0 ? { clusterIPs } : {}),
    ...(nodePorts.some((port) => port > 0) ? { nodePorts } : {}),
    ...(healthCheckNodePort === undefined ? {} : { healthCheckNodePort }),
    ...(loadBalancerIngress.length > 0 ? { loadBalancer: loadBalancerIngress } : {}),
  };
  return Object.keys(pin).length > 1 ? pin : undefined;
}
