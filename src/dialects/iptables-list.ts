/**
 * `iptables -L -n` and `ip6tables -L -n` 1.8.9, which both back ends print alike: one chain after the other, a rule a line,
 * matches and target options in the words of the extensions' `print` functions (libxt_*.c, libipt_*.c, iptables/xshared.c).
 * Counters are zero. Not modelled: names instead of numbers (without -n); an extension that the grammar does not know is
 * printed as iptables-save writes it.
 */
import type { Match, Rule, Target } from "../linux/netfilter/rule.ts";
import type { Chain, IptablesTable } from "../linux/netfilter/table.ts";
import type { Family } from "../net/address.ts";
import { matchTexts, shortCidr, targetTexts } from "./iptables/print-list.ts";
import { PROTOCOL_NUMBER } from "./iptables/print-rule.ts";

export type ListOptions = {
  readonly family?: Family; // default 4
  readonly chain?: string; // default: all of the table
  readonly verbose?: boolean;
  readonly exact?: boolean; // wider counters
  readonly lineNumbers?: boolean;
};

/** What `iptables [-t TABLE] -L [CHAIN] -n` prints. Makes every chain, for a user chain counts its references. */
export function printIptablesList(table: IptablesTable, options: ListOptions = {}): string {
  const chains = table.names().flatMap((name) => table.chain(name) ?? []);
  const references = countReferences(chains);
  return chains
    .filter((chain) => options.chain === undefined || chain.name === options.chain)
    .map((chain) => chainText(chain, references.get(chain.name) ?? 0, options))
    .join("\n");
}

function countReferences(chains: readonly Chain[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { target } of chains.flatMap((chain) => chain.rules()))
    if (target.kind === "jump" || target.kind === "goto") counts.set(target.chain, (counts.get(target.chain) ?? 0) + 1);
  return counts;
}

function chainText(chain: Chain, references: number, options: ListOptions): string {
  const counters = options.verbose ? " 0 packets, 0 bytes" : "";
  const about = chain.policy === undefined ? `${references} references` : `policy ${chain.policy.toUpperCase()}${counters}`;
  const rows = chain.rules().map((rule, i) => ruleText(rule, i + 1, options));
  return [`Chain ${chain.name} (${about})`, header(options), ...rows].map((row) => `${row}\n`).join("");
}

function header({ verbose, exact, lineNumbers }: ListOptions): string {
  const counters = verbose ? (exact ? "    pkts      bytes " : " pkts bytes ") : "";
  const devices = verbose ? "in     out     " : "";
  return `${lineNumbers ? "num  " : ""}${counters}target     prot opt ${devices}source               destination         `;
}

/** `ACCEPT     6    --  10.0.0.0/8           0.0.0.0/0            tcp dpt:80` */
function ruleText(rule: Rule, number: number, options: ListOptions): string {
  const { verbose, exact, lineNumbers, family = 4 } = options;
  const zero = exact ? "0".padStart(8) : "0".padStart(5);
  const devices = verbose ? `${device(rule, "in")} ${device(rule, "out")} ` : "";
  const head = [
    lineNumbers ? `${String(number).padEnd(4)} ` : "",
    verbose ? `${zero} ${zero} ` : "",
    `${targetName(rule.target).padEnd(9)} `,
    `${protocol(rule)} `,
    `${rule.matches.some(isFragment) ? "-f" : "--"} ${verbose ? " " : ""}${devices}`,
    `${address(rule, "src", family)} ${address(rule, "dst", family)} `,
    rule.target.kind === "goto" ? "[goto] " : "",
  ].join("");
  return `${head}${[...matchTexts(rule.matches, family), ...targetTexts(rule.target)].map((text) => ` ${text}`).join("")}`;
}

const device = (rule: Rule, kind: "in" | "out"): string => {
  const match = rule.matches.find((one) => one.kind === kind);
  return (match === undefined || !("name" in match) ? "*" : `${match.not ? "!" : ""}${match.name}`).padEnd(6);
};

function address(rule: Rule, kind: "src" | "dst", family: Family): string {
  const match = rule.matches.find((one) => one.kind === kind);
  if (match?.kind !== "src" && match?.kind !== "dst") return ` ${(family === 4 ? "0.0.0.0/0" : "::/0").padEnd(19)}`;
  return `${match.not ? "!" : " "}${shortCidr(match.cidr).padEnd(19)}`;
}

/** RFC 790 and followers; 0 is every protocol. */
const NUMBERS: Readonly<Record<string, number>> = {
  ...PROTOCOL_NUMBER,
  icmp: 1,
  icmpv6: 58,
  all: 0,
  esp: 50,
  ah: 51,
  gre: 47,
  udplite: 136,
};

function protocol({ matches }: Rule): string {
  for (const match of matches) {
    if (match.kind === "protocol") return numbered(match.protocol, match.not === true);
    const foreign = match.kind === "unknown" ? /^(! )?-p (\S+)$/.exec(match.text) : null;
    if (foreign) return numbered(foreign[2] ?? "", foreign[1] !== undefined);
  }
  return numbered("all", false);
}

const numbered = (name: string, not: boolean): string => `${not ? "!" : " "}${String(NUMBERS[name] ?? name).padEnd(4)}`;
const isFragment = (match: Match): boolean => match.kind === "unknown" && match.text === "-f";

const SPECIAL: ReadonlyMap<Target["kind"], string> = new Map([
  ["none", ""],
  ["notrack", "CT"],
]);

/** The first column: a verdict, a chain, or an extension's name. */
function targetName(target: Target): string {
  if (target.kind === "jump" || target.kind === "goto") return target.chain;
  if (target.kind === "log" || target.kind === "unknown") return target.text.split(" ")[0] ?? "";
  return SPECIAL.get(target.kind) ?? target.kind.toUpperCase();
}
