/**
 * The oracle cases (fixtures/oracle): objects with every default filled in and what the real kube-proxy 1.30.3 made of
 * them. Read straight to the fields of Cluster that kube-proxy uses.
 */
import { readdirSync, readFileSync } from "node:fs";
import { loadAll } from "js-yaml";
import type { Cluster, ClusterEndpoint, ClusterNode, ClusterService, ClusterSlice } from "../../../src/cluster/cluster.ts";
import { type Cidr, parseCidr, parseIp } from "../../../src/net/address.ts";
import type { ApiProtocol, Labels } from "../../../src/objects/api.ts";
import { invariant } from "../../../src/objects/diagnostic.ts";
import type { Source } from "../../../src/objects/source.ts";
import type { KubeProxySettings } from "../../../src/objects/topology.ts";

const ROOT = "fixtures/oracle";

/** Every case with the nodes it was run on. */
export const oracleCases: readonly { readonly name: string; readonly nodes: readonly string[] }[] = readdirSync(ROOT)
  .sort()
  .filter((name) => !name.includes("."))
  .map((name) => ({
    name,
    nodes: readdirSync(`${ROOT}/${name}`)
      .filter((entry) => !entry.endsWith(".yaml"))
      .sort(),
  }));

/** A capture of one node, undefined when the case has none. */
export function capture(name: string, node: string, file: string): string | undefined {
  return readdirSync(`${ROOT}/${name}/${node}`).includes(file) ? readFileSync(`${ROOT}/${name}/${node}/${file}`, "utf8") : undefined;
}

export type OracleMode = "iptables" | "nftables" | "ipvs";

/** The cluster of a case, with kube-proxy configured as it was in one mode. */
export function oracleCluster(name: string, mode: OracleMode = "iptables"): Cluster {
  const file = `${ROOT}/${name}/cluster.yaml`;
  const objects = loadAll(readFileSync(file, "utf8")).map((object, index) => ({ object, source: { file, offset: index, path: [] } }));
  const [config] = loadAll(readFileSync(`${ROOT}/${name}/case.yaml`, "utf8"));
  const ofKind = (kind: string) => objects.filter(({ object }) => at(object, "kind") === kind);
  return {
    version: { major: 1, minor: 30, text: "1.30.3" },
    clusterDomain: "cluster.local",
    podCIDRs: [],
    serviceCIDRs: [],
    nodePortRange: { from: 30000, to: 32767 },
    clusterDNS: [],
    kubeProxy: { ...settingsOf(at(config, "kubeProxyConfig", mode)), mode },
    cni: { plugin: "none" },
    ingressControllers: [],
    dnsRecords: [],
    nodes: ofKind("Node").map(({ object }) => nodeOf(object, at(config, "nodes"))),
    hosts: [],
    namespaces: [],
    workloads: [],
    pods: [],
    services: ofKind("Service")
      .map(({ object, source }) => serviceOf(object, source))
      .sort(byName),
    slices: ofKind("EndpointSlice").flatMap(({ object, source }) => sliceOf(object, source)),
    endpoints: [],
    ingresses: [],
    ingressClasses: [],
    configMaps: [],
    events: [],
    assumptions: [],
    diagnostics: [],
  };
}

export function nodeNamed(cluster: Cluster, name: string): ClusterNode {
  const node = cluster.nodes.find((one) => one.name === name);
  invariant(node, `the case has node ${name}`);
  return node;
}

const byName = (a: ClusterService, b: ClusterService): number => {
  const keys = [`${a.namespace}\0${a.name}`, `${b.namespace}\0${b.name}`] as const;
  return keys[0] < keys[1] ? -1 : keys[0] > keys[1] ? 1 : 0;
};

function settingsOf(config: unknown): KubeProxySettings {
  const mode = text(at(config, "detectLocalMode"));
  const masqueradeAll = at(config, "iptables", "masqueradeAll") === true;
  return {
    clusterCIDR: text(at(config, "clusterCIDR")) ?? "",
    ...(mode === "NodeCIDR" ? { detectLocalMode: mode } : {}),
    nodePortAddresses: texts(at(config, "nodePortAddresses")),
    iptables: { masqueradeAll },
    nftables: { masqueradeAll: at(config, "nftables", "masqueradeAll") === true },
    featureGates: at(config, "featureGates", "ServiceTrafficDistribution") === true ? { ServiceTrafficDistribution: true } : {},
  };
}

function nodeOf(object: unknown, machines: unknown): ClusterNode {
  const name = nameOf(object);
  const interfaces = Object.entries(record(at(machines, name, "interfaces"))).map(([link, addresses]) => ({
    name: link,
    mac: "02:00:00:00:00:01",
    mtu: 1500,
    up: true,
    addresses: cidrs(addresses),
  }));
  return {
    kind: "node",
    name,
    aliases: [],
    interfaces,
    routes: [],
    hostsFile: [],
    listens: [],
    sysctls: {},
    internalIPs: list(at(object, "status", "addresses")).flatMap((entry) =>
      at(entry, "type") === "InternalIP" ? ips([at(entry, "address")]) : [],
    ),
    podCIDRs: cidrs(at(object, "spec", "podCIDRs")),
    labels: labelsOf(object, "labels"),
    taints: [],
    unschedulable: false,
    ready: true,
    nodeInfo: {},
    roles: [],
  };
}

function serviceOf(object: unknown, source: Source): ClusterService {
  const spec = at(object, "spec");
  const type = (["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] as const).find((one) => one === at(spec, "type"));
  const health = number(at(spec, "healthCheckNodePort"));
  const external = policyOf(at(spec, "externalTrafficPolicy"));
  const internal = policyOf(at(spec, "internalTrafficPolicy"));
  invariant(type, "the oracle fills in every type");
  return {
    namespace: text(at(object, "metadata", "namespace")) ?? "default",
    name: nameOf(object),
    labels: labelsOf(object, "labels"),
    annotations: labelsOf(object, "annotations"),
    type,
    clusterIPs: list(at(spec, "clusterIPs")).flatMap((ip) => (ip === "None" ? ["None"] : ips([ip]))),
    ipFamilies: [],
    ports: list(at(spec, "ports")).map((port, index) => {
      const nodePort = number(at(port, "nodePort"));
      return {
        index,
        name: text(at(port, "name")) ?? "",
        protocol: protocolOf(port),
        port: number(at(port, "port")) ?? 0,
        targetPort: number(at(port, "targetPort")) ?? text(at(port, "targetPort")) ?? 0,
        ...(nodePort === undefined ? {} : { nodePort }),
      };
    }),
    externalIPs: ips(at(spec, "externalIPs")),
    ...(external ? { externalTrafficPolicy: external } : {}),
    ...(internal ? { internalTrafficPolicy: internal } : {}),
    sessionAffinity: at(spec, "sessionAffinity") === "ClientIP" ? "ClientIP" : "None",
    affinityTimeoutSeconds: number(at(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds")) ?? 10800,
    loadBalancerSourceRanges: cidrs(at(spec, "loadBalancerSourceRanges")),
    loadBalancerIngress: list(at(object, "status", "loadBalancer", "ingress")).map((entry) => {
      const ip = text(at(entry, "ip"));
      const ipMode = (["VIP", "Proxy"] as const).find((mode) => mode === at(entry, "ipMode"));
      return { ...(ip ? { ip } : {}), ...(ipMode ? { ipMode } : {}) };
    }),
    ...(health === undefined ? {} : { healthCheckNodePort: health }),
    publishNotReadyAddresses: at(spec, "publishNotReadyAddresses") === true,
    origin: { source, field: [] },
  };
}

function sliceOf(object: unknown, source: Source): ClusterSlice[] {
  const service = labelsOf(object, "labels")["kubernetes.io/service-name"];
  const addressType = (["IPv4", "IPv6"] as const).find((one) => one === at(object, "addressType"));
  if (service === undefined || addressType === undefined) return [];
  return [
    {
      namespace: text(at(object, "metadata", "namespace")) ?? "default",
      name: nameOf(object),
      service,
      labels: labelsOf(object, "labels"),
      addressType,
      ports: list(at(object, "ports")).map((port) => ({
        name: text(at(port, "name")) ?? "",
        protocol: protocolOf(port),
        port: number(at(port, "port")) ?? 0,
      })),
      endpoints: list(at(object, "endpoints")).map((endpoint, index) => endpointOf(endpoint, { source, field: ["endpoints", index] })),
    },
  ];
}

function endpointOf(endpoint: unknown, origin: NonNullable<ClusterEndpoint["origin"]>): ClusterEndpoint {
  const nodeName = text(at(endpoint, "nodeName"));
  const hints = list(at(endpoint, "hints", "forZones")).flatMap((zone) => text(at(zone, "name")) ?? []);
  const pod = { namespace: text(at(endpoint, "targetRef", "namespace")), name: text(at(endpoint, "targetRef", "name")) };
  return {
    addresses: ips(at(endpoint, "addresses")),
    ready: at(endpoint, "conditions", "ready") !== false,
    serving: at(endpoint, "conditions", "serving") !== false,
    terminating: at(endpoint, "conditions", "terminating") === true,
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(hints.length > 0 ? { forZones: hints } : {}),
    ...(pod.namespace && pod.name ? { pod: { namespace: pod.namespace, name: pod.name } } : {}),
    origin,
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const record = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});
const at = (value: unknown, ...path: readonly string[]): unknown => path.reduce((inner: unknown, key) => record(inner)[key], value);
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const texts = (value: unknown): string[] => list(value).flatMap((one) => text(one) ?? []);
const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
const ips = (value: unknown): string[] => texts(value).flatMap((one) => parseIp(one) ?? []);
const cidrs = (value: unknown): Cidr[] => texts(value).flatMap((one) => parseCidr(one) ?? []);
const nameOf = (object: unknown): string => text(at(object, "metadata", "name")) ?? "";
const policyOf = (value: unknown) => (["Cluster", "Local"] as const).find((policy) => policy === value);
const protocolOf = (port: unknown): ApiProtocol => (["TCP", "UDP", "SCTP"] as const).find((one) => one === at(port, "protocol")) ?? "TCP";
const labelsOf = (object: unknown, field: "labels" | "annotations"): Labels =>
  Object.fromEntries(Object.entries(record(at(object, "metadata", field))).map(([key, value]) => [key, String(value)]));
