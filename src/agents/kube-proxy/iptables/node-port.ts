/** Traffic to node ports and health check node ports, and the way into KUBE-NODEPORTS at the end of nat KUBE-SERVICES. */
import type { Match, Rule } from "../../../linux/netfilter/rule.ts";
import { isLoopback } from "../../../net/address.ts";
import type { ServicePort } from "../service-ports.ts";
import {
  type Context,
  comment,
  destination,
  dport,
  jump,
  negated,
  portField,
  protocolOf,
  refusalOf,
  ruleOf,
  serviceCause,
} from "./context.ts";

const TO_LOCAL: Match = { kind: "addrtype", side: "dst", type: "LOCAL" };

/** nat KUBE-NODEPORTS. */
export function natNodePort(context: Context, port: ServicePort): readonly Rule[] {
  if (port.nodePort === undefined || !context.decide(port).hasEndpoints) return [];
  const cause = serviceCause(context, port, "node-port", portField(port, "nodePort"));
  return [ruleOf([protocolOf(port), comment(port.text), dport(port, port.nodePort)], jump(context.chainName("EXT", port)), cause)];
}

/** filter KUBE-EXTERNAL-SERVICES. Comes after DNAT: what already has an endpoint as its destination is not local any more. */
export function filterNodePort(context: Context, port: ServicePort): readonly Rule[] {
  const refusal = refusalOf(context, port, "hasExternal");
  if (refusal === undefined || port.nodePort === undefined) return [];
  const cause = serviceCause(context, port, refusal.reason, refusal.field, refusal.note);
  return [ruleOf([protocolOf(port), comment(refusal.text), TO_LOCAL, dport(port, port.nodePort)], refusal.target, cause, refusal.reason)];
}

/** filter KUBE-NODEPORTS, with or without local endpoints. */
export function healthCheckNodePort(context: Context, port: ServicePort): readonly Rule[] {
  const number = port.healthCheckNodePort;
  if (number === undefined) return [];
  const matches: Match[] = [
    { kind: "protocol", protocol: "tcp" },
    comment(`${port.text} health check node port`),
    { kind: "dport", protocol: "tcp", ports: { from: number, to: number } },
  ];
  return [ruleOf(matches, { kind: "accept" }, serviceCause(context, port, "node-port", ["spec", "healthCheckNodePort"]))];
}

/** The last rules of nat KUBE-SERVICES: to any local address, or to each of those that nodePortAddresses names. */
export function toNodePorts({ family, nodePorts, localhostNodePorts, fixedCause }: Context): readonly Rule[] {
  const text = comment("kubernetes service nodeports; NOTE: this must be the last rule in this chain");
  const target = jump("KUBE-NODEPORTS");
  if (nodePorts.matchAll) {
    const notLoopback: Match[] =
      family === 6
        ? [negated(destination("::1"))]
        : localhostNodePorts
          ? []
          : [{ kind: "dst", cidr: { ip: "127.0.0.0", length: 8 }, not: true }];
    return [ruleOf([...notLoopback, text, TO_LOCAL], target, fixedCause)];
  }
  return nodePorts.addresses
    .filter((ip) => !isLoopback(ip) || localhostNodePorts)
    .map((ip) => ruleOf([destination(ip), text], target, fixedCause));
}
