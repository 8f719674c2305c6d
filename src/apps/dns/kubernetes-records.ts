/**
 * What the kubernetes plugin of CoreDNS finds under a name (coredns/plugin/kubernetes: parse.go, kubernetes.go). Not
 * modelled: federation, multicluster zones, the `zonal` names, namespaces left out by label.
 */
import type { Cluster, ClusterEndpoint, ClusterService } from "../../cluster/cluster.ts";
import { type Family, familyOf, type Ip, parseIp } from "../../net/address.ts";
import { type CauseId, NO_CAUSE } from "../../net/cause.ts";
import type { CauseTable } from "../../objects/cause.ts";
import type { KubernetesSettings } from "./corefile.ts";
import { addressOfReverseName } from "./message.ts";

/** The plugin at work in one of its zones (plain name). */
export type Zone = {
  readonly cluster: Cluster;
  readonly causes: CauseTable;
  readonly settings: KubernetesSettings;
  readonly name: string;
};

/** One address, or an external name, with the name it is known by. Without a port the object declares none. */
export type Backend = {
  readonly name: string;
  readonly port?: number;
  readonly cause: CauseId;
} & ({ readonly kind: "address"; readonly ip: Ip; readonly family: Family } | { readonly kind: "alias"; readonly target: string });

/** "nxdomain": there is no such name. An empty list: there is, without anything to say. */
export type Found = readonly Backend[] | "nxdomain";

/** What stands under `base`, the name without its zone. */
export function backendsOf(zone: Zone, base: string): Found {
  if (base === "" || base === "svc" || base === "pod") return [];
  if (base === "ns.dns") return nameServers(zone);
  const labels = base.split(".").reverse();
  const [kind, namespace, name, ...rest] = labels;
  if ((kind !== "svc" && kind !== "pod") || rest.length > 2) return "nxdomain";
  if (namespace === undefined || !isExposed(zone, namespace)) return "nxdomain";
  if (name === undefined) return kind === "pod" && zone.settings.pods === "disabled" ? "nxdomain" : [];
  if (kind === "pod") return podAddress(zone, name, namespace);
  const service = zone.cluster.services.find((one) => one.namespace === namespace && one.name === name);
  if (!service) return "nxdomain";
  const found = serviceBackends(zone, service, selectionOf(rest));
  return found.length === 0 && !(service.type === "ExternalName" && rest.length === 0) ? "nxdomain" : found;
}

const isExposed = ({ cluster, settings }: Zone, namespace: string): boolean =>
  cluster.namespaces.some((one) => one.name === namespace) && (settings.namespaces?.includes(namespace) ?? true);

/** One label more names an endpoint, two name a port and its protocol: `_http._tcp`. */
type Selection = { readonly endpoint?: string; readonly port?: string; readonly protocol?: string };
const selectionOf = ([first, second]: readonly string[]): Selection =>
  first === undefined
    ? {}
    : second === undefined
      ? { endpoint: first }
      : { protocol: first.replace(/^_/, ""), port: second.replace(/^_/, "") };

function serviceBackends(zone: Zone, service: ClusterService, wanted: Selection): readonly Backend[] {
  const name = `${service.name}.${service.namespace}.svc.${zone.name}`;
  const cause = causeOf(zone.causes, service);
  if (service.type === "ExternalName") {
    const target = (service.externalName ?? "").replace(/\.$/, "");
    const isPlain = wanted.endpoint === undefined && wanted.port === undefined;
    return isPlain && target !== "" && parseIp(target) === undefined ? [{ kind: "alias", name, target, cause }] : [];
  }
  if (service.clusterIPs.includes("None") || wanted.endpoint !== undefined) return endpointBackends(zone, service, wanted, name, cause);
  if (zone.settings.ignoreEmptyService && !slicesOf(zone.cluster, service).some((slice) => slice.endpoints.some(isServed))) return [];
  const ports = service.ports.length === 0 ? [undefined] : service.ports.filter((port) => isWanted(port, wanted));
  return ports.flatMap((port) => service.clusterIPs.map((ip) => addressBackend(name, ip, port?.port, cause)));
}

function endpointBackends(zone: Zone, service: ClusterService, wanted: Selection, name: string, cause: CauseId): Backend[] {
  return slicesOf(zone.cluster, service).flatMap((slice) => {
    const ports = slice.ports.length === 0 ? [undefined] : slice.ports.filter((port) => isWanted(port, wanted));
    return slice.endpoints.filter(isServed).flatMap((endpoint) =>
      endpoint.addresses.flatMap((ip) => {
        const own = endpointName(zone, endpoint, ip);
        if (wanted.endpoint !== undefined && wanted.endpoint !== own.toLowerCase()) return [];
        return ports.map((port) => addressBackend(`${own}.${name}`, ip, port?.port, cause));
      }),
    );
  });
}

const addressBackend = (name: string, ip: Ip, port: number | undefined, cause: CauseId): Backend => ({
  kind: "address",
  name,
  ip,
  family: familyOf(ip),
  cause,
  ...(port === undefined ? {} : { port }),
});

const slicesOf = (cluster: Cluster, service: Pick<ClusterService, "namespace" | "name">) =>
  cluster.slices.filter((slice) => slice.namespace === service.namespace && slice.service === service.name);

/** publishNotReadyAddresses has made the condition true where the slice was written. */
const isServed = (endpoint: ClusterEndpoint): boolean => endpoint.ready;

const isWanted = (port: { readonly name: string; readonly protocol: string }, wanted: Selection): boolean =>
  (wanted.port === undefined || wanted.port === port.name.toLowerCase()) &&
  (wanted.protocol === undefined || wanted.protocol === port.protocol.toLowerCase());

/** Its hostname, with `endpoint_pod_names` its pod's name, else its address with dashes; a label may not end in one. */
function endpointName({ settings }: Zone, endpoint: ClusterEndpoint, ip: Ip): string {
  if (endpoint.hostname !== undefined && endpoint.hostname !== "") return endpoint.hostname;
  if (settings.endpointPodNames && endpoint.pod) return endpoint.pod.name;
  const dashed = ip.replace(/[.:]/g, "-");
  return dashed.endsWith("-") ? `${dashed}0` : dashed;
}

/** `pods insecure`: an address is read out of the name, whether or not such a pod exists; `verified` looks. */
function podAddress(zone: Zone, dashed: string, namespace: string): Found {
  const { cluster, settings } = zone;
  if (settings.pods === "disabled") return "nxdomain";
  const isFour = dashed.split("-").length === 4 && !dashed.includes("--");
  const ip = parseIp(dashed.replaceAll("-", isFour ? "." : ":"));
  if (ip === undefined) return "nxdomain";
  const isThere = cluster.pods.some((pod) => pod.namespace === namespace && pod.ips[0] === ip);
  if (settings.pods === "verified" && !isThere) return "nxdomain";
  return [addressBackend(`${dashed}.${namespace}.pod.${zone.name}`, ip, undefined, NO_CAUSE)];
}

/** `ns.dns` stands for the Services that CoreDNS itself is behind (ns.go); the SOA names it. */
export function nameServers(zone: Zone): readonly Backend[] {
  const { cluster, causes } = zone;
  const mine = cluster.services.filter((service) => cluster.clusterDNS.some((ip) => service.clusterIPs.includes(ip)));
  return mine.flatMap((service) =>
    service.clusterIPs.map((ip) =>
      addressBackend(`${service.name}.${service.namespace}.svc.${zone.name}`, ip, undefined, causeOf(causes, service)),
    ),
  );
}

/** The names of an address: its Service's, else one for every Service it is an endpoint of (reverse.go). */
export function namesOfAddress(zone: Zone, reverse: string): { readonly name: string; readonly cause: CauseId }[] {
  const { cluster, causes } = zone;
  const text = addressOfReverseName(reverse);
  const ip = text === undefined ? undefined : parseIp(text);
  if (ip === undefined) return [];
  const service = cluster.services.find((one) => one.clusterIPs.includes(ip) && isExposed(zone, one.namespace));
  if (service) return [{ name: `${service.name}.${service.namespace}.svc.${zone.name}`, cause: causeOf(causes, service) }];
  return cluster.slices
    .filter((slice) => isExposed(zone, slice.namespace))
    .flatMap((slice) => {
      const endpoint = slice.endpoints.find((one) => isServed(one) && one.addresses.includes(ip));
      if (!endpoint) return [];
      const owner = cluster.services.find((one) => one.namespace === slice.namespace && one.name === slice.service);
      const name = `${endpointName(zone, endpoint, ip)}.${slice.service}.${slice.namespace}.svc.${zone.name}`;
      return [{ name, cause: owner ? causeOf(causes, owner) : NO_CAUSE }];
    });
}

const causeOf = (causes: CauseTable, service: ClusterService): CauseId =>
  causes.add({
    role: "cluster-ip",
    object: { kind: "Service", namespace: service.namespace, name: service.name },
    ...(service.origin ? { source: service.origin.source, field: service.origin.field } : {}),
  });
