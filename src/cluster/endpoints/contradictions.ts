/**
 * Where a dump's EndpointSlices and its pods disagree: a controller that does not run, a dump taken in two parts, an object
 * edited by hand. kube-proxy reads slices only, so they stand; a person should know.
 */
import { matchesLabels } from "../../objects/selector.ts";
import type { ClusterEndpoint, ClusterPod, ClusterService, ClusterSlice } from "../cluster.ts";
import type { Given } from "../given.ts";
import type { Notes } from "../notes.ts";
import { groupBy } from "../order.ts";
import type { PodsBySelector } from "./selected-pods.ts";
import { MANAGED_BY, MANAGER } from "./slice-object.ts";

type Listed = { readonly slice: ClusterSlice; readonly endpoint: ClusterEndpoint };

/** Warns of each. Only slices that the controller wrote are held against pods, and only pods that a dump states. */
export function reportContradictions(
  given: Given,
  services: readonly ClusterService[],
  slices: readonly ClusterSlice[],
  pods: readonly ClusterPod[],
  podsOf: PodsBySelector<ClusterPod>,
  notes: Notes,
): void {
  const live = new Map(pods.filter((pod) => pod.object?.status !== undefined).map((pod) => [`${pod.namespace}/${pod.name}`, pod]));
  if (live.size === 0) return;
  const stated = slices.filter((slice) => slice.object && slice.labels[MANAGED_BY] === MANAGER.controller);
  const namespaces = new Set(given.all("Pod").map((pod) => pod.metadata.namespace ?? "default"));
  const byName = new Map(services.map((service) => [`${service.namespace}/${service.name}`, service]));
  const listed = stated.flatMap((slice) => slice.endpoints.map((endpoint): Listed => ({ slice, endpoint })));
  for (const one of listed) {
    const pod = one.endpoint.pod && live.get(`${one.endpoint.pod.namespace}/${one.endpoint.pod.name}`);
    const service = byName.get(`${one.slice.namespace}/${one.slice.service}`);
    const text = pod ? differenceOf(one.endpoint, pod, service) : missingPod(one.endpoint, namespaces);
    if (text !== undefined) warn(one.slice, text, one.endpoint, notes);
  }
  for (const [key, own] of groupBy(stated, (slice) => `${slice.namespace}/${slice.service}`)) {
    const service = byName.get(key);
    if (service?.selector) reportUnlisted(own, podsOf(service.namespace, service.selector), notes);
  }
}

function missingPod({ pod, addresses }: ClusterEndpoint, namespaces: ReadonlySet<string>): string | undefined {
  if (!pod || !namespaces.has(pod.namespace)) return undefined;
  return `lists ${addresses[0]} of Pod ${pod.namespace}/${pod.name}, which is not in the input`;
}

function differenceOf(
  { addresses, ready, terminating }: ClusterEndpoint,
  pod: ClusterPod,
  service: ClusterService | undefined,
): string | undefined {
  const [address = ""] = addresses;
  const name = `Pod ${pod.namespace}/${pod.name}`;
  if (pod.ips.length > 0 && !pod.ips.includes(address)) return `lists ${address} for ${name}, which has ${pod.ips.join(", ")}`;
  if (service?.selector && !matchesLabels(service.selector, pod.labels))
    return `lists ${name}, which the selector of its Service does not pick`;
  const shouldBe = service?.publishNotReadyAddresses === true || (pod.ready && !pod.terminating);
  if (terminating !== pod.terminating) return `says that ${name} is ${terminating ? "" : "not "}terminating; the pod says otherwise`;
  return ready === shouldBe ? undefined : `says that ${name} is ${ready ? "" : "not "}ready; the pod says otherwise`;
}

/** A ready pod that no slice of the Service has gets no traffic. */
function reportUnlisted(own: readonly ClusterSlice[], picked: readonly ClusterPod[], notes: Notes): void {
  const known = new Set(own.flatMap((slice) => slice.endpoints.flatMap(({ addresses }) => addresses)));
  const [first] = own;
  for (const pod of picked) {
    const isEndpoint = pod.object?.status !== undefined && pod.ready && !pod.terminating && pod.ips.length > 0;
    if (!first || !isEndpoint || pod.ips.some((ip) => known.has(ip))) continue;
    warn(
      first,
      `and its siblings do not list the ready Pod ${pod.namespace}/${pod.name} (${pod.ips[0]}), which the Service selects`,
      undefined,
      notes,
    );
  }
}

function warn(slice: ClusterSlice, text: string, endpoint: ClusterEndpoint | undefined, notes: Notes): void {
  notes.report({
    code: "slice-contradicts-pods",
    severity: "warning",
    message: `EndpointSlice ${slice.namespace}/${slice.name} ${text}`,
    help: "kube-proxy reads slices only, so the slice stands; is kube-controller-manager running?",
    source: endpoint?.origin?.source ?? slice.object?.source,
    field: endpoint?.origin?.field ?? [],
  });
}
