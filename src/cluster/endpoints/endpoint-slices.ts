/**
 * The EndpointSlices of every Service, kube-proxy's only source of endpoints: those that the endpointslice controller
 * writes for selectors (staging/src/k8s.io/endpointslice/reconciler.go), those mirrored from hand-made Endpoints, those of
 * the user, and those of a live dump.
 */
import { familyOf, type Ip } from "../../net/address.ts";
import type { EndpointSlice, IpFamilyName } from "../../objects/api.ts";
import type { ClusterEndpoint, ClusterNode, ClusterPod, ClusterService, ClusterSlice, SlicePort } from "../cluster.ts";
import type { Given } from "../given.ts";
import { apiServerNodes } from "../nodes/api-server.ts";
import type { Notes } from "../notes.ts";
import { byNamespaceAndName, compareIps, groupBy } from "../order.ts";
import { generateName } from "../synthetic.ts";
import { isStated, mirrorEndpoints } from "./manual-endpoints.ts";
import type { PodsBySelector } from "./selected-pods.ts";
import { MANAGED_BY, MANAGER, readSlice, SERVICE_NAME } from "./slice-object.ts";
import { addZoneHints, asksForZoneHints, type CpuShares, cpuShares } from "./zone-hints.ts";

const MAX_ENDPOINTS = 100; // kube-controller-manager --max-endpoints-per-slice

export type SliceWorld = {
  readonly given: Given;
  readonly services: readonly ClusterService[];
  readonly nodes: readonly ClusterNode[];
  readonly podsOf: PodsBySelector<ClusterPod>;
  readonly notes?: Pick<Notes, "event">;
};

export function decideSlices(world: SliceWorld): ClusterSlice[] {
  const { given, services } = world;
  const written = groupBy(given.all("EndpointSlice"), (slice) => `${slice.metadata.namespace}/${serviceNameOf(slice)}`);
  const endpoints = new Map(given.all("Endpoints").map((object) => [`${object.metadata.namespace}/${object.metadata.name}`, object]));
  const known = new Set(services.map((service) => `${service.namespace}/${service.name}`));
  const zones: Zones = new Map(world.nodes.map((node) => [node.name, node.labels["topology.kubernetes.io/zone"]]));
  const shares = services.some(asksForZoneHints) ? cpuShares(world.nodes) : undefined;
  const ofServices = services.flatMap((service) => {
    const key = `${service.namespace}/${service.name}`;
    const slices = (written.get(key) ?? []).flatMap((slice) => readSlice(slice) ?? []);
    const manual = endpoints.get(key);
    const byHand = slices.filter((slice) => managerOf(slice) === "");
    if (service.type === "ExternalName") return byHand;
    if (service.selector) {
      const stated = slices.filter((slice) => managerOf(slice) === MANAGER.controller);
      if (stated.length > 0) return slices;
      if (manual && isStated(manual)) return [...byHand, ...mirrorEndpoints(manual, MANAGER.controller)];
      const ofController = controllerSlices(service, endpointsOfPods(service, zones, world.podsOf));
      return [...byHand, ...(asksForZoneHints(service) ? withZoneHints(service, ofController, shares, world) : ofController)];
    }
    if (slices.some((slice) => managerOf(slice) !== "")) return slices;
    if (manual) return [...byHand, ...mirrorEndpoints(manual, MANAGER.mirroring)];
    return isKubernetes(service) && slices.length === 0 ? [kubernetesSlice(service, world.nodes)] : slices;
  });
  const orphans = given.all("EndpointSlice").filter((slice) => !known.has(`${slice.metadata.namespace}/${serviceNameOf(slice)}`));
  return [...ofServices, ...orphans.flatMap((slice) => readSlice(slice) ?? [])].sort(byNamespaceAndName);
}

/** Family by family, as the controller reconciles them. */
function withZoneHints(service: ClusterService, slices: readonly ClusterSlice[], shares: CpuShares, { notes }: SliceWorld): ClusterSlice[] {
  return [...groupBy(slices, (slice) => slice.addressType).values()].flatMap((ofFamily) => {
    const { slices: hinted, event } = addZoneHints(ofFamily, shares);
    notes?.event({
      type: event.enabled ? "Normal" : "Warning",
      reason: event.enabled ? "TopologyAwareHintsEnabled" : "TopologyAwareHintsDisabled",
      object: { kind: "Service", namespace: service.namespace, name: service.name },
      message: event.message,
    });
    return hinted;
  });
}

const serviceNameOf = (slice: EndpointSlice): string => slice.metadata.labels?.[SERVICE_NAME] ?? "";
const managerOf = (slice: ClusterSlice): string => slice.labels[MANAGED_BY] ?? "";
const isKubernetes = (service: ClusterService): boolean => service.namespace === "default" && service.name === "kubernetes";

type Zones = ReadonlyMap<string, string | undefined>;
/** An endpoint and the ports that the Service's targetPorts come to on that pod. */
type Resolved = { readonly ip: Ip; readonly endpoint: ClusterEndpoint; readonly ports: readonly SlicePort[] };

function endpointsOfPods(service: ClusterService, zones: Zones, podsOf: SliceWorld["podsOf"]): Resolved[] {
  return podsOf(service.namespace, service.selector ?? {})
    .filter((pod) => pod.phase !== "Succeeded" && pod.phase !== "Failed")
    .flatMap((pod) => {
      const ports = service.ports.flatMap((port) => resolvePort(port, pod));
      const zone = pod.node === undefined ? undefined : zones.get(pod.node);
      return service.ipFamilies.flatMap((family) => {
        const ip = pod.ips.find((each) => isFamily(each, family));
        return ip === undefined ? [] : [{ ip, ports, endpoint: endpointOf(service, pod, ip, zone) }];
      });
    });
}

const isFamily = (ip: Ip, family: IpFamilyName): boolean => familyOf(ip) === (family === "IPv4" ? 4 : 6);

/** A named targetPort is a container port of that name and protocol, sidecars included; a pod without it lacks the port. */
function resolvePort({ name, protocol, targetPort }: ClusterService["ports"][number], pod: ClusterPod): SlicePort[] {
  if (typeof targetPort === "number") return [{ name, protocol, port: targetPort }];
  const sidecars = (pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === "Always");
  const found = [...pod.containers, ...sidecars]
    .flatMap((container) => container.ports ?? [])
    .find((port) => port.name === targetPort && (port.protocol ?? "TCP") === protocol);
  return found ? [{ name, protocol, port: found.containerPort }] : [];
}

function endpointOf(service: ClusterService, pod: ClusterPod, ip: Ip, zone: string | undefined): ClusterEndpoint {
  const ready = service.publishNotReadyAddresses || (pod.ready && !pod.terminating);
  const isNamed = pod.spec.hostname !== undefined && pod.spec.subdomain === service.name;
  return {
    addresses: [ip],
    ready,
    serving: pod.ready,
    terminating: pod.terminating,
    ...(pod.node === undefined ? {} : { nodeName: pod.node }),
    ...(zone === undefined ? {} : { zone }),
    ...(isNamed && pod.spec.hostname !== undefined ? { hostname: pod.spec.hostname } : {}),
    ...(ready && !asksForZoneHints(service) ? hintsOf(service, pod.node, zone) : {}),
    pod: { namespace: pod.namespace, name: pod.name },
    origin: pod.origin,
  };
}

/** spec.trafficDistribution, which the older annotation puts out of force: an endpoint is for its own zone, with PreferSameNode also for its own node (KEP-4444, KEP-3015). */
function hintsOf(
  { trafficDistribution }: ClusterService,
  node: string | undefined,
  zone: string | undefined,
): Pick<ClusterEndpoint, "forZones" | "forNodes"> {
  const zonal = ["PreferClose", "PreferSameZone", "PreferSameNode"].includes(trafficDistribution ?? "");
  return {
    ...(zonal && zone !== undefined ? { forZones: [zone] } : {}),
    ...(trafficDistribution === "PreferSameNode" && node !== undefined ? { forNodes: [node] } : {}),
  };
}

/** One group of slices a family and port map; a Service without pods keeps one empty slice. */
function controllerSlices(service: ClusterService, resolved: readonly Resolved[]): ClusterSlice[] {
  const taken = new Set<string>();
  return service.ipFamilies.flatMap((addressType) => {
    const ofFamily = resolved.filter((each) => isFamily(each.ip, addressType)).sort((a, b) => compareIps(a.ip, b.ip));
    const groups = [...groupBy(ofFamily, (each) => JSON.stringify(each.ports)).values()];
    const chunks = groups.flatMap((group) => chunk(group, MAX_ENDPOINTS));
    return (chunks.length > 0 ? chunks : [[]]).map((members, i) => ({
      namespace: service.namespace,
      name: generateName(`${service.name}-`, `${service.namespace}/${service.name}/${addressType}/${i}`, taken),
      service: service.name,
      labels: sliceLabels(service, MANAGER.controller),
      addressType,
      ports: members[0]?.ports ?? [],
      endpoints: members.map((each) => each.endpoint),
    }));
  });
}

/** The Service's own labels and those of the controller. */
function sliceLabels(service: ClusterService, manager: string) {
  const headless = service.clusterIPs[0] === "None" ? { "service.kubernetes.io/headless": "" } : {};
  return { ...service.labels, [MANAGED_BY]: manager, [SERVICE_NAME]: service.name, ...headless };
}

function chunk<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) => values.slice(i * size, (i + 1) * size));
}

/** kube-apiserver writes the slice `kubernetes` itself, one address a control-plane node. */
function kubernetesSlice(service: ClusterService, nodes: readonly ClusterNode[]): ClusterSlice {
  const addressType = service.ipFamilies[0] ?? "IPv4";
  const addresses = apiServerNodes(nodes).flatMap((node) => node.internalIPs.filter((ip) => isFamily(ip, addressType)));
  return {
    namespace: service.namespace,
    name: service.name,
    service: service.name,
    labels: { [SERVICE_NAME]: service.name },
    addressType,
    ports: service.ports.map(({ name, protocol, port, targetPort }) => ({
      name,
      protocol,
      port: typeof targetPort === "number" ? targetPort : port,
    })),
    endpoints: addresses.sort(compareIps).map((ip) => ({ addresses: [ip], ready: true, serving: true, terminating: false })),
  };
}
