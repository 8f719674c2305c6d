/** How traffic came in up to 1.23: nat KUBE-SERVICES and KUBE-NODEPORTS, and what the filter table refused there. */
import type { Match, Rule } from "../../../../linux/netfilter/rule.ts";
import type { CauseRole } from "../../../../objects/cause.ts";
import type { PathPart } from "../../../../objects/source.ts";
import type { ServicePort } from "../../service-ports.ts";
import {
  type Context,
  comment,
  dport,
  jump,
  MARK_MASQ,
  negated,
  portField,
  protocolOf,
  ruleOf,
  serviceCause,
  source,
  toAddress,
} from "../context.ts";
import { oldEndpoints } from "./endpoints.ts";
import type { OldRelease } from "./release.ts";

const MASQUERADE: readonly PathPart[] = ["spec", "externalTrafficPolicy"];
const ingress = (index: number): readonly PathPart[] => ["status", "loadBalancer", "ingress", index];
const hasEndpoints = (context: Context, old: OldRelease, port: ServicePort): boolean => oldEndpoints(context, old, port).all.length > 0;

/** Which traffic to these addresses is marked; from 1.22 these rules stand in KUBE-SVC. */
export function oldMarks(context: Context, old: OldRelease, port: ServicePort): readonly Rule[] {
  return [...clusterIpMark(context, port), ...port.externalIPs.flatMap(({ value }) => externalIpMark(context, old, port, value))];
}

function clusterIpMark(context: Context, port: ServicePort): readonly Rule[] {
  const notLocal = context.masqueradeAll ? [] : context.localTraffic ? [negated(context.localTraffic)] : undefined;
  if (notLocal === undefined) return [];
  const matches = [...notLocal, ...toAddress(port, port.clusterIP, `${port.text} cluster IP`)];
  return [ruleOf(matches, jump(MARK_MASQ), serviceCause(context, port, "masquerade", ["spec", "clusterIP"]))];
}

function externalIpMark(context: Context, old: OldRelease, port: ServicePort, ip: string): readonly Rule[] {
  if (old.externalIPsHavePolicy && port.externalPolicyLocal) return [];
  const notLocal = old.takesExternalIPsFromInside && context.localTraffic ? [negated(context.localTraffic)] : [];
  const matches = [...notLocal, ...toAddress(port, ip, `${port.text} external IP`)];
  return [ruleOf(matches, jump(MARK_MASQ), serviceCause(context, port, "masquerade", MASQUERADE))];
}

/** `-p tcp --dport 31160`, in KUBE-NODEPORTS or KUBE-SVC. */
const toNodePort = (port: ServicePort, number: number): readonly Match[] => [protocolOf(port), comment(port.text), dport(port, number)];

export function oldNodePortMark(context: Context, port: ServicePort): readonly Rule[] {
  if (port.nodePort === undefined || port.externalPolicyLocal) return [];
  return [ruleOf(toNodePort(port, port.nodePort), jump(MARK_MASQ), serviceCause(context, port, "masquerade", MASQUERADE))];
}

/** nat KUBE-SERVICES. */
export function oldServices(context: Context, old: OldRelease, port: ServicePort): readonly Rule[] {
  if (!hasEndpoints(context, old, port)) return [];
  const cluster = jump(context.chainName("SVC", port));
  const cause = serviceCause(context, port, "cluster-ip", portField(port, "port"));
  const marks = old.marksInServiceChain ? [] : clusterIpMark(context, port);
  return [
    ...marks,
    ruleOf(toAddress(port, port.clusterIP, `${port.text} cluster IP`), cluster, cause),
    ...port.externalIPs.flatMap(({ value, index }) => externalIp(context, old, port, value, index)),
    ...port.vips.map(({ value, index }) => toFirewall(context, port, value, index)),
  ];
}

/** Up to 1.20 only from outside, not from a bridge port nor from the node, unless the address is the node's own. */
function externalIp(context: Context, old: OldRelease, port: ServicePort, ip: string, index: number): readonly Rule[] {
  const chain = old.externalIPsHavePolicy && port.externalPolicyLocal ? "XLB" : "SVC";
  const matches = toAddress(port, ip, `${port.text} external IP`);
  const cause = serviceCause(context, port, "external-ip", ["spec", "externalIPs", index]);
  const rule = (extra: readonly Match[]): Rule => ruleOf([...matches, ...extra], jump(context.chainName(chain, port)), cause);
  const marks = old.marksInServiceChain ? [] : externalIpMark(context, old, port, ip);
  if (old.takesExternalIPsFromInside) return [...marks, rule([])];
  const notFromBridge: Match = { kind: "physdev", not: true, text: "! --physdev-is-in", isIn: true };
  const notFromHere: Match = { kind: "addrtype", side: "src", type: "LOCAL", not: true };
  return [...marks, rule([notFromBridge, notFromHere]), rule([{ kind: "addrtype", side: "dst", type: "LOCAL" }])];
}

const toFirewall = (context: Context, port: ServicePort, ip: string, index: number): Rule =>
  ruleOf(
    toAddress(port, ip, `${port.text} loadbalancer IP`),
    jump(context.chainName("FW", port)),
    serviceCause(context, port, "load-balancer-ip", ingress(index)),
  );

/** nat KUBE-NODEPORTS. Under policy Local only what comes from loopback is masqueraded here. */
export function oldNodePorts(context: Context, old: OldRelease, port: ServicePort): readonly Rule[] {
  if (port.nodePort === undefined || !hasEndpoints(context, old, port)) return [];
  const matches = toNodePort(port, port.nodePort);
  const cause = serviceCause(context, port, "node-port", portField(port, "nodePort"));
  if (!port.externalPolicyLocal)
    return [
      ...(old.marksInServiceChain ? [] : oldNodePortMark(context, port)),
      ruleOf(matches, jump(context.chainName("SVC", port)), cause),
    ];
  const loopback = source(context.family === 4 ? { ip: "127.0.0.0", length: 8 } : { ip: "::1", length: 128 });
  return [
    ruleOf([loopback, ...matches], jump(MARK_MASQ), serviceCause(context, port, "masquerade", MASQUERADE)),
    ruleOf(matches, jump(context.chainName("XLB", port)), cause),
  ];
}

/** filter KUBE-SERVICES (`inside`) and KUBE-EXTERNAL-SERVICES: REJECT for a Service without endpoints. */
export function oldRefusals(context: Context, old: OldRelease, port: ServicePort): { readonly inside: Rule[]; readonly outside: Rule[] } {
  if (hasEndpoints(context, old, port)) return { inside: [], outside: [] };
  const text = `${port.text} has no endpoints`;
  const refuse = (matches: readonly Match[], role: CauseRole): Rule => {
    const cause = serviceCause(context, port, role, ["spec", "selector"], `${text.replace(" has", " has ready")} on any node`);
    const reject = { kind: "reject", with: context.family === 4 ? "icmp-port-unreachable" : "icmp6-port-unreachable" } as const;
    return ruleOf(matches, reject, cause, "no-endpoints");
  };
  const vips = port.vips.map(({ value }) => refuse(toAddress(port, value, text), "no-endpoints"));
  const local: Match = { kind: "addrtype", side: "dst", type: "LOCAL" };
  const nodePort = port.nodePort;
  return {
    inside: [refuse(toAddress(port, port.clusterIP, text), "no-endpoints"), ...(old.refusesOutsideApart ? [] : vips)],
    outside: [
      ...port.externalIPs.map(({ value }) => refuse(toAddress(port, value, text), "no-endpoints")),
      ...(old.refusesOutsideApart ? vips : []),
      ...(nodePort === undefined ? [] : [refuse([protocolOf(port), comment(text), local, dport(port, nodePort)], "no-endpoints")]),
    ],
  };
}
