/** Traffic to the cluster IP: its rule in nat KUBE-SERVICES, or its refusal in filter KUBE-SERVICES. */
import type { Rule } from "../../../linux/netfilter/rule.ts";
import type { ServicePort } from "../service-ports.ts";
import { type Context, jump, portField, refusalOf, ruleOf, serviceCause, toAddress } from "./context.ts";

/** nat KUBE-SERVICES. */
export function natClusterIp(context: Context, port: ServicePort): readonly Rule[] {
  if (!context.decide(port).hasInternal) return [];
  const chain = context.chainName(port.internalPolicyLocal ? "SVL" : "SVC", port);
  const cause = serviceCause(context, port, "cluster-ip", portField(port, "port"));
  return [ruleOf(toAddress(port, port.clusterIP, `${port.text} cluster IP`), jump(chain), cause)];
}

/** filter KUBE-SERVICES. */
export function filterClusterIp(context: Context, port: ServicePort): readonly Rule[] {
  const refusal = refusalOf(context, port, "hasInternal");
  if (refusal === undefined) return [];
  const cause = serviceCause(context, port, refusal.reason, refusal.field, refusal.note);
  return [ruleOf(toAddress(port, port.clusterIP, refusal.text), refusal.target, cause, refusal.reason)];
}
