/**
 * Reads a command line as getopt_long(3) programs do: short flags in one word (`-sSI`), values in the same word or the
 * next (`-XPOST`, `-X POST`, `--max-time=3`), flags and words in any order, `--` ends the flags.
 */

import { nearest } from "../manifests/words.ts";
import { UsageError } from "../objects/diagnostic.ts";

export type FlagSpec = {
  readonly name: string; // the long form, without dashes
  readonly short?: string; // one character
  readonly value?: boolean; // takes one
};

export type FlagItem = {
  readonly kind: "flag";
  readonly name: string;
  readonly value: string;
  readonly typed: string; // "-f", "--fail"
  readonly words: readonly string[]; // all the words it was read from; flags of one word share the list
};
export type Item = FlagItem | { readonly kind: "word"; readonly text: string };

/** The words again as they were typed, of the items that `keep` wants. A word of several short flags stays whole. */
export function wordsAgain(items: readonly Item[], keep: (item: Item) => boolean): string[] {
  const kept = items.filter(keep);
  return kept.flatMap((item, at) => {
    if (item.kind === "word") return [item.text];
    const before = kept[at - 1];
    return before?.kind === "flag" && before.words === item.words ? [] : item.words;
  });
}

/** What stands on the command line of `program`, in order. An unknown flag is an error that names the nearest known one. */
export function parseFlags(args: readonly string[], specs: readonly FlagSpec[], program: string): Item[] {
  const items: Item[] = [];
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      items.push(...rest.map((text): Item => ({ kind: "word", text })));
      break;
    }
    if (word.startsWith("--")) items.push(longFlag(word, rest, specs, program));
    else if (word.startsWith("-") && word !== "-") items.push(...shortFlags(word, rest, specs, program));
    else items.push({ kind: "word", text: word });
  }
  return items;
}

function longFlag(word: string, rest: string[], specs: readonly FlagSpec[], program: string): Item {
  const equals = word.indexOf("=");
  const name = word.slice(2, equals < 0 ? undefined : equals);
  const spec = specs.find((candidate) => candidate.name === name);
  if (spec === undefined) throw unknownFlag(`--${name}`, specs, program);
  if (!spec.value) {
    if (equals >= 0) throw new UsageError(`${program}: flag --${name} takes no value`);
    return { kind: "flag", name, value: "", typed: `--${name}`, words: [word] };
  }
  if (equals >= 0) return { kind: "flag", name, value: word.slice(equals + 1), typed: `--${name}`, words: [word] };
  const value = rest.shift();
  if (value === undefined) throw new UsageError(`${program}: flag --${name} needs a value`);
  return { kind: "flag", name, value, typed: `--${name}`, words: [word, value] };
}

function shortFlags(word: string, rest: string[], specs: readonly FlagSpec[], program: string): Item[] {
  const items: FlagItem[] = [];
  const words = [word];
  for (let at = 1; at < word.length; at++) {
    const typed = `-${word[at] ?? ""}`;
    const spec = specs.find((candidate) => candidate.short === word[at]);
    if (spec === undefined) throw unknownFlag(typed, specs, program);
    const attached = word.slice(at + 1);
    const value = !spec.value ? "" : attached === "" ? rest.shift() : attached.replace(/^=/, "");
    if (value === undefined) throw new UsageError(`${program}: flag ${typed} (--${spec.name}) needs a value`);
    if (spec.value && attached === "") words.push(value);
    items.push({ kind: "flag", name: spec.name, value, typed, words });
    if (spec.value) break;
  }
  return items;
}

function unknownFlag(flag: string, specs: readonly FlagSpec[], program: string): UsageError {
  const names = specs.map((spec) => `--${spec.name}`);
  const near = flag.startsWith("--") ? nearest(flag, names) : undefined;
  return new UsageError(`${program} has no flag ${flag}`, near === undefined ? undefined : `did you mean ${near}?`);
}
