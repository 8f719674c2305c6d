/** The rules in the chains of one service port, in both forms. */
import type { NftArm, NftExpression, NftRule, NftTarget, NftValue, NftVerdict } from "../../../linux/netfilter/nft.ts";
import { cidrContains, networkOf } from "../../../net/address.ts";
import type { ProxyEndpoint } from "../endpoints.ts";
import { endpointCause, portField, serviceCause } from "../iptables/context.ts";
import { nodeAddress } from "../node-addresses.ts";
import type { ServicePort } from "../service-ports.ts";
import {
  address,
  askForMasquerade,
  destination,
  FROM_LOCAL,
  goto,
  inSet,
  is,
  isNot,
  jump,
  type NftWriter,
  prefix,
  rule,
  source,
  verdict,
  word,
} from "./context.ts";

/** service- and local-: masquerading of cluster IP traffic, affinity, the choice of an endpoint. */
export function serviceRules(writer: NftWriter, port: ServicePort, kind: "service" | "local"): readonly NftRule[] {
  const decision = writer.decide(port);
  const endpoints = kind === "service" ? decision.cluster : decision.local;
  const takesClusterIp = decision.hasInternal && port.internalPolicyLocal === (kind === "local");
  const hasChains = writer.form === "first" || port.affinitySeconds !== undefined;
  return [
    ...(writer.form === "first" && takesClusterIp ? clusterIpMasquerade(writer, port) : []),
    ...affinityRules(writer, port, endpoints),
    hasChains ? choiceOfChain(writer, port, endpoints) : choiceOfTarget(writer, port, endpoints),
  ];
}

function clusterIpMasquerade(writer: NftWriter, port: ServicePort): readonly NftRule[] {
  const local = writer.localTraffic;
  if (!writer.masqueradeAll && !local) return [];
  const notLocal = writer.masqueradeAll || !local ? [] : [isNot(local.field, local.value)];
  return [
    rule(serviceCause(writer, port, "masquerade", ["spec", "clusterIP"]), [
      is(destination(writer), address(port.clusterIP)),
      is(`${port.protocol} dport`, word(port.port.port)),
      ...notLocal,
      askForMasquerade(writer),
    ]),
  ];
}

function affinityRules(writer: NftWriter, port: ServicePort, endpoints: readonly ProxyEndpoint[]): readonly NftRule[] {
  if (port.affinitySeconds === undefined) return [];
  const cause = serviceCause(writer, port, "endpoint", ["spec", "sessionAffinity"]);
  return endpoints.map((endpoint) =>
    rule(cause, [inSet([source(writer)], writer.affinitySet(port, endpoint)), goto(writer.endpointChain(port, endpoint))]),
  );
}

const fixedChoice = (writer: NftWriter, port: ServicePort) => serviceCause(writer, port, "endpoint", ["spec", "selector"]);

function choiceOfChain(writer: NftWriter, port: ServicePort, endpoints: readonly ProxyEndpoint[]): NftRule {
  const arms = endpoints.map(
    (endpoint, key): NftArm<NftVerdict> => ({
      key,
      value: { kind: "goto", chain: writer.endpointChain(port, endpoint) },
      cause: endpointCause(writer, endpoint, "endpoint"),
    }),
  );
  return rule(fixedChoice(writer, port), [{ kind: "numgen-vmap", mode: "random", mod: endpoints.length, arms }]);
}

function choiceOfTarget(writer: NftWriter, port: ServicePort, endpoints: readonly ProxyEndpoint[]): NftRule {
  const arms = endpoints.map(
    (endpoint, key): NftArm<NftTarget> => ({
      key,
      value: { ip: endpoint.ip, port: endpoint.port },
      cause: targetCause(writer, port, endpoint),
    }),
  );
  const family = writer.family === 4 ? "ip" : "ip6";
  return rule(fixedChoice(writer, port), [
    is("meta l4proto", word(port.protocol)),
    { kind: "numgen-dnat", family, mode: "random", mod: endpoints.length, arms },
  ]);
}

function targetCause(writer: NftWriter, port: ServicePort, endpoint: ProxyEndpoint) {
  const { pod } = endpoint.endpoint;
  const note = pod ? `endpoint ${endpoint.text} is pod ${pod.namespace}/${pod.name}` : `endpoint ${endpoint.text}`;
  return serviceCause(writer, port, "endpoint", portField(port, "targetPort"), note);
}

/** endpoint-: hairpin traffic is marked, the client remembered, then the destination becomes the endpoint. */
export function endpointRules(writer: NftWriter, port: ServicePort, endpoint: ProxyEndpoint): readonly NftRule[] {
  const hairpin = rule(endpointCause(writer, endpoint, "hairpin"), [is(source(writer), address(endpoint.ip)), jump("mark-for-masquerade")]);
  const remember: NftExpression = { kind: "update", set: writer.affinitySet(port, endpoint), field: source(writer) };
  const cause = targetCause(writer, port, endpoint);
  return [
    ...(writer.form === "first" ? [hairpin] : []),
    ...(port.affinitySeconds === undefined ? [] : [rule(cause, [remember])]),
    rule(cause, [is("meta l4proto", word(port.protocol)), { kind: "dnat", to: { ip: endpoint.ip, port: endpoint.port }, flags: [] }]),
  ];
}

/** external-: pods and the node itself reach every endpoint even under policy Local; falling off the end means no DNAT. */
export function externalRules(writer: NftWriter, port: ServicePort): readonly NftRule[] {
  const { hasExternal } = writer.decide(port);
  const masquerade = serviceCause(writer, port, "masquerade", ["spec", "externalTrafficPolicy"]);
  const onwards = serviceCause(writer, port, "endpoint", ["spec", "selector"]);
  const onwardsTo = (kind: "service" | "local"): NftRule => rule(onwards, [goto(writer.chainName(kind, port))]);
  if (!port.externalPolicyLocal) return [rule(masquerade, [askForMasquerade(writer)]), ...(hasExternal ? [onwardsTo("service")] : [])];
  const cluster = goto(writer.chainName("service", port));
  const local = writer.localTraffic;
  const fromPods = local ? [rule(onwards, [is(local.field, local.value), cluster], { comment: "short-circuit pod traffic" })] : [];
  return [
    ...fromPods,
    rule(masquerade, [FROM_LOCAL, askForMasquerade(writer)], { comment: "masquerade local traffic" }),
    rule(onwards, [FROM_LOCAL, cluster], { comment: "short-circuit local traffic" }),
    ...(hasExternal ? [onwardsTo("local")] : []),
  ];
}

/** firewall-: a range that holds the node's own address also lets the load-balancer address itself in. */
export function firewallRulesOf(writer: NftWriter, port: ServicePort): readonly NftRule[] {
  const own = nodeAddress(writer.node, writer.family);
  const isNodeAllowed = own !== undefined && port.sourceRanges.some(({ value }) => cidrContains(value, own));
  const allowed: readonly NftValue[] = [
    ...port.sourceRanges.map(({ value }) => prefix(networkOf(value))),
    ...(isNodeAllowed ? port.vips.map(({ value }) => address(value)) : []),
  ];
  const cause = serviceCause(writer, port, "load-balancer-ip", ["spec", "loadBalancerSourceRanges"]);
  return [rule(cause, [isNot(source(writer), ...allowed), verdict({ kind: "drop" })], { reason: "source-range-denied" })];
}
