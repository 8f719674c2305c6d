/** Endpoints as the input lists them, of Endpoints and EndpointSlices alike, each address and port with its place. */
import { SERVICE_NAME } from "../cluster/endpoints/slice-object.ts";
import { type Ip, parseIp } from "../net/address.ts";
import type { ApiProtocol, EndpointSlice, Endpoints } from "../objects/api.ts";
import type { PathPart } from "../objects/source.ts";
import type { Mark } from "./finding.ts";
import type { Subject } from "./subject.ts";

export type ListedAddress = {
  readonly ip: Ip;
  readonly at: Mark;
  readonly ready: boolean;
  readonly nodeName?: string;
  readonly nodeAt: Mark;
};
export type ListedPort = { readonly name: string; readonly port: number; readonly protocol: ApiProtocol; readonly at: Mark };
export type EndpointList = {
  readonly object: Endpoints | EndpointSlice;
  readonly addresses: readonly ListedAddress[];
  readonly ports: readonly ListedPort[];
};

/** By `ns/name` of the Service. A Service with slices is read from those: they are what kube-proxy reads. */
export function endpointLists(subject: Subject): ReadonlyMap<string, readonly EndpointList[]> {
  const found = new Map<string, EndpointList[]>();
  const add = (key: string, list: EndpointList): void => void found.set(key, [...(found.get(key) ?? []), list]);
  for (const slice of subject.of("EndpointSlice")) {
    const { namespace = "default", labels = {} } = slice.metadata;
    const service = Object.hasOwn(labels, SERVICE_NAME) ? labels[SERVICE_NAME] : undefined;
    if (service !== undefined && slice.addressType !== "FQDN") add(`${namespace}/${service}`, ofSlice(slice));
  }
  for (const endpoints of subject.of("Endpoints")) {
    const key = `${endpoints.metadata.namespace ?? "default"}/${endpoints.metadata.name}`;
    if (!found.has(key)) add(key, ofEndpoints(endpoints));
  }
  return found;
}

function ofSlice(slice: EndpointSlice): EndpointList {
  const mark = (...field: PathPart[]): Mark => ({ source: slice.source, field });
  const addresses = (slice.endpoints ?? []).flatMap(({ addresses: [text], conditions, nodeName }, i): ListedAddress[] => {
    const ip = parseIp(text ?? "");
    if (ip === undefined) return [];
    const ready = conditions?.ready ?? true;
    const at = mark("endpoints", i, "addresses", 0);
    return [{ ip, at, ready, nodeAt: mark("endpoints", i, "nodeName"), ...(nodeName === undefined ? {} : { nodeName }) }];
  });
  const ports = (slice.ports ?? []).flatMap(({ name = "", port, protocol = "TCP" }, i) =>
    port === undefined ? [] : [{ name, port, protocol, at: mark("ports", i, "port") }],
  );
  return { object: slice, addresses, ports };
}

function ofEndpoints(object: Endpoints): EndpointList {
  const mark = (...field: PathPart[]): Mark => ({ source: object.source, field });
  const read = (i: number, list: "addresses" | "notReadyAddresses"): ListedAddress[] =>
    (object.subsets?.[i]?.[list] ?? []).flatMap(({ ip: text, nodeName }, j): ListedAddress[] => {
      const ip = parseIp(text);
      if (ip === undefined) return [];
      const at = mark("subsets", i, list, j, "ip");
      return [
        {
          ip,
          at,
          ready: list === "addresses",
          nodeAt: mark("subsets", i, list, j, "nodeName"),
          ...(nodeName === undefined ? {} : { nodeName }),
        },
      ];
    });
  const subsets = object.subsets ?? [];
  return {
    object,
    addresses: subsets.flatMap((_, i) => [...read(i, "addresses"), ...read(i, "notReadyAddresses")]),
    ports: subsets.flatMap(({ ports = [] }, i) =>
      ports.map(({ name = "", port, protocol = "TCP" }, j) => ({ name, port, protocol, at: mark("subsets", i, "ports", j, "port") })),
    ),
  };
}
