/** EndpointSlice objects of the input, with the meaning that the API gives to what they leave out (discovery/v1 types.go). */
import { familyOf, parseIp } from "../../net/address.ts";
import type { EndpointSlice, SliceEndpoint } from "../../objects/api.ts";
import type { ClusterEndpoint, ClusterSlice, Origin } from "../cluster.ts";

export const SERVICE_NAME = "kubernetes.io/service-name";
export const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
/** Who writes slices besides the user. */
export const MANAGER = {
  controller: "endpointslice-controller.k8s.io",
  mirroring: "endpointslicemirroring-controller.k8s.io",
} as const;

/** Undefined for FQDN slices, which kube-proxy passes over. */
export function readSlice(object: EndpointSlice): ClusterSlice | undefined {
  const { addressType, metadata } = object;
  if (addressType !== "IPv4" && addressType !== "IPv6") return undefined;
  const labels = metadata.labels ?? {};
  return {
    namespace: metadata.namespace ?? "default",
    name: metadata.name,
    service: Object.hasOwn(labels, SERVICE_NAME) ? (labels[SERVICE_NAME] ?? "") : "",
    labels,
    addressType,
    ports: (object.ports ?? []).flatMap(({ name = "", protocol = "TCP", port }) => (port === undefined ? [] : [{ name, protocol, port }])),
    endpoints: (object.endpoints ?? []).flatMap((each, i) =>
      readEndpoint(each, addressType === "IPv4" ? 4 : 6, { source: object.source, field: ["endpoints", i] }),
    ),
    object,
  };
}

/** `ready` left out is yes, `serving` left out is as ready, `terminating` left out is no. */
function readEndpoint(each: SliceEndpoint, family: 4 | 6, origin: Origin): ClusterEndpoint[] {
  const addresses = each.addresses.flatMap((text) => parseIp(text) ?? []).filter((ip) => familyOf(ip) === family);
  if (addresses.length === 0) return [];
  const { ready = true, serving = ready, terminating = false } = each.conditions ?? {};
  const { forZones, forNodes } = each.hints ?? {};
  const target = each.targetRef;
  return [
    {
      addresses,
      ready,
      serving,
      terminating,
      ...(each.nodeName === undefined ? {} : { nodeName: each.nodeName }),
      ...(each.zone === undefined ? {} : { zone: each.zone }),
      ...(each.hostname === undefined ? {} : { hostname: each.hostname }),
      ...(forZones ? { forZones: forZones.map((zone) => zone.name) } : {}),
      ...(forNodes ? { forNodes: forNodes.map((node) => node.name) } : {}),
      ...(target?.kind === "Pod" && target.name ? { pod: { namespace: target.namespace ?? "default", name: target.name } } : {}),
      origin,
    },
  ];
}
