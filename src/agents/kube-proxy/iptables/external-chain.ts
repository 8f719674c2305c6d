/** KUBE-EXT: where node-port, external and load-balancer traffic meets, and policy Local is told from policy Cluster. */
import type { Match, Rule } from "../../../linux/netfilter/rule.ts";
import type { ServicePort } from "../service-ports.ts";
import { type Context, comment, jump, MARK_MASQ, ruleOf, serviceCause } from "./context.ts";

const FROM_LOCAL: Match = { kind: "addrtype", side: "src", type: "LOCAL" };

/** Pods and the node itself reach every endpoint even under policy Local; falling off the end means no DNAT. */
export function externalChain(context: Context, port: ServicePort): readonly Rule[] {
  const { hasExternal } = context.decide(port);
  const masquerade = serviceCause(context, port, "masquerade", ["spec", "externalTrafficPolicy"]);
  const onwards = serviceCause(context, port, "endpoint", ["spec", "selector"]);
  const onwardsTo = (prefix: "SVC" | "SVL"): Rule => ruleOf([], jump(context.chainName(prefix, port)), onwards);
  if (!port.externalPolicyLocal) {
    const text = comment(`masquerade traffic for ${port.text} external destinations`);
    return [ruleOf([text], jump(MARK_MASQ), masquerade), ...(hasExternal ? [onwardsTo("SVC")] : [])];
  }
  const cluster = jump(context.chainName("SVC", port));
  const fromPods = context.localTraffic
    ? [ruleOf([context.localTraffic, comment(`pod traffic for ${port.text} external destinations`)], cluster, onwards)]
    : [];
  return [
    ...fromPods,
    ruleOf([comment(`masquerade LOCAL traffic for ${port.text} external destinations`), FROM_LOCAL], jump(MARK_MASQ), masquerade),
    ruleOf([comment(`route LOCAL traffic for ${port.text} external destinations`), FROM_LOCAL], cluster, onwards),
    ...(hasExternal ? [onwardsTo("SVL")] : []),
  ];
}
