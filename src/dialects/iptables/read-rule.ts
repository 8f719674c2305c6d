/**
 * One `-A CHAIN …` line as structure. Takes the order in which iptables-save prints and the one in which programs write
 * for iptables-restore: an option belongs to whichever loaded module knows it (iptables' command_default in xshared.c).
 */

import type { Match, Rule, Target } from "../../linux/netfilter/rule.ts";
import { type Family, parseCidr } from "../../net/address.ts";
import type { CauseId } from "../../net/cause.ts";
import type { Protocol } from "../../net/packet.ts";
import { lookupModule, type Option } from "./read-matches.ts";
import { readTarget } from "./read-target.ts";
import { rawText, type Token } from "./tokens.ts";

export type RuleReading = { readonly rule: Rule; readonly problem?: string };

type LoadedModule = { readonly name: Token; readonly options: Option[] };
/** What has been read of the line so far. */
type Draft = {
  readonly header: Map<string, Match>;
  readonly modules: LoadedModule[];
  target: { readonly goto: boolean; readonly name: Token; readonly words: Token[] } | undefined;
  /** Words that fit nowhere: they become an unknown match, so that the rule never matches more than was written. */
  readonly stray: string[];
  problem: string | undefined;
};

export type RuleContext = { readonly isChain: (name: string) => boolean; readonly family: Family };

/** The words after `-A CHAIN`. `isChain` knows the chains of the table. */
export function readRule(tokens: readonly Token[], context: RuleContext, cause: CauseId): RuleReading {
  const draft: Draft = { header: new Map(), modules: [], target: undefined, stray: [], problem: undefined };
  for (let at = 0; at < tokens.length; ) at = readPart(draft, tokens, at);
  const header = HEADER_ORDER.flatMap((key) => draft.header.get(key) ?? []);
  const stray: Match[] = draft.stray.length > 0 ? [{ kind: "unknown", text: draft.stray.join(" ") }] : [];
  const rule: Rule = { matches: [...header, ...draft.modules.flatMap(readModule), ...stray], target: targetOf(draft, context), cause };
  return draft.problem === undefined ? { rule } : { rule, problem: draft.problem };
}

const HEADER_ORDER = ["-s", "-d", "-i", "-o", "-p", "-f"];
const LONG_NAMES: ReadonlyMap<string, string> = new Map([
  ["--source", "-s"],
  ["--src", "-s"],
  ["--destination", "-d"],
  ["--dst", "-d"],
  ["--in-interface", "-i"],
  ["--out-interface", "-o"],
  ["--protocol", "-p"],
  ["--proto", "-p"],
  ["--fragment", "-f"],
  ["--match", "-m"],
  ["--jump", "-j"],
  ["--goto", "-g"],
  ["--set-counters", "-c"],
]);

/** Reads one option with its arguments; answers where the next one starts. */
function readPart(draft: Draft, tokens: readonly Token[], start: number): number {
  const not = tokens[start]?.text === "!" && tokens[start]?.quoted === false;
  const at = not ? start + 1 : start;
  const token = tokens[at];
  if (token === undefined) {
    refuse(draft, "a rule ends in !", "!");
    return tokens.length;
  }
  const name = LONG_NAMES.get(token.text) ?? token.text;
  const argument = tokens[at + 1];
  if (name === "-f") {
    draft.header.set("-f", { kind: "unknown", text: not ? "! -f" : "-f" });
    return at + 1;
  }
  if (name === "-c") return at + 3;
  if (["-s", "-d", "-i", "-o", "-p", "-m", "-j", "-g"].includes(name)) {
    if (argument === undefined) refuse(draft, `${name} without a value`, name);
    else if (name === "-m") draft.modules.push({ name: argument, options: [] });
    else if (name === "-j" || name === "-g") draft.target = { goto: name === "-g", name: argument, words: [] };
    else draft.header.set(name, readHeader(name, argument, not));
    return at + 2;
  }
  const end = argumentsEnd(tokens, at + 1);
  addOption(draft, { not, name, args: tokens.slice(at + 1, end).map(({ text }) => text), tokens: tokens.slice(at, end) });
  return end;
}

/** An option's arguments go on to the next word that is an option or a `!`. */
function argumentsEnd(tokens: readonly Token[], start: number): number {
  let at = start;
  for (; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token && !token.quoted && (token.text === "!" || /^--?[A-Za-z]/.test(token.text))) break;
  }
  return at;
}

function addOption(draft: Draft, option: Option): void {
  if (!option.name.startsWith("-")) {
    refuse(draft, `${JSON.stringify(option.name)} is no option`, rawText(option.tokens));
    return;
  }
  if (draft.target) {
    if (option.not) draft.target.words.push({ text: "!", raw: "!", quoted: false });
    draft.target.words.push(...option.tokens);
    return;
  }
  const newestFirst = [...draft.modules].reverse();
  const owner =
    newestFirst.find(({ name }) => lookupModule(name.text)?.options.includes(option.name)) ??
    newestFirst.find(({ name }) => lookupModule(name.text) === undefined) ??
    implicitModule(draft, option) ??
    newestFirst[0];
  if (owner) owner.options.push(option);
  else refuse(draft, `${option.name} belongs to no module`, `${option.not ? "! " : ""}${rawText(option.tokens)}`);
}

function refuse(draft: Draft, problem: string, text: string): void {
  draft.problem = problem;
  draft.stray.push(text);
}

/** `-p tcp --dport 80` loads -m tcp by itself. */
function implicitModule(draft: Draft, option: Option): LoadedModule | undefined {
  const protocol = draft.header.get("-p");
  if (protocol?.kind !== "protocol" || !lookupModule(protocol.protocol)?.options.includes(option.name)) return undefined;
  const loaded: LoadedModule = { name: { text: protocol.protocol, raw: protocol.protocol, quoted: false }, options: [] };
  draft.modules.push(loaded);
  return loaded;
}

function readModule(module: LoadedModule): readonly Match[] {
  const known = lookupModule(module.name.text);
  const isKnown = known !== undefined && module.options.every((option) => known.options.includes(option.name));
  const matches = isKnown ? known.read(module.options) : undefined;
  if (matches) return matches;
  const options = module.options.map((option) => `${option.not ? "! " : ""}${rawText(option.tokens)}`);
  return [{ kind: "unknown", text: ["-m", module.name.raw, ...options].join(" ") }];
}

const PROTOCOLS: ReadonlyMap<string, Protocol | "all"> = new Map([
  ["tcp", "tcp"],
  ["6", "tcp"],
  ["udp", "udp"],
  ["17", "udp"],
  ["sctp", "sctp"],
  ["132", "sctp"],
  ["icmp", "icmp"],
  ["1", "icmp"],
  ["ipv6-icmp", "icmpv6"],
  ["icmpv6", "icmpv6"],
  ["58", "icmpv6"],
  ["all", "all"],
  ["0", "all"],
]);

function readHeader(name: string, argument: Token, negated: boolean): Match {
  const not = negated ? { not: true } : {};
  const unknown: Match = { kind: "unknown", text: `${negated ? "! " : ""}${name} ${argument.raw}` };
  switch (name) {
    case "-s":
    case "-d": {
      const cidr = parseCidr(argument.text);
      return cidr ? { ...not, kind: name === "-s" ? "src" : "dst", cidr } : unknown;
    }
    case "-i":
    case "-o":
      return { ...not, kind: name === "-i" ? "in" : "out", name: argument.text };
    default: {
      const protocol = PROTOCOLS.get(argument.text);
      return protocol ? { ...not, kind: "protocol", protocol } : unknown;
    }
  }
}

function targetOf(draft: Draft, { isChain, family }: RuleContext): Target {
  if (draft.target === undefined) return { kind: "none" };
  const { goto, name, words } = draft.target;
  return goto ? { kind: "goto", chain: name.text } : readTarget(name, words, isChain, family);
}
