/**
 * Traffic to load-balancer addresses that the nodes capture themselves, and the source ranges that guard them (KUBE-FW,
 * KUBE-PROXY-FIREWALL). Node ports are never guarded.
 */
import type { Rule } from "../../../linux/netfilter/rule.ts";
import { cidrContains, formatCidr, hostCidr, networkOf } from "../../../net/address.ts";
import { nodeAddress } from "../node-addresses.ts";
import type { ServicePort } from "../service-ports.ts";
import { type Context, comment, jump, refusalOf, ruleOf, serviceCause, source, toAddress } from "./context.ts";

/** Whether a KUBE-FW chain stands before KUBE-EXT. */
export const usesFirewall = (context: Context, port: ServicePort): boolean =>
  port.vips.length > 0 && port.sourceRanges.length > 0 && context.decide(port).hasEndpoints;

const ingress = (index: number) => ["status", "loadBalancer", "ingress", index] as const;

/** nat KUBE-SERVICES, in status order. */
export function natLoadBalancer(context: Context, port: ServicePort): readonly Rule[] {
  if (!context.decide(port).hasEndpoints) return [];
  const chain = usesFirewall(context, port) ? "FW" : "EXT";
  return port.vips.map(({ value, index }) =>
    ruleOf(
      toAddress(port, value, `${port.text} loadbalancer IP`),
      jump(context.chainName(chain, port)),
      serviceCause(context, port, "load-balancer-ip", ingress(index)),
    ),
  );
}

/** filter KUBE-EXTERNAL-SERVICES. */
export function filterLoadBalancer(context: Context, port: ServicePort): readonly Rule[] {
  const refusal = refusalOf(context, port, "hasExternal");
  if (refusal === undefined) return [];
  const cause = serviceCause(context, port, refusal.reason, refusal.field, refusal.note);
  return port.vips.map(({ value }) => ruleOf(toAddress(port, value, refusal.text), refusal.target, cause, refusal.reason));
}

/** filter KUBE-PROXY-FIREWALL: what KUBE-FW let fall through still carries the load-balancer address. */
export function filterFirewall(context: Context, port: ServicePort): readonly Rule[] {
  if (!usesFirewall(context, port)) return [];
  const text = `${port.text} traffic not accepted by ${context.chainName("FW", port)}`;
  const ranges = port.sourceRanges.map(({ value }) => formatCidr(value)).join(", ");
  const note = `loadBalancerSourceRanges lets in ${ranges} only`;
  const cause = serviceCause(context, port, "load-balancer-ip", ["spec", "loadBalancerSourceRanges"], note);
  return port.vips.map(({ value }) => ruleOf(toAddress(port, value, text), { kind: "drop" }, cause, "source-range-denied"));
}

/** The KUBE-FW chain. A range that holds the node's own address also lets the load-balancer address itself in. */
export function firewallChain(context: Context, port: ServicePort): readonly Rule[] {
  const text = comment(`${port.text} loadbalancer IP`);
  const target = jump(context.chainName("EXT", port));
  const own = nodeAddress(context.node, context.family);
  const fromRanges = port.sourceRanges.map(({ value, index }) =>
    ruleOf(
      [source(networkOf(value)), text],
      target,
      serviceCause(context, port, "load-balancer-ip", ["spec", "loadBalancerSourceRanges", index]),
    ),
  );
  const isNodeAllowed = own !== undefined && port.sourceRanges.some(({ value }) => cidrContains(value, own));
  const fromVips = isNodeAllowed
    ? port.vips.map(({ value, index }) =>
        ruleOf([source(hostCidr(value)), text], target, serviceCause(context, port, "load-balancer-ip", ingress(index))),
      )
    : [];
  const rest = comment(`other traffic to ${port.text} will be dropped by KUBE-PROXY-FIREWALL`);
  return [
    ...fromRanges,
    ...fromVips,
    ruleOf([rest], { kind: "none" }, serviceCause(context, port, "load-balancer-ip", ["spec", "loadBalancerSourceRanges"])),
  ];
}
