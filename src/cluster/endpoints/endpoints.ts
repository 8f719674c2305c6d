/**
 * The Endpoints objects (v1, deprecated since 1.33) that stand beside the slices: the endpoints controller's for Services
 * with a selector (pkg/controller/endpoint, repacked as in pkg/api/v1/endpoints/util.go), the API server's own, and hand-made ones.
 */
import { parseIp } from "../../net/address.ts";
import type { Endpoints } from "../../objects/api.ts";
import type { ClusterEndpoint, ClusterEndpoints, ClusterService, ClusterSlice, SlicePort } from "../cluster.ts";
import type { Given } from "../given.ts";
import { byNamespaceAndName, compareIps, groupBy } from "../order.ts";
import { isStated } from "./manual-endpoints.ts";

type Subset = ClusterEndpoints["subsets"][number];
const MAX_ADDRESSES = 1000;

export function decideEndpoints(given: Given, services: readonly ClusterService[], slices: readonly ClusterSlice[]): ClusterEndpoints[] {
  const written = new Map(given.all("Endpoints").map((object) => [`${object.metadata.namespace}/${object.metadata.name}`, object]));
  const byService = groupBy(slices, (slice) => `${slice.namespace}/${slice.service}`);
  const known = new Set<string>();
  const ofServices = services.flatMap((service): ClusterEndpoints[] => {
    const key = `${service.namespace}/${service.name}`;
    const object = written.get(key);
    known.add(key);
    const isOverwritten = service.selector !== undefined && service.type !== "ExternalName" && !(object && isStated(object));
    if (object && !isOverwritten) return [readEndpoints(object)];
    const hasController = isOverwritten || (service.namespace === "default" && service.name === "kubernetes");
    return hasController ? [endpointsOf(service, byService.get(key) ?? [])] : [];
  });
  const others = [...written].flatMap(([key, object]) => (known.has(key) ? [] : [readEndpoints(object)]));
  return [...ofServices, ...others].sort(byNamespaceAndName);
}

/** Of the Service's first family only. Terminating pods are not in it, unless not-ready ones are published. */
function endpointsOf(service: ClusterService, slices: readonly ClusterSlice[]): ClusterEndpoints {
  const listed = slices
    .filter((slice) => slice.addressType === (service.ipFamilies[0] ?? "IPv4"))
    .flatMap((slice) => slice.endpoints.map((endpoint) => ({ endpoint, ports: slice.ports })))
    .filter(({ endpoint }) => !endpoint.terminating || service.publishNotReadyAddresses)
    .slice(0, MAX_ADDRESSES);
  const groups = groupBy(listed, ({ ports }) => JSON.stringify(ports));
  return {
    namespace: service.namespace,
    name: service.name,
    subsets: [...groups.values()].map((group) =>
      subsetOf(
        group.map((each) => each.endpoint),
        group[0]?.ports ?? [],
      ),
    ),
  };
}

function subsetOf(endpoints: readonly ClusterEndpoint[], ports: readonly SlicePort[]): Subset {
  const sorted = endpoints.flatMap((endpoint) => endpoint.addresses.map((ip) => ({ ip, endpoint }))).sort((a, b) => compareIps(a.ip, b.ip));
  return {
    addresses: sorted
      .filter(({ endpoint }) => endpoint.ready)
      .map(({ ip, endpoint: { nodeName, pod } }) => ({ ip, ...(nodeName === undefined ? {} : { nodeName }), ...(pod ? { pod } : {}) })),
    notReadyAddresses: sorted.filter(({ endpoint }) => !endpoint.ready).map(({ ip }) => ({ ip })),
    ports,
  };
}

function readEndpoints(object: Endpoints): ClusterEndpoints {
  return {
    namespace: object.metadata.namespace ?? "default",
    name: object.metadata.name,
    subsets: (object.subsets ?? []).map((subset) => ({
      addresses: (subset.addresses ?? []).flatMap(({ ip: text, nodeName, targetRef }) => {
        const ip = parseIp(text);
        const pod =
          targetRef?.kind === "Pod" && targetRef.name ? { pod: { namespace: targetRef.namespace ?? "default", name: targetRef.name } } : {};
        return ip === undefined ? [] : [{ ip, ...(nodeName === undefined ? {} : { nodeName }), ...pod }];
      }),
      notReadyAddresses: (subset.notReadyAddresses ?? []).flatMap(({ ip: text }) => {
        const ip = parseIp(text);
        return ip === undefined ? [] : [{ ip }];
      }),
      ports: (subset.ports ?? []).map(({ name = "", protocol = "TCP", port }) => ({ name, protocol, port })),
    })),
  };
}
