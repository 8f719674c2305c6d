/**
 * Endpoints objects of the input. Written by hand for a Service without selector they are mirrored to slices
 * (pkg/controller/endpointslicemirroring); for one with a selector the endpoints controller overwrites them, unless they
 * come from a live cluster and so state what that controller found.
 */
import { familyOf, parseIp } from "../../net/address.ts";
import type { EndpointAddress, Endpoints } from "../../objects/api.ts";
import type { PathPart } from "../../objects/source.ts";
import type { ClusterEndpoint, ClusterSlice, SlicePort } from "../cluster.ts";
import { groupBy } from "../order.ts";
import { generateName } from "../synthetic.ts";
import { MANAGED_BY, MANAGER, SERVICE_NAME } from "./slice-object.ts";

const SKIP = "endpointslice.kubernetes.io/skip-mirror";
const LEADER = "control-plane.alpha.kubernetes.io/leader";
const TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time";
const MAX_ADDRESSES = 1000; // a subset, --mirroring-max-endpoints-per-subset

/** Whether an API server returned this object: what a person writes has neither uid nor the controller's annotation. */
export const isStated = ({ metadata }: Endpoints): boolean =>
  metadata.uid !== undefined || Object.hasOwn(metadata.annotations ?? {}, TRIGGER);

/** A slice for each port set and family of each subset. */
export function mirrorEndpoints(object: Endpoints, manager: (typeof MANAGER)[keyof typeof MANAGER]): ClusterSlice[] {
  const { metadata } = object;
  const isMirrored = metadata.labels?.[SKIP] !== "true" && !Object.hasOwn(metadata.annotations ?? {}, LEADER);
  if (manager === MANAGER.mirroring && !isMirrored) return [];
  const taken = new Set<string>();
  const found = (object.subsets ?? []).flatMap((subset, i) => {
    const ports = (subset.ports ?? []).map(({ name = "", port, protocol = "TCP" }): SlicePort => ({ name, protocol, port }));
    const read = (list: "addresses" | "notReadyAddresses", ready: boolean) =>
      (subset[list] ?? []).flatMap((address, j) => mirrorAddress(object, address, ready, ["subsets", i, list, j]));
    return [...read("addresses", true), ...read("notReadyAddresses", false)].slice(0, MAX_ADDRESSES).map((each) => ({ ...each, ports }));
  });
  return [...groupBy(found, (each) => JSON.stringify([each.addressType, each.ports])).values()].map((group, i): ClusterSlice => {
    const [first] = group;
    return {
      namespace: metadata.namespace ?? "default",
      name: generateName(`${metadata.name}-`, `${metadata.namespace}/${metadata.name}/mirrored/${i}`, taken),
      service: metadata.name,
      labels: { ...metadata.labels, [MANAGED_BY]: manager, [SERVICE_NAME]: metadata.name },
      addressType: first?.addressType ?? "IPv4",
      ports: first?.ports ?? [],
      endpoints: group.map((each) => each.endpoint),
    };
  });
}

type Mirrored = { readonly addressType: "IPv4" | "IPv6"; readonly endpoint: ClusterEndpoint };

function mirrorAddress(object: Endpoints, address: EndpointAddress, ready: boolean, field: readonly PathPart[]): Mirrored[] {
  const ip = parseIp(address.ip);
  if (ip === undefined) return [];
  const target = address.targetRef;
  const endpoint: ClusterEndpoint = {
    addresses: [ip],
    ready,
    serving: ready,
    terminating: false,
    ...(address.nodeName === undefined ? {} : { nodeName: address.nodeName }),
    ...(address.hostname === undefined ? {} : { hostname: address.hostname }),
    ...(target?.kind === "Pod" && target.name ? { pod: { namespace: target.namespace ?? "default", name: target.name } } : {}),
    origin: { source: object.source, field },
  };
  return [{ addressType: familyOf(ip) === 4 ? "IPv4" : "IPv6", endpoint }];
}
