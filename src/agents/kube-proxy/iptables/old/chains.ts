/** The chains of a service port up to 1.23: KUBE-SVC, KUBE-XLB for policy Local, KUBE-FW before load-balancer addresses. */
import type { Match, Rule } from "../../../../linux/netfilter/rule.ts";
import { cidrContains, hostCidr, networkOf } from "../../../../net/address.ts";
import { nodeAddress } from "../../node-addresses.ts";
import type { ServicePort } from "../../service-ports.ts";
import { type Context, comment, jump, MARK_MASQ, ruleOf, serviceCause, source } from "../context.ts";
import { affinityRules, choiceRules } from "../service-chain.ts";
import { oldEndpoints } from "./endpoints.ts";
import { oldMarks, oldNodePortMark } from "./entrances.ts";
import type { OldRelease } from "./release.ts";

/** kubelet's chain: it sets the mark that kubelet's KUBE-FIREWALL drops in INPUT and OUTPUT. */
export const MARK_DROP = "KUBE-MARK-DROP";

export function oldServiceChain(context: Context, old: OldRelease, port: ServicePort): readonly Rule[] {
  const { all } = oldEndpoints(context, old, port);
  const marks = old.marksInServiceChain ? [...oldMarks(context, old, port), ...oldNodePortMark(context, port)] : [];
  return [...marks, ...affinityRules(context, port, all), ...choiceRules(context, port, all)];
}

const FROM_LOCAL: Match = { kind: "addrtype", side: "src", type: "LOCAL" };

/** Pods and the node itself go on to every endpoint; others to those of the node, and where there is none they are dropped. */
export function oldLocalChain(context: Context, old: OldRelease, port: ServicePort): readonly Rule[] {
  const { local } = oldEndpoints(context, old, port);
  const { text } = port;
  const onwards = serviceCause(context, port, "endpoint", ["spec", "selector"]);
  const cluster = jump(context.chainName("SVC", port));
  const toPods = comment("Redirect pods trying to reach external loadbalancer VIP to clusterIP");
  const masquerade = serviceCause(context, port, "masquerade", ["spec", "externalTrafficPolicy"]);
  return [
    ...(context.localTraffic ? [ruleOf([context.localTraffic, toPods], cluster, onwards)] : []),
    ruleOf([comment(`masquerade LOCAL traffic for ${text} LB IP`), FROM_LOCAL], jump(MARK_MASQ), masquerade),
    ruleOf([comment(`route LOCAL traffic for ${text} LB IP to service chain`), FROM_LOCAL], cluster, onwards),
    ...(local.length === 0 ? [noLocalEndpoints(context, port)] : toLocal(context, old, port)),
  ];
}

function toLocal(context: Context, old: OldRelease, port: ServicePort): readonly Rule[] {
  const { local } = oldEndpoints(context, old, port);
  const balancing = choiceRules(context, port, local);
  if (!old.countsBalancingRules) return [...affinityRules(context, port, local), ...balancing];
  const counted = balancing.map((rule, index) => ({
    ...rule,
    matches: [comment(`Balancing rule ${index} for ${port.text}`), ...rule.matches.filter(({ kind }) => kind !== "comment")],
  }));
  return [...affinityRules(context, port, local), ...counted];
}

function noLocalEndpoints(context: Context, port: ServicePort): Rule {
  const { namespace, name } = port.service;
  const note = `no endpoint of ${namespace}/${name} runs on ${context.node.name}, and externalTrafficPolicy is Local`;
  const cause = serviceCause(context, port, "no-local-endpoints", ["spec", "externalTrafficPolicy"], note);
  return ruleOf([comment(`${port.text} has no local endpoints`)], jump(MARK_DROP), cause, "no-local-endpoints");
}

/** A chain for every Service with load-balancer addresses, with source ranges or without. */
export function oldFirewallChain(context: Context, port: ServicePort): readonly Rule[] {
  const text = comment(`${port.text} loadbalancer IP`);
  const chosen = jump(context.chainName(port.externalPolicyLocal ? "XLB" : "SVC", port));
  const cause = serviceCause(context, port, "load-balancer-ip", ["spec", "loadBalancerSourceRanges"]);
  const own = nodeAddress(context.node, context.family);
  const isNodeAllowed = own !== undefined && port.sourceRanges.some(({ value }) => cidrContains(value, own));
  const allowed = port.sourceRanges.map(({ value }) => ruleOf([source(networkOf(value)), text], chosen, cause));
  const fromVips = isNodeAllowed ? port.vips.map(({ value }) => ruleOf([source(hostCidr(value)), text], chosen, cause)) : [];
  const marks = port.externalPolicyLocal
    ? []
    : [ruleOf([text], jump(MARK_MASQ), serviceCause(context, port, "masquerade", ["spec", "externalTrafficPolicy"]))];
  return [
    ...marks,
    ...(allowed.length === 0 ? [ruleOf([text], chosen, cause)] : [...allowed, ...fromVips]),
    ruleOf([text], jump(MARK_DROP), cause, "source-range-denied"),
  ];
}
