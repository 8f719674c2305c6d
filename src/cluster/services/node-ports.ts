/** Node ports and health-check node ports of Services: those left out are allocated. */
import type { ClusterService, ClusterServicePort } from "../cluster.ts";
import type { Notes } from "../notes.ts";
import { allocateNodePort, nodePortKey, type PortRange } from "./service-allocators.ts";

export function assignNodePorts(services: readonly ClusterService[], range: PortRange, notes: Notes): ClusterService[] {
  const taken = new Set(services.flatMap(askedKeys));
  return services
    .map((service) => withHealthCheck(withNodePorts(service, range, taken, notes), range, taken, notes))
    .filter((service) => !takesNodePorts(service) || service.ports.every((port) => port.nodePort !== undefined) || isDumped(service));
}

const isDumped = (service: ClusterService): boolean => service.object?.metadata.uid !== undefined;

/** What is asked for was checked before (admission.ts); of two that a dump gives one port both keep it. */
function askedKeys(service: ClusterService): string[] {
  const health = healthCheckPort(service);
  const listed = service.ports.flatMap(({ protocol, nodePort }) => (nodePort === undefined ? [] : [nodePortKey(protocol, nodePort)]));
  return health === undefined ? listed : [nodePortKey("TCP", health), ...listed];
}

const takesNodePorts = (service: ClusterService): boolean =>
  service.type === "NodePort" || (service.type === "LoadBalancer" && service.allocateLoadBalancerNodePorts !== false);

/** Ports of one number and different protocols share a node port where that is free. */
function withNodePorts(service: ClusterService, range: PortRange, taken: Set<string>, notes: Notes): ClusterService {
  if (!takesNodePorts(service) || service.ports.every((port) => port.nodePort !== undefined)) return service;
  const given = new Map<number, ClusterServicePort[]>();
  const ports = service.ports.map((port) => {
    const nodePort =
      port.nodePort ??
      shared(port, given.get(port.port) ?? [], taken) ??
      allocateNodePort(range, seedOf(service, port), [port.protocol], taken);
    const filled = nodePort === undefined ? port : { ...port, nodePort };
    given.set(port.port, [...(given.get(port.port) ?? []), filled]);
    if (port.nodePort === undefined) noteAllocated(service, filled, range, notes);
    return filled;
  });
  return { ...service, ports };
}

const seedOf = (service: ClusterService, port: ClusterServicePort): string =>
  `${service.namespace}/${service.name}:${port.protocol}/${port.port}`;

function shared(port: ClusterServicePort, earlier: readonly ClusterServicePort[], taken: Set<string>): number | undefined {
  const candidate = earlier.find((each) => each.protocol !== port.protocol && each.nodePort !== undefined)?.nodePort;
  if (candidate === undefined || taken.has(nodePortKey(port.protocol, candidate))) return undefined;
  taken.add(nodePortKey(port.protocol, candidate));
  return candidate;
}

function noteAllocated(service: ClusterService, port: ClusterServicePort, range: PortRange, notes: Notes): void {
  const name = `Service ${service.namespace}/${service.name}`;
  if (port.nodePort !== undefined)
    notes.assume(name, `node port ${port.nodePort} for port ${port.port}/${port.protocol}`, "spec.ports[].nodePort of the Service");
  else
    notes.report({
      code: "node-ports-exhausted",
      message: `${name}: no free node port in ${range.from}-${range.to}`,
      help: "the API server refuses the Service, so it is left out; spec.kubernetes.nodePortRange in the topology widens the range",
      source: service.object?.source,
    });
}

/** Only type LoadBalancer with externalTrafficPolicy Local has one. */
function healthCheckPort(service: ClusterService): number | undefined {
  const isChecked = service.type === "LoadBalancer" && service.externalTrafficPolicy === "Local";
  return isChecked ? service.object?.spec?.healthCheckNodePort || undefined : undefined;
}

function withHealthCheck(service: ClusterService, range: PortRange, taken: Set<string>, notes: Notes): ClusterService {
  if (service.type !== "LoadBalancer" || service.externalTrafficPolicy !== "Local") return service;
  const asked = healthCheckPort(service);
  const port = asked ?? allocateNodePort(range, `${service.namespace}/${service.name}:health`, ["TCP"], taken);
  if (port === undefined) return service;
  if (asked === undefined)
    notes.assume(
      `Service ${service.namespace}/${service.name}`,
      `health check node port ${port}`,
      "spec.healthCheckNodePort of the Service",
    );
  return { ...service, healthCheckNodePort: port };
}
