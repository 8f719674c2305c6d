/**
 * What both sides have seen: every rule form, hook, verdict, reason and kind of step on a course that the tracer predicted
 * and the kernel took. The lists are whole, so that what was never met is named with a zero. iptables' rules count when their
 * counters agree; nftables' rules have none, and count when all that was seen of the packet agrees.
 */

import type { JudgedBatch } from "../../../src/lab/judge.ts";
import type { Predicted } from "../../../src/lab/predict.ts";
import type { NftExpression } from "../../../src/linux/netfilter/nft.ts";
import type { Match, Target } from "../../../src/linux/netfilter/rule.ts";
import type { Reason } from "../../../src/linux/reason.ts";
import type { Step } from "../../../src/linux/step.ts";
import type { Verdict } from "../../../src/trace/trace.ts";

/** Why a count may be zero: `apps` and `nobody` are decided above the kernel and end no flow of a lab. */
type Scope = "kernel" | "apps";

const MATCHES: Readonly<Record<Match["kind"], Scope>> = {
  src: "kernel",
  dst: "kernel",
  in: "kernel",
  out: "kernel",
  protocol: "kernel",
  dport: "kernel",
  sport: "kernel",
  multiport: "kernel",
  "tcp-flags": "kernel",
  "icmp-type": "kernel",
  comment: "kernel",
  mark: "kernel",
  ctstate: "kernel",
  addrtype: "kernel",
  "statistic-random": "kernel",
  "statistic-nth": "kernel",
  recent: "kernel",
  set: "kernel",
  ipvs: "kernel",
  physdev: "kernel",
  unknown: "kernel",
};
const TARGETS: Readonly<Record<Target["kind"], Scope>> = {
  accept: "kernel",
  drop: "kernel",
  return: "kernel",
  notrack: "kernel",
  none: "kernel",
  jump: "kernel",
  goto: "kernel",
  reject: "kernel",
  mark: "kernel",
  dnat: "kernel",
  snat: "kernel",
  masquerade: "kernel",
  redirect: "kernel",
  log: "kernel",
  unknown: "kernel",
};
const REASONS: Readonly<Record<Reason, Scope>> = {
  "no-endpoints": "kernel",
  "not-listening": "kernel",
  "no-route": "kernel",
  "host-unreachable": "kernel",
  "service-port-unknown": "kernel",
  "rule-denied": "kernel",
  "firewall-denied": "kernel",
  "load-balancer-no-target": "apps",
  "no-local-endpoints": "kernel",
  "source-range-denied": "kernel",
  "policy-denied": "kernel",
  "forwarding-off": "kernel",
  "hairpin-off": "kernel",
  "spoofed-source": "kernel",
  "invalid-state": "kernel",
  "blackhole-route": "kernel",
  "no-tunnel-peer": "kernel",
  "unallocated-cluster-ip": "kernel",
  "packet-too-big": "kernel",
  "reply-not-translated": "kernel",
  "reply-lost": "kernel",
  "name-not-found": "apps",
  "no-address": "apps",
  "name-loop": "apps",
  "dns-unreachable": "apps",
  "ingress-no-match": "apps",
  "ingress-no-endpoints": "apps",
  "upstream-failed": "apps",
  "upstream-timeout": "apps",
  "backend-invalid": "apps",
  "ingress-denied": "apps",
  redirected: "apps",
  "tls-failed": "apps",
  "ttl-exceeded": "kernel",
  "left-topology": "kernel",
  "not-modelled": "kernel",
};
const VERDICTS: Readonly<Record<Verdict, Scope>> = {
  delivered: "kernel",
  rejected: "kernel",
  dropped: "kernel",
  unanswered: "kernel",
  looped: "kernel",
  exits: "kernel",
  unknown: "kernel",
  "http-error": "apps",
  unresolved: "apps",
};
const STEPS: Readonly<Record<Step["kind"], Scope>> = {
  send: "kernel",
  conntrack: "kernel",
  chain: "kernel",
  rule: "kernel",
  choice: "kernel",
  nat: "kernel",
  mark: "kernel",
  route: "kernel",
  ttl: "kernel",
  neighbour: "kernel",
  bridge: "kernel",
  encap: "kernel",
  decap: "kernel",
  accept: "kernel",
  answer: "kernel",
  drop: "kernel",
  note: "kernel",
};
/** Forms of nftables rules. */
const NFT: Readonly<Record<NftExpression["kind"], Scope>> = {
  compare: "kernel",
  mask: "kernel",
  lookup: "kernel",
  "ct-state": "kernel",
  "ct-status": "kernel",
  fib: "kernel",
  unknown: "kernel",
  verdict: "kernel",
  vmap: "kernel",
  "numgen-vmap": "kernel",
  "set-mark": "kernel",
  dnat: "kernel",
  snat: "kernel",
  "numgen-dnat": "kernel",
  masquerade: "kernel",
  redirect: "kernel",
  reject: "kernel",
  update: "kernel",
  notrack: "kernel",
  note: "kernel",
};
const HOOKS = ["prerouting", "input", "forward", "output", "postrouting"] as const;
const TABLES = ["raw", "mangle", "nat", "filter"] as const;
const NO_NAT_THERE = "nat forward";
const NOT_IN_RAW = ["raw input", "raw forward", "raw postrouting"];
const NOT_IN_FILTER = ["filter prerouting", "filter postrouting"];

export type Coverage = Map<string, number>;

/** Every line of the table, none seen yet. */
export function emptyCoverage(): Coverage {
  const kernel = (about: string, list: Readonly<Record<string, Scope>>): string[] =>
    Object.keys(list).flatMap((name) => (list[name] === "kernel" ? [`${about} ${name}`] : []));
  const hooks = TABLES.flatMap((table) => HOOKS.map((hook) => `${table} ${hook}`)).filter(
    (each) => each !== NO_NAT_THERE && !NOT_IN_RAW.includes(each) && !NOT_IN_FILTER.includes(each),
  );
  return new Map(
    [
      ...kernel("match", MATCHES),
      ...kernel("target", TARGETS),
      ...hooks.map((each) => `hook ${each}`),
      ...kernel("verdict", VERDICTS),
      ...kernel("reason", REASONS),
      ...kernel("ipv6 verdict", VERDICTS),
      ...kernel("ipv6 reason", REASONS),
      ...kernel("nft", NFT),
      ...HOOKS.flatMap((hook) => [`nft-hook filter ${hook}`, ...(hook === "forward" ? [] : [`nft-hook nat ${hook}`])]),
      ...kernel("step", STEPS),
    ].map((line) => [line, 0]),
  );
}

/** Adds the courses of one batch that both sides agree on. */
export function addCoverage(coverage: Coverage, batch: JudgedBatch): void {
  const count = (line: string): void => void coverage.set(line, (coverage.get(line) ?? 0) + 1);
  for (const { judgement, observation } of batch.flows) {
    const course = judgement.nearest;
    if (judgement.differences.length > 0 || !course) continue;
    count(`verdict ${course.connection.verdict}`);
    if (course.connection.reason) count(`reason ${course.connection.reason}`);
    if (observation.flow.dst.includes(":")) {
      count(`ipv6 verdict ${course.connection.verdict}`);
      if (course.connection.reason) count(`ipv6 reason ${course.connection.reason}`);
    }
    addSteps(course, count);
    if (batch.rules.length === 0) addRules(course, count);
  }
}

function addRules({ rules }: Predicted, count: (line: string) => void): void {
  for (const { rule } of rules) {
    for (const match of rule.matches) count(`match ${match.kind}`);
    count(`target ${rule.target.kind}`);
  }
}

function addSteps({ connection: { hops, reply } }: Predicted, count: (line: string) => void): void {
  for (const { steps } of [...hops, ...reply.hops])
    for (const step of steps) {
      count(`step ${step.kind}`);
      if (step.kind === "rule" && !step.ref.nft) count(`hook ${step.ref.table} ${step.hook}`);
      if (step.kind === "rule" && step.ref.nft) {
        count(`nft-hook ${step.nat ? "nat" : "filter"} ${step.hook}`);
        for (const { kind } of step.ref.rule.expressions) count(`nft ${kind}`);
      }
      if (step.kind === "bridge") count(`step bridge, ${step.why}`);
      if (step.kind === "nat") count(`step nat, ${step.manip}${step.reverse ? " reversed" : ""} at ${step.hook}`);
      if (step.kind === "conntrack") count(`step conntrack, ${step.state}`);
      if (step.kind === "route") count(`step route, ${step.why} by a ${step.route.type} route`);
    }
}

/** Counts, group by group, and the zeros by name. */
export function describeCoverage(coverage: Coverage): string {
  const lines = [...coverage].sort(([a], [b]) => (a < b ? -1 : 1));
  const groups = [...new Set(lines.map(([line]) => line.split(" ")[0] ?? ""))];
  const shown = groups.map((group) => {
    const own = lines.filter(([line, n]) => line.startsWith(`${group} `) && n > 0);
    return `${group}: ${own.map(([line, n]) => `${line.slice(group.length + 1)} ${n}`).join(" · ")}`;
  });
  const zeros = lines.filter(([, n]) => n === 0).map(([line]) => line);
  return [...shown, `never seen: ${zeros.length === 0 ? "nothing" : zeros.join(" · ")}`].join("\n");
}
