/** The filter and nat parts of kube-proxy up to 1.23. */
import type { Chain } from "../../../../linux/netfilter/table.ts";
import { chainOfRules, partOf, type RulesetPart } from "../../../ruleset.ts";
import type { ServicePort } from "../../service-ports.ts";
import type { Context } from "../context.ts";
import { addressKey, dispatchChain, portKey } from "../dispatch.ts";
import { jumpsOf, markRules } from "../fixed.ts";
import { healthCheckNodePort, toNodePorts } from "../node-port.ts";
import type { PortChains, PortForm } from "../port-chains.ts";
import { MARK_DROP, oldFirewallChain, oldLocalChain, oldServiceChain } from "./chains.ts";
import { oldEndpoints } from "./endpoints.ts";
import { oldNodePorts, oldRefusals, oldServices } from "./entrances.ts";
import { oldFilterJumps, oldForwardRules, oldPostroutingRules } from "./fixed.ts";
import type { OldRelease } from "./release.ts";

type Ports = () => readonly ServicePort[];

const clusterIpKey = (port: ServicePort): string => addressKey(port.protocol, port.clusterIP, port.port.port);
const externalKeys = (port: ServicePort): string[] =>
  [...port.externalIPs, ...port.vips].map(({ value }) => addressKey(port.protocol, value, port.port.port));
const nodePortKeys = (port: ServicePort): string[] => (port.nodePort === undefined ? [] : [portKey(port.protocol, port.nodePort)]);
const healthKeys = ({ healthCheckNodePort: port }: ServicePort): string[] => (port === undefined ? [] : [portKey("tcp", port)]);

/** KUBE-SVC, KUBE-XLB and KUBE-FW. */
export const oldForm = (context: () => Context, old: OldRelease): PortForm => ({
  prefixes: (port) => {
    const isServed = oldEndpoints(context(), old, port).all.length > 0;
    return [
      ...(isServed ? (["SVC"] as const) : []),
      ...(isServed && port.externalPolicyLocal ? (["XLB"] as const) : []),
      ...(isServed && port.vips.length > 0 ? (["FW"] as const) : []),
    ];
  },
  rules: (prefix, port) => {
    if (prefix === "FW") return oldFirewallChain(context(), port);
    return prefix === "XLB" ? oldLocalChain(context(), old, port) : oldServiceChain(context(), old, port);
  },
  endpoints: (port) => oldEndpoints(context(), old, port).all,
});

export function oldFilterPart(context: Context, old: OldRelease, ports: Ports, canary: Chain): RulesetPart {
  const chains: Chain[] = [
    dispatchChain({
      name: "KUBE-EXTERNAL-SERVICES",
      ports,
      keys: (port) => [...externalKeys(port), ...nodePortKeys(port)],
      rules: (port) => oldRefusals(context, old, port).outside,
    }),
    chainOfRules("KUBE-FORWARD", oldForwardRules(context, old)),
    ...(old.opensHealthChecks
      ? [dispatchChain({ name: "KUBE-NODEPORTS", ports, keys: healthKeys, rules: (port) => healthCheckNodePort(context, port) })]
      : []),
    canary,
    dispatchChain({
      name: "KUBE-SERVICES",
      ports,
      keys: (port) => [clusterIpKey(port), ...externalKeys(port)],
      rules: (port) => oldRefusals(context, old, port).inside,
    }),
  ];
  return partOf(context.family, "filter", chains, oldFilterJumps(context, old));
}

export function oldNatPart(context: Context, old: OldRelease, ports: Ports, canary: Chain, portChains: PortChains): RulesetPart {
  const chains: Chain[] = [
    chainOfRules(MARK_DROP, []), // kubelet fills it
    chainOfRules("KUBE-MARK-MASQ", markRules(context)),
    dispatchChain({ name: "KUBE-NODEPORTS", ports, keys: nodePortKeys, rules: (port) => oldNodePorts(context, old, port) }),
    chainOfRules("KUBE-POSTROUTING", oldPostroutingRules(context, old)),
    canary,
    dispatchChain({
      name: "KUBE-SERVICES",
      ports,
      keys: (port) => [clusterIpKey(port), ...externalKeys(port)],
      rules: (port) => oldServices(context, old, port),
      tail: () => toNodePorts(context),
    }),
  ];
  const fixed = partOf(context.family, "nat", chains, jumpsOf(context, "nat"));
  return { ...fixed, chain: (name) => fixed.chain(name) ?? portChains.chain(name), names: () => [...fixed.names(), ...portChains.names()] };
}
