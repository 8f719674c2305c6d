/**
 * kube-proxy in userspace mode, removed in 1.26: the iptables rules that bring a Service's packets to kube-proxy's own ports
 * (pkg/proxy/userspace/proxier.go of 1.20: iptablesInit, openOnePortal, openNodePort). What it then does with a connection
 * is the business of a process: apps/userspace-proxy.ts.
 */
import type { Cluster, ClusterNode } from "../../../cluster/cluster.ts";
import type { Match, Rule, Target } from "../../../linux/netfilter/rule.ts";
import type { Family, Ip } from "../../../net/address.ts";
import type { CauseId } from "../../../net/cause.ts";
import type { CauseRole, CauseTable } from "../../../objects/cause.ts";
import type { PathPart } from "../../../objects/source.ts";
import { type BuiltInRules, partOf, type RulesetPart } from "../../ruleset.ts";
import { comment, destination, dport, jump, portField, protocolOf, serviceCause } from "../iptables/context.ts";
import { addressKey, type Dispatch, dispatchChain, once, portKey } from "../iptables/dispatch.ts";
import { nodeAddress } from "../node-addresses.ts";
import type { ServicePort } from "../service-ports.ts";
import { proxiedFamily, proxiedPorts, proxyPortAt } from "./proxied-ports.ts";

type UserspaceContext = {
  readonly family: Family;
  readonly causes: CauseTable;
  readonly proxyPort: (port: ServicePort) => number;
  readonly hostIP: Ip;
};

/** The parts of nat and filter. None on a node without an address. */
export function programUserspace(cluster: Cluster, node: ClusterNode, causes: CauseTable): readonly RulesetPart[] {
  const family = proxiedFamily(node);
  const hostIP = nodeAddress(node, family);
  if (hostIP === undefined) return [];
  const ports = once(() => proxiedPorts(cluster, family));
  const indexOf = once(() => new Map(ports().map((port, index) => [port, index])));
  const context: UserspaceContext = { family, causes, hostIP, proxyPort: (port) => proxyPortAt(indexOf().get(port) ?? 0) };
  const chain = (name: string, keys: Dispatch["keys"], rules: (port: ServicePort) => readonly Rule[]) =>
    dispatchChain({ name, ports, keys, rules });
  const nat = [
    chain("KUBE-NODEPORT-CONTAINER", nodePortKeys, (port) => nodePortRules(context, port, toProxy(context, port))),
    chain("KUBE-NODEPORT-HOST", nodePortKeys, (port) => nodePortRules(context, port, toHost(context, port))),
    chain("KUBE-PORTALS-CONTAINER", portalKeys, (port) => containerPortals(context, port)),
    chain("KUBE-PORTALS-HOST", portalKeys, (port) => hostPortals(context, port)),
  ];
  const nonLocal = chain(
    "KUBE-NODEPORT-NON-LOCAL",
    (port) => (port.nodePort === undefined ? [] : [portKey(port.protocol, context.proxyPort(port))]),
    (port) => nonLocalRules(context, port),
  );
  const cause = causes.add({ role: "kube-proxy" });
  return [partOf(family, "filter", [nonLocal], filterJumps(cause)), partOf(family, "nat", nat, natJumps(cause))];
}

const PORTALS = "handle ClusterIPs; NOTE: this must be before the NodePort rules";
const NODE_PORTS = "handle service NodePorts; NOTE: this must be the last rule in the chain";
const TO_LOCAL: Match = { kind: "addrtype", side: "dst", type: "LOCAL" };

/** Cluster IPs are looked for first, node ports last. */
const natJumps = (cause: CauseId): readonly BuiltInRules[] =>
  (["PREROUTING", "OUTPUT"] as const).flatMap((chain) => {
    const who = chain === "OUTPUT" ? "HOST" : "CONTAINER";
    const portals: Rule = { matches: [comment(PORTALS)], target: jump(`KUBE-PORTALS-${who}`), cause };
    const nodePorts: Rule = { matches: [TO_LOCAL, comment(NODE_PORTS)], target: jump(`KUBE-NODEPORT-${who}`), cause };
    return [
      { chain, at: "front", ensure: true, rules: [portals] },
      { chain, at: "back", ensure: true, rules: [nodePorts] },
    ];
  });

const filterJumps = (cause: CauseId): readonly BuiltInRules[] => {
  const text = comment("Ensure that non-local NodePort traffic can flow");
  return [{ chain: "INPUT", at: "front", ensure: true, rules: [{ matches: [text], target: jump("KUBE-NODEPORT-NON-LOCAL"), cause }] }];
};

const portalKeys = (port: ServicePort): readonly string[] =>
  [port.clusterIP, ...[...port.externalIPs, ...port.vips].map(({ value }) => value)].map((ip) =>
    addressKey(port.protocol, ip, port.port.port),
  );
const nodePortKeys = (port: ServicePort): readonly string[] => (port.nodePort === undefined ? [] : [portKey(port.protocol, port.nodePort)]);

/** What comes in by a device goes to the device's own address, so that the answer leaves where the request came in. */
const toProxy = ({ proxyPort }: UserspaceContext, port: ServicePort): Target => ({
  kind: "redirect",
  ports: { from: proxyPort(port), to: proxyPort(port) },
});
/** What the node sends itself: REDIRECT would mean 127.0.0.1, and the answer would come from elsewhere. */
const toHost = ({ hostIP, proxyPort }: UserspaceContext, port: ServicePort): Target => ({
  kind: "dnat",
  ip: hostIP,
  ports: { from: proxyPort(port), to: proxyPort(port) },
});

type Portal = { readonly ip: Ip; readonly role: CauseRole; readonly field: readonly PathPart[]; readonly isExternal: boolean };

/** openPortal: spec.externalIPs alone are external to it. An address of the balancer is taken as the cluster IP is. */
const portalsOf = (port: ServicePort): readonly Portal[] => [
  { ip: port.clusterIP, role: "cluster-ip", field: portField(port, "port"), isExternal: false },
  ...port.externalIPs.map(({ value, index }) => ({
    ip: value,
    role: "external-ip" as const,
    field: ["spec", "externalIPs", index],
    isExternal: true,
  })),
  ...port.vips.map(({ value, index }) => ({
    ip: value,
    role: "load-balancer-ip" as const,
    field: ["status", "loadBalancer", "ingress", index],
    isExternal: false,
  })),
];

const portalRule = (context: UserspaceContext, port: ServicePort, portal: Portal, extra: readonly Match[], target: Target): Rule => ({
  matches: [destination(portal.ip), protocolOf(port), comment(port.text), dport(port, port.port.port), ...extra],
  target,
  cause: serviceCause(context, port, portal.role, portal.field),
});

/** An external address is taken when the packet comes from outside (no bridge port), or when the address is the node's own. */
const FROM_OUTSIDE: Match = { kind: "physdev", not: true, text: "! --physdev-is-in", isIn: true };

const containerPortals = (context: UserspaceContext, port: ServicePort): readonly Rule[] =>
  portalsOf(port).flatMap((portal) => {
    const rule = (extra: readonly Match[]): Rule => portalRule(context, port, portal, extra, toProxy(context, port));
    return portal.isExternal ? [rule([FROM_OUTSIDE]), rule([TO_LOCAL])] : [rule([])];
  });

const hostPortals = (context: UserspaceContext, port: ServicePort): readonly Rule[] =>
  portalsOf(port).map((portal) => portalRule(context, port, portal, portal.isExternal ? [TO_LOCAL] : [], toHost(context, port)));

function nodePortRules(context: UserspaceContext, port: ServicePort, target: Target): readonly Rule[] {
  if (port.nodePort === undefined) return [];
  const cause = serviceCause(context, port, "node-port", portField(port, "nodePort"));
  return [{ matches: [protocolOf(port), comment(port.text), dport(port, port.nodePort)], target, cause }];
}

function nonLocalRules(context: UserspaceContext, port: ServicePort): readonly Rule[] {
  if (port.nodePort === undefined) return [];
  const isNew: Match = { kind: "ctstate", states: ["NEW"], writtenAs: "state" };
  const cause = serviceCause(context, port, "node-port", portField(port, "nodePort"));
  const matches = [protocolOf(port), comment(port.text), dport(port, context.proxyPort(port)), isNew];
  return [{ matches, target: { kind: "accept" }, cause }];
}
