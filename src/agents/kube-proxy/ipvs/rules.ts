/**
 * The iptables rules of ipvs mode: pkg/proxy/ipvs/proxier.go (iptablesJumpChain, writeIptablesRules), v1.30. A fixed handful:
 * which addresses they mean is in the ipsets. Rules of an empty set are left out. Not modelled: source ranges in nat
 * KUBE-FIREWALL with KUBE-MARK-DROP (before 1.26; the packet is dropped all the same).
 */
import type { Match, Rule, Target } from "../../../linux/netfilter/rule.ts";
import type { Chain, SetSide } from "../../../linux/netfilter/table.ts";
import type { Reason } from "../../../linux/reason.ts";
import { hostCidr } from "../../../net/address.ts";
import { chainOfRules, partOf, type RulesetPart } from "../../ruleset.ts";
import { comment, jump, MARK_MASQ, negated, serviceCause } from "../iptables/context.ts";
import { once } from "../iptables/dispatch.ts";
import { isAtLeast } from "../names.ts";
import type { IpvsContext } from "./context.ts";
import { letsNodeIn, type SetKey } from "./set-definitions.ts";
import { type ProxySets, setComment, setName } from "./sets.ts";

const BOTH: readonly SetSide[] = ["dst", "dst"];
const WITH_SOURCE: readonly SetSide[] = ["dst", "dst", "src"];
const PORT: readonly SetSide[] = ["dst"];

/** Writes rules of one family; what it writes depends on which sets have members. */
type Writer = {
  readonly context: IpvsContext;
  readonly isEmpty: (key: SetKey) => boolean;
  readonly rule: (matches: readonly Match[], target: Target, reason?: Reason) => Rule;
  readonly inSet: (key: SetKey, flags: readonly SetSide[]) => Match;
};

/** The parts of nat and filter. */
export function ipvsRules(context: IpvsContext, sets: ProxySets): readonly RulesetPart[] {
  const cause = context.fixedCause;
  const writer: Writer = {
    context,
    isEmpty: sets.isEmpty,
    rule: (matches, target, reason) => ({ matches, target, cause, ...(reason === undefined ? {} : { reason }) }),
    inSet: (key, flags) => ({ kind: "set", name: setName(key, context.family), flags }),
  };
  const lazy = (name: string, rules: (writer: Writer) => readonly Rule[]): Chain => ({ name, rules: once(() => rules(writer)) });
  const nat = [
    lazy("KUBE-LOAD-BALANCER", loadBalancerRules),
    chainOfRules(MARK_MASQ, [writer.rule([], { kind: "mark", value: context.mark, mask: context.mark })]),
    lazy("KUBE-NODE-PORT", natNodePortRules),
    lazy("KUBE-POSTROUTING", postroutingRules),
    lazy("KUBE-SERVICES", servicesRules),
  ];
  const filter = [
    chainOfRules("KUBE-FORWARD", forwardRules(writer)),
    ...(hasIpvsFilter(context) ? [lazy("KUBE-IPVS-FILTER", ipvsFilterRules), lazy("KUBE-IPVS-OUT-FILTER", outFilterRules)] : []),
    lazy("KUBE-NODE-PORT", filterNodePortRules),
    lazy("KUBE-PROXY-FIREWALL", (w) => fromSet(w, "LOAD-BALANCER-FW", BOTH, jump("KUBE-SOURCE-RANGES-FIREWALL"))),
    lazy("KUBE-SOURCE-RANGES-FIREWALL", sourceRangeRules),
  ];
  return [
    partOf(context.family, "filter", filter, jumps(writer, FILTER_JUMPS)),
    partOf(context.family, "nat", nat, jumps(writer, NAT_JUMPS)),
  ];
}

/** From 1.26, so that ports of the host are not reachable on every Service address (issue 72236). */
const hasIpvsFilter = ({ cluster }: IpvsContext): boolean => isAtLeast(cluster.version, 26);

type Jump = readonly [chain: string, to: string, text: string];

/** In the order in which they stand: each is put in front of those ensured before it. */
const FILTER_JUMPS: readonly Jump[] = [
  ["INPUT", "KUBE-IPVS-FILTER", "kubernetes ipvs access filter"],
  ["INPUT", "KUBE-PROXY-FIREWALL", "kube-proxy firewall rules"],
  ["INPUT", "KUBE-NODE-PORT", "kubernetes health check rules"],
  ["FORWARD", "KUBE-PROXY-FIREWALL", "kube-proxy firewall rules"],
  ["FORWARD", "KUBE-FORWARD", "kubernetes forwarding rules"],
  ["OUTPUT", "KUBE-IPVS-OUT-FILTER", "kubernetes ipvs access filter"],
];
const NAT_JUMPS: readonly Jump[] = [
  ["PREROUTING", "KUBE-SERVICES", "kubernetes service portals"],
  ["OUTPUT", "KUBE-SERVICES", "kubernetes service portals"],
  ["POSTROUTING", "KUBE-POSTROUTING", "kubernetes postrouting rules"],
];

function jumps({ context, rule }: Writer, all: readonly Jump[]): RulesetPart["builtIn"] {
  const made = all.filter(([, to]) => hasIpvsFilter(context) || !to.startsWith("KUBE-IPVS-"));
  const chains = [...new Set(made.map(([chain]) => chain))];
  return chains.map((chain) => ({
    chain,
    at: "front",
    ensure: true,
    rules: made.filter(([from]) => from === chain).map(([, to, text]) => rule([comment(text)], jump(to))),
  }));
}

/** The rule that a set with members has, of one protocol where the set knows none. */
function fromSet(
  { isEmpty, rule, inSet }: Writer,
  key: SetKey,
  flags: readonly SetSide[],
  target: Target,
  protocol?: "tcp" | "udp" | "sctp",
): readonly Rule[] {
  if (isEmpty(key)) return [];
  const ofProtocol: Match[] = protocol === undefined ? [] : [{ kind: "protocol", protocol }];
  return [rule([...ofProtocol, comment(setComment(key)), inSet(key, flags)], target)];
}

const RETURN: Target = { kind: "return" };
const ACCEPT: Target = { kind: "accept" };
const TO_LOCAL: Match = { kind: "addrtype", side: "dst", type: "LOCAL" };
const FROM_OTHERS: readonly Match[] = [
  { kind: "physdev", not: true, text: "! --physdev-is-in", isIn: true },
  { kind: "addrtype", not: true, side: "src", type: "LOCAL" },
];

/** nat KUBE-SERVICES: marks what must be masqueraded; no address is changed here, that is IPVS's work. */
function servicesRules(writer: Writer): readonly Rule[] {
  const { context, rule, inSet, isEmpty } = writer;
  const loopback = context.family === 4 ? { ip: "127.0.0.0", length: 8 } : hostCidr("::1");
  const accepted = (["CLUSTER-IP", "LOAD-BALANCER"] as const).filter((key) => !isEmpty(key));
  return [
    rule([{ kind: "src", cidr: loopback }], RETURN),
    ...fromSet(writer, "LOAD-BALANCER", BOTH, jump("KUBE-LOAD-BALANCER")),
    ...clusterIpRules(writer),
    ...fromSet(writer, "EXTERNAL-IP", BOTH, jump(MARK_MASQ)),
    ...externalIpRules(writer, "EXTERNAL-IP"),
    ...externalIpRules(writer, "EXTERNAL-IP-LOCAL"),
    rule([TO_LOCAL], jump("KUBE-NODE-PORT")),
    ...accepted.map((key) => rule([inSet(key, BOTH)], ACCEPT)),
  ];
}

/**
 * Which traffic to cluster IPs is masqueraded. Where no local traffic is told from other, it is what comes from a Service
 * address: a node's own request has one as its source, for kube-ipvs0 holds them.
 */
function clusterIpRules({ context, isEmpty, rule, inSet }: Writer): readonly Rule[] {
  if (isEmpty("CLUSTER-IP")) return [];
  const text = comment(setComment("CLUSTER-IP"));
  if (context.masqueradeAll) return [rule([text, inSet("CLUSTER-IP", BOTH)], jump(MARK_MASQ))];
  if (!context.localTraffic) return [rule([text, inSet("CLUSTER-IP", ["src", "dst"])], jump(MARK_MASQ))];
  return [rule([text, inSet("CLUSTER-IP", BOTH), negated(context.localTraffic)], jump(MARK_MASQ))];
}

/** From outside (no bridge port, no local process), or to an address that is the node's anyway. */
function externalIpRules({ isEmpty, rule, inSet }: Writer, key: SetKey): readonly Rule[] {
  if (isEmpty(key)) return [];
  const asked = [comment(setComment(key)), inSet(key, BOTH)];
  return [rule([...asked, ...FROM_OTHERS], ACCEPT), rule([...asked, TO_LOCAL], ACCEPT)];
}

/** nat KUBE-NODE-PORT: policy Local keeps the source. */
const natNodePortRules = (writer: Writer): readonly Rule[] => [
  ...fromSet(writer, "NODE-PORT-LOCAL-TCP", PORT, RETURN, "tcp"),
  ...fromSet(writer, "NODE-PORT-TCP", PORT, jump(MARK_MASQ), "tcp"),
  ...fromSet(writer, "NODE-PORT-LOCAL-UDP", PORT, RETURN, "udp"),
  ...fromSet(writer, "NODE-PORT-UDP", PORT, jump(MARK_MASQ), "udp"),
  ...fromSet(writer, "NODE-PORT-LOCAL-SCTP-HASH", BOTH, RETURN, "sctp"),
  ...fromSet(writer, "NODE-PORT-SCTP-HASH", BOTH, jump(MARK_MASQ), "sctp"),
];

const loadBalancerRules = (writer: Writer): readonly Rule[] => [
  ...fromSet(writer, "LOAD-BALANCER-LOCAL", BOTH, RETURN),
  writer.rule([], jump(MARK_MASQ)),
];

function postroutingRules(writer: Writer): readonly Rule[] {
  const { rule, context } = writer;
  const { mark } = context;
  return [
    ...fromSet(writer, "LOOP-BACK", WITH_SOURCE, { kind: "masquerade", randomFully: false }),
    rule([{ kind: "mark", value: mark, mask: mark, not: true }], RETURN),
    rule([], { kind: "mark", value: mark, mask: 0 }),
    rule([comment("kubernetes service traffic requiring SNAT")], { kind: "masquerade", randomFully: true }),
  ];
}

/** filter KUBE-FORWARD. There is no rule about INVALID in this mode. */
const forwardRules = ({ rule, context: { mark } }: Writer): readonly Rule[] => [
  rule([comment("kubernetes forwarding rules"), { kind: "mark", value: mark, mask: mark }], ACCEPT),
  rule([comment("kubernetes forwarding conntrack rule"), { kind: "ctstate", states: ["RELATED", "ESTABLISHED"] }], ACCEPT),
];

/** filter KUBE-IPVS-FILTER: what reaches a Service address on a port that no Service has ends here, pings too. */
function ipvsFilterRules({ rule, inSet, context }: Writer): readonly Rule[] {
  const isNew: Match = { kind: "ctstate", states: ["NEW"] };
  const refuse: Target = { kind: "reject", with: context.family === 4 ? "icmp-port-unreachable" : "icmp6-port-unreachable" };
  return [
    ...(["LOAD-BALANCER", "CLUSTER-IP", "EXTERNAL-IP", "EXTERNAL-IP-LOCAL"] as const).map((key) => rule([inSet(key, BOTH)], RETURN)),
    rule([inSet("HEALTH-CHECK-NODE-PORT", PORT)], RETURN),
    rule([isNew, inSet("IPVS-IPS", PORT)], refuse, "service-port-unknown"),
  ];
}

/** filter KUBE-NODE-PORT, whether or not there are health check node ports. */
const filterNodePortRules = ({ rule, inSet }: Writer): readonly Rule[] => [
  rule([comment(setComment("HEALTH-CHECK-NODE-PORT")), inSet("HEALTH-CHECK-NODE-PORT", PORT)], ACCEPT),
];

const sourceRangeRules = (writer: Writer): readonly Rule[] => [
  ...fromSet(writer, "LOAD-BALANCER-SOURCE-CIDR", WITH_SOURCE, RETURN),
  ...fromSet(writer, "LOAD-BALANCER-SOURCE-IP", WITH_SOURCE, RETURN),
  writer.rule([], { kind: "drop" }, "source-range-denied"),
];

/** filter KUBE-IPVS-OUT-FILTER: the node's own requests to addresses whose source ranges leave it out; their source is the address itself. */
const outFilterRules = ({ context }: Writer): readonly Rule[] =>
  context.ports().flatMap((port) => {
    if (port.sourceRanges.length === 0 || letsNodeIn(context, port)) return [];
    const cause = serviceCause(context, port, "load-balancer-ip", ["spec", "loadBalancerSourceRanges"]);
    return port.vips.map(({ value }): Rule => {
      const source = hostCidr(value);
      const vserver: Match = { kind: "ipvs", vaddr: source, vproto: port.protocol, vport: port.port.port };
      return { matches: [{ kind: "src", cidr: source }, vserver], target: { kind: "drop" }, cause, reason: "source-range-denied" };
    });
  });
