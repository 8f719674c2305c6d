/** KUBE-SVC and KUBE-SVL: masquerading of cluster IP traffic, session affinity, and the random choice of an endpoint. */
import type { Match, Rule } from "../../../linux/netfilter/rule.ts";
import type { ProxyEndpoint } from "../endpoints.ts";
import type { ServicePort } from "../service-ports.ts";
import { type Context, comment, endpointCause, jump, MARK_MASQ, negated, ruleOf, serviceCause, toAddress } from "./context.ts";

/** The chain for policy Cluster (SVC) or Local (SVL). */
export function serviceChain(context: Context, port: ServicePort, prefix: "SVC" | "SVL"): readonly Rule[] {
  const decision = context.decide(port);
  const endpoints = prefix === "SVC" ? decision.cluster : decision.local;
  const takesClusterIp = decision.hasInternal && port.internalPolicyLocal === (prefix === "SVL");
  const masquerade = takesClusterIp ? clusterIpMasquerade(context, port) : [];
  return [...masquerade, ...affinityRules(context, port, endpoints), ...choiceRules(context, port, endpoints)];
}

/** Cluster IP traffic that does not come from the node's own pods must come back through this node. */
function clusterIpMasquerade(context: Context, port: ServicePort): readonly Rule[] {
  const matches = toAddress(port, port.clusterIP, `${port.text} cluster IP`);
  const notLocal = context.masqueradeAll ? [] : context.localTraffic ? [negated(context.localTraffic)] : undefined;
  if (notLocal === undefined) return [];
  return [ruleOf([...notLocal, ...matches], jump(MARK_MASQ), serviceCause(context, port, "masquerade", ["spec", "clusterIP"]))];
}

/** A client that was seen before goes where it went. */
export function affinityRules(context: Context, port: ServicePort, endpoints: readonly ProxyEndpoint[]): readonly Rule[] {
  const seconds = port.affinitySeconds;
  if (seconds === undefined) return [];
  const cause = serviceCause(context, port, "endpoint", ["spec", "sessionAffinity"]);
  return endpoints.map((endpoint) => {
    const name = context.endpointChain(port, endpoint);
    const recent: Match = { kind: "recent", command: "rcheck", seconds, reap: true, name, side: "rsource" };
    return ruleOf([...endpointComment(context, port, endpoint), recent], jump(name), cause);
  });
}

/** One of n with 1/n, one of the rest with 1/(n-1), …, the last without a question. */
export function choiceRules(context: Context, port: ServicePort, endpoints: readonly ProxyEndpoint[]): readonly Rule[] {
  return endpoints.map((endpoint, index) => {
    const left = endpoints.length - index;
    const chance: Match[] = left > 1 ? [{ kind: "statistic-random", inverse: left }] : [];
    const matches = [...endpointComment(context, port, endpoint), ...chance];
    return ruleOf(matches, jump(context.endpointChain(port, endpoint)), endpointCause(context, endpoint, "endpoint"));
  });
}

function endpointComment(context: Context, port: ServicePort, endpoint: ProxyEndpoint): readonly Match[] {
  if (context.isLarge()) return [];
  return [comment(context.commentsNameEndpoints ? `${port.text} -> ${endpoint.text}` : port.text)];
}
