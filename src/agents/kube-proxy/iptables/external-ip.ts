/** Traffic to a Service's externalIPs: nat KUBE-SERVICES, refusals in filter KUBE-EXTERNAL-SERVICES. */
import type { Rule } from "../../../linux/netfilter/rule.ts";
import type { ServicePort } from "../service-ports.ts";
import { type Context, jump, refusalOf, ruleOf, serviceCause, toAddress } from "./context.ts";

/** nat KUBE-SERVICES, in spec order. */
export function natExternalIps(context: Context, port: ServicePort): readonly Rule[] {
  if (!context.decide(port).hasEndpoints) return [];
  return port.externalIPs.map(({ value, index }) =>
    ruleOf(
      toAddress(port, value, `${port.text} external IP`),
      jump(context.chainName("EXT", port)),
      serviceCause(context, port, "external-ip", ["spec", "externalIPs", index]),
    ),
  );
}

/** filter KUBE-EXTERNAL-SERVICES. */
export function filterExternalIps(context: Context, port: ServicePort): readonly Rule[] {
  const refusal = refusalOf(context, port, "hasExternal");
  if (refusal === undefined) return [];
  const cause = serviceCause(context, port, refusal.reason, refusal.field, refusal.note);
  return port.externalIPs.map(({ value }) => ruleOf(toAddress(port, value, refusal.text), refusal.target, cause, refusal.reason));
}
