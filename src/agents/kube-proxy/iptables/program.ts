/**
 * kube-proxy in iptables mode on one node: the tables it writes in both families (pkg/proxy/iptables/proxier.go, v1.30).
 * A service port's chains are made when they are first jumped to. Up to 1.23: old/. Not modelled: partial syncs.
 */
import type { Cluster, ClusterNode } from "../../../cluster/cluster.ts";
import type { Rule } from "../../../linux/netfilter/rule.ts";
import type { Chain } from "../../../linux/netfilter/table.ts";
import type { Family, Ip } from "../../../net/address.ts";
import type { CauseTable } from "../../../objects/cause.ts";
import { chainOfRules, partOf, type RulesetPart } from "../../ruleset.ts";
import { createEndpointDecider, type EndpointDecider } from "../endpoints.ts";
import { isAtLeast } from "../names.ts";
import { hasLocalhostNodePorts, localTraffic, nodePortAddresses } from "../node-addresses.ts";
import { type ServicePort, servicePorts } from "../service-ports.ts";
import { filterClusterIp, natClusterIp } from "./cluster-ip.ts";
import type { Context } from "./context.ts";
import { addressKey, dispatchChain, once, portKey } from "./dispatch.ts";
import { filterExternalIps, natExternalIps } from "./external-ip.ts";
import { firewallRules, forwardRules, jumpsOf, markRules, postroutingRules } from "./fixed.ts";
import { filterFirewall, filterLoadBalancer, natLoadBalancer } from "./load-balancer.ts";
import { filterNodePort, healthCheckNodePort, natNodePort, toNodePorts } from "./node-port.ts";
import { oldFilterPart, oldForm, oldNatPart } from "./old/program.ts";
import { oldRelease } from "./old/release.ts";
import { createPortChains, currentForm, type PortChains } from "./port-chains.ts";

/** What the node's interfaces hold besides `node.interfaces`, once the CNI plugin has run. Only nodePortAddresses asks. */
export type ProgramOptions = { readonly localAddresses?: readonly Ip[] };

/** The parts of mangle, filter and nat, IPv4 and IPv6. */
export function programIptables(
  cluster: Cluster,
  node: ClusterNode,
  causes: CauseTable,
  options: ProgramOptions = {},
): readonly RulesetPart[] {
  const endpoints = createEndpointDecider(cluster, node);
  return ([4, 6] as const).flatMap((family) => programFamily(cluster, node, causes, family, endpoints, options));
}

/** The sysctls that kube-proxy sets in iptables mode. ip_forward is not among them. */
export function iptablesSysctls(cluster: Cluster, node: ClusterNode): Readonly<Record<string, string>> {
  return hasLocalhostNodePorts(cluster, nodePortAddresses(cluster, node, 4)) ? { "net.ipv4.conf.all.route_localnet": "1" } : {};
}

function programFamily(
  cluster: Cluster,
  node: ClusterNode,
  causes: CauseTable,
  family: Family,
  endpoints: EndpointDecider,
  options: ProgramOptions,
): readonly RulesetPart[] {
  const ports = once(() => servicePorts(cluster, family));
  const nodePorts = nodePortAddresses(cluster, node, family, options.localAddresses);
  const old = oldRelease(cluster.version);
  const form = old ? oldForm(() => context, old) : currentForm(() => context);
  const chains: PortChains = createPortChains(
    ports,
    () => context,
    () => form,
  );
  const context: Context = {
    family,
    node,
    causes,
    fixedCause: causes.add({ role: "kube-proxy" }),
    decide: endpoints.decide,
    endpointsOf: endpoints.all,
    chainName: chains.chainName,
    endpointChain: chains.endpointChain,
    localTraffic: localTraffic(cluster, node, family),
    nodePorts,
    localhostNodePorts: hasLocalhostNodePorts(cluster, nodePorts),
    masqueradeAll: cluster.kubeProxy.iptables?.masqueradeAll ?? false,
    mark: 2 ** (cluster.kubeProxy.iptables?.masqueradeBit ?? 14),
    isLarge: once(() => old?.commentsOnEndpoints === false || hasOver(ports(), endpoints, 1000)),
    commentsNameEndpoints: isAtLeast(cluster.version, 26),
    liberalTcp: isLiberal(cluster, node),
  };
  const canary = chainOfRules("KUBE-PROXY-CANARY", []);
  const mangle = partOf(family, "mangle", [canary]);
  if (old) return [mangle, oldFilterPart(context, old, ports, canary), oldNatPart(context, old, ports, canary, chains)];
  return [mangle, filterPart(context, ports, canary), natPart(context, ports, canary, chains)];
}

/** Counted over all service ports, in whatever condition. */
function hasOver(ports: readonly ServicePort[], endpoints: EndpointDecider, limit: number): boolean {
  let count = 0;
  for (const port of ports) {
    count += endpoints.all(port).length;
    if (count > limit) return true;
  }
  return false;
}

type Ports = () => readonly ServicePort[];

const clusterIpKey = (port: ServicePort): string => addressKey(port.protocol, port.clusterIP, port.port.port);
const externalKeys = (port: ServicePort): string[] =>
  [...port.externalIPs, ...port.vips].map(({ value }) => addressKey(port.protocol, value, port.port.port));
const nodePortKeys = (port: ServicePort): string[] => (port.nodePort === undefined ? [] : [portKey(port.protocol, port.nodePort)]);
const healthKeys = ({ healthCheckNodePort: port }: ServicePort): string[] => (port === undefined ? [] : [portKey("tcp", port)]);

function filterPart(context: Context, ports: Ports, canary: Chain): RulesetPart {
  const external = (port: ServicePort): readonly Rule[] => [
    ...filterExternalIps(context, port),
    ...filterLoadBalancer(context, port),
    ...filterNodePort(context, port),
  ];
  const chains: Chain[] = [
    dispatchChain({
      name: "KUBE-EXTERNAL-SERVICES",
      ports,
      keys: (port) => [...externalKeys(port), ...nodePortKeys(port)],
      rules: external,
    }),
    chainOfRules("KUBE-FIREWALL", firewallRules(context)),
    chainOfRules("KUBE-FORWARD", forwardRules(context)),
    dispatchChain({ name: "KUBE-NODEPORTS", ports, keys: healthKeys, rules: (port) => healthCheckNodePort(context, port) }),
    canary,
    dispatchChain({ name: "KUBE-PROXY-FIREWALL", ports, keys: externalKeys, rules: (port) => filterFirewall(context, port) }),
    dispatchChain({ name: "KUBE-SERVICES", ports, keys: (port) => [clusterIpKey(port)], rules: (port) => filterClusterIp(context, port) }),
  ];
  return partOf(context.family, "filter", chains, jumpsOf(context, "filter"));
}

function natPart(context: Context, ports: Ports, canary: Chain, portChains: PortChains): RulesetPart {
  const services = (port: ServicePort): readonly Rule[] => [
    ...natClusterIp(context, port),
    ...natExternalIps(context, port),
    ...natLoadBalancer(context, port),
  ];
  const chains: Chain[] = [
    chainOfRules("KUBE-MARK-MASQ", markRules(context)),
    dispatchChain({ name: "KUBE-NODEPORTS", ports, keys: nodePortKeys, rules: (port) => natNodePort(context, port) }),
    chainOfRules("KUBE-POSTROUTING", postroutingRules(context)),
    canary,
    dispatchChain({
      name: "KUBE-SERVICES",
      ports,
      keys: (port) => [clusterIpKey(port), ...externalKeys(port)],
      rules: services,
      tail: () => toNodePorts(context),
    }),
  ];
  const fixed = partOf(context.family, "nat", chains, jumpsOf(context, "nat"));
  return { ...fixed, chain: (name) => fixed.chain(name) ?? portChains.chain(name), names: () => [...fixed.names(), ...portChains.names()] };
}

/** The sysctl as kube-proxy finds it when it starts; conntrack.tcpBeLiberal sets it before (1.29). */
const isLiberal = (cluster: Cluster, node: ClusterNode): boolean =>
  Number(node.sysctls["net.netfilter.nf_conntrack_tcp_be_liberal"] ?? 0) !== 0 ||
  (cluster.kubeProxy.conntrack?.tcpBeLiberal === true && isAtLeast(cluster.version, 29));
