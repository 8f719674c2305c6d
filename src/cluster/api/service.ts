/** Services with every default and allocation, as the API server returns them, and their endpoints. */
import type { Fields } from "../../objects/record.ts";
import type { Cluster, ClusterEndpoint, ClusterEndpoints, ClusterService, ClusterSlice } from "../cluster.ts";
import { type ApiShape, metadataOf } from "./shape.ts";

export const serviceObjects = (cluster: Cluster): ApiShape[] =>
  cluster.services.map((service) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(service, service.object?.metadata),
    spec: specOf(service),
    status: { loadBalancer: service.loadBalancerIngress.length > 0 ? { ingress: service.loadBalancerIngress } : {} },
  }));

function specOf(service: ClusterService): Fields {
  const { clusterIP: _, clusterIPs: __, ports: ___, ...written } = service.object?.spec ?? {};
  const [clusterIP] = service.clusterIPs;
  return {
    ...written,
    ...defined({ allocateLoadBalancerNodePorts: service.allocateLoadBalancerNodePorts }),
    ...(clusterIP === undefined ? {} : { clusterIP, clusterIPs: service.clusterIPs }),
    ...defined({
      externalTrafficPolicy: service.externalTrafficPolicy,
      healthCheckNodePort: service.healthCheckNodePort,
      internalTrafficPolicy: service.internalTrafficPolicy,
    }),
    ...(service.ipFamilies.length > 0 ? { ipFamilies: service.ipFamilies, ipFamilyPolicy: service.ipFamilyPolicy ?? "SingleStack" } : {}),
    ...(service.ports.length > 0 ? { ports: service.ports.map(portOf) } : {}),
    ...defined({ selector: service.selector }),
    sessionAffinity: service.sessionAffinity,
    ...(service.sessionAffinity === "ClientIP"
      ? { sessionAffinityConfig: { clientIP: { timeoutSeconds: service.affinityTimeoutSeconds } } }
      : {}),
    type: service.type,
  };
}

const portOf = ({ name, protocol, port, targetPort, nodePort }: ClusterService["ports"][number]): Fields => ({
  ...(name === "" ? {} : { name }),
  ...(nodePort === undefined ? {} : { nodePort }),
  port,
  protocol,
  targetPort,
});

export function endpointsObjects(cluster: Cluster): ApiShape[] {
  const services = new Map(cluster.services.map((service) => [`${service.namespace}/${service.name}`, service]));
  return cluster.endpoints.map(({ namespace, name, subsets }) => ({
    apiVersion: "v1",
    kind: "Endpoints",
    // The controller copies the Service's labels.
    metadata: metadataOf({ namespace, name, labels: services.get(`${namespace}/${name}`)?.labels ?? {} }, undefined),
    ...(subsets.length > 0 ? { subsets: subsets.map(subsetOf) } : {}),
  }));
}

const subsetOf = (subset: ClusterEndpoints["subsets"][number]): Fields => ({
  ...(subset.addresses.length > 0
    ? {
        addresses: subset.addresses.map(({ ip, nodeName, pod }) => ({
          ip,
          ...defined({ nodeName }),
          ...(pod ? { targetRef: { kind: "Pod", ...pod } } : {}),
        })),
      }
    : {}),
  ...(subset.notReadyAddresses.length > 0 ? { notReadyAddresses: subset.notReadyAddresses } : {}),
  ...(subset.ports.length > 0
    ? { ports: subset.ports.map(({ name, port, protocol }) => ({ ...(name === "" ? {} : { name }), port, protocol })) }
    : {}),
});

export const sliceObjects = (cluster: Cluster): ApiShape[] =>
  cluster.slices.map((slice) => ({
    addressType: slice.addressType,
    apiVersion: "discovery.k8s.io/v1",
    endpoints: slice.endpoints.map(endpointOf),
    kind: "EndpointSlice",
    metadata: metadataOf(slice, slice.object?.metadata, ownerOf(slice)),
    ports: slice.ports.map(({ name, port, protocol }) => ({ name, port, protocol })),
  }));

const ownerOf = (slice: ClusterSlice): Fields | undefined =>
  slice.object ? undefined : { apiVersion: "v1", kind: "Service", name: slice.service, controller: true, blockOwnerDeletion: true };

const endpointOf = (endpoint: ClusterEndpoint): Fields => ({
  addresses: endpoint.addresses,
  conditions: { ready: endpoint.ready, serving: endpoint.serving, terminating: endpoint.terminating },
  ...defined({ hostname: endpoint.hostname, nodeName: endpoint.nodeName, zone: endpoint.zone }),
  ...(endpoint.pod ? { targetRef: { kind: "Pod", ...endpoint.pod } } : {}),
  ...(endpoint.forZones || endpoint.forNodes
    ? { hints: defined({ forZones: endpoint.forZones?.map((name) => ({ name })), forNodes: endpoint.forNodes?.map((name) => ({ name })) }) }
    : {}),
});

const defined = (fields: Fields): Fields => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
