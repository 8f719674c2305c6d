/** Rules that were predicted to be hit against rules whose counters grew. */
import type { Predicted } from "../predict.ts";
import type { RuleHit } from "../tables.ts";
import type { Difference } from "./difference.ts";

/**
 * Rules that the courses taken hit, against those whose counters grew. The nat tables see one packet a connection, so there
 * the counts must agree, too; elsewhere the packets that end a connection count as well, and only the set is compared.
 * `taken`: for each flow the courses that its packets cannot tell apart; the counters may.
 */
export function compareRules(taken: readonly (readonly Predicted[])[], hits: readonly RuleHit[]): Difference[] {
  const predicted = countRules(likelyCourses(taken, hits));
  const seen = new Map(hits.map((hit) => [ruleKey(hit), hit] as const));
  const certain = new Set(taken.flatMap(inAll));
  const possible = new Set(taken.flatMap((courses) => courses.flatMap(({ rules }) => rules.map(ruleKey))));
  const missing = [...predicted.keys()].filter((rule) => !seen.has(rule) && certain.has(rule)).sort();
  const found = [...seen].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...missing.map((rule): Difference => ({ about: "rules", text: `not hit: ${rule}` })),
    ...found.flatMap(([rule, hit]): Difference[] => {
      const count = predicted.get(rule) ?? 0;
      if (count === 0 && (hit.table === "nat" || !(possible.has(rule) || meetsDiscovery(hit))))
        return [{ about: "rules", text: `hit, but not predicted: ${rule}: ${hit.text}` }];
      if (hit.table !== "nat" || count === hit.packets) return [];
      return [{ about: "rules", text: `predicted ${count} times, hit ${hit.packets} times: ${rule}: ${hit.text}` }];
    }),
  ];
}

/**
 * Neighbour discovery of IPv6 comes and goes by itself, and meets ip6tables where ARP meets nothing: untracked, so never in
 * the nat tables, and bridged from port to port with br_netfilter, so also in FORWARD.
 */
const meetsDiscovery = ({ family, text }: RuleHit): boolean => family === 6 && !/ -p (?!ipv6-icmp)| --ctstate | --mark /.test(text);

/** Rules that every one of these courses hits. */
function inAll(courses: readonly Predicted[]): string[] {
  const [first, ...others] = courses.map(({ rules }) => new Set(rules.map(ruleKey)));
  return [...(first ?? [])].filter((rule) => others.every((each) => each.has(rule)));
}

/** A nat rule counts once for each connection. */
function countRules(courses: readonly Predicted[]): Map<string, number> {
  const counts = new Map<string, number>();
  const tunnels = new Set<string>();
  for (const { rules } of courses)
    for (const rule of rules) {
      const key = ruleKey(rule);
      if (rule.table === "nat" && (rule.again || tunnels.has(`${key} ${rule.shared}`))) continue;
      if (rule.shared !== undefined) tunnels.add(`${key} ${rule.shared}`);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  return counts;
}

/** Tries of courses before the best of those tried is taken. */
const MOST_TRIES = 20_000;

/** One course a flow, so that each nat rule is hit as often as its counter says, as far as that can be. */
function likelyCourses(taken: readonly (readonly Predicted[])[], hits: readonly RuleHit[]): Predicted[] {
  const left = new Map(hits.filter(({ table }) => table === "nat").map((hit) => [ruleKey(hit), hit.packets]));
  const courses = new Map(taken.flat().map((course) => [course, ownNatRules(course)] as const));
  const uncountable = new Set(taken.flat().flatMap(({ rules }) => rules.filter(({ shared }) => shared !== undefined).map(ruleKey)));
  const counted = [...new Set([...courses.values()].flat())].filter((rule) => !uncountable.has(rule));
  const order = [...taken.keys()].sort((a, b) => (taken[a]?.length ?? 0) - (taken[b]?.length ?? 0));
  const chosen: Predicted[] = [];
  let best: { readonly over: number; readonly courses: readonly Predicted[] } | undefined;
  let tries = 0;
  const fit = (at: number): boolean => {
    const flow = order[at];
    if (flow === undefined) {
      const over = counted.reduce((sum, rule) => sum + Math.max(0, left.get(rule) ?? 0), 0);
      if (!best || over < best.over) best = { over, courses: [...chosen] };
      return over === 0;
    }
    const own = taken[flow] ?? [];
    for (const course of own) {
      tries += 1;
      if (tries > MOST_TRIES) return true;
      const rules = courses.get(course) ?? [];
      for (const rule of rules) left.set(rule, (left.get(rule) ?? 0) - 1);
      chosen[at] = course;
      const fits = rules.every((rule) => (left.get(rule) ?? 0) >= 0);
      if ((fits || own.length === 1) && fit(at + 1)) return true;
      for (const rule of rules) left.set(rule, (left.get(rule) ?? 0) + 1);
    }
    delete chosen[at];
    return own.length === 0 && fit(at + 1);
  };
  fit(0);
  return best ? best.courses.filter((course) => course !== undefined) : taken.flatMap((each) => each.slice(0, 1));
}

/** Hits of the nat table that only this course's first packet makes. */
const ownNatRules = ({ rules }: Predicted): string[] =>
  rules.filter(({ table, again, shared }) => table === "nat" && !again && shared === undefined).map(ruleKey);

const ruleKey = (rule: {
  readonly netns: string;
  readonly family: number;
  readonly table: string;
  readonly chain: string;
  readonly position: number;
}): string => `${rule.netns} ${rule.family === 4 ? "" : "ip6 "}${rule.table} ${rule.chain} rule ${rule.position + 1}`;
