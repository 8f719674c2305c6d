/**
 * ipset 7: `ipset list`, `ipset list -n` and `ipset save`. Members are sorted, for the real order is that of a hash. Left out
 * of a header, as they are drawn at random or depend on the kernel: initval, the size in memory, the reference count.
 */
import { createIpSet } from "../linux/ipset.ts";
import type { IpSet } from "../linux/netfilter/table.ts";
import { printableWord } from "./printable.ts";

/** `ipset list`: one paragraph a set. */
export function printIpsetList(sets: Iterable<IpSet>): string {
  const paragraphs = [...sets].map((set) => {
    const members = set.members();
    const head = [`Name: ${printableWord(set.name)}`, `Type: ${set.type}`, `Header: ${headerOf(set)}`];
    return [...head, `Number of entries: ${members.length}`, "Members:", ...members].map((line) => `${line}\n`).join("");
  });
  return paragraphs.join("\n");
}

/** `ipset list -n` */
export const printIpsetNames = (sets: Iterable<IpSet>): string => [...sets].map(({ name }) => `${printableWord(name)}\n`).join("");

/** `ipset save`: the commands that make the sets, as `ipset restore` reads them. */
export function printIpsetSave(sets: Iterable<IpSet>): string {
  const lines = [...sets].flatMap((set) => [
    `create ${printableWord(set.name)} ${set.type} ${headerOf(set)}`,
    ...set.members().map((member) => `add ${printableWord(set.name)} ${member}`),
  ]);
  return lines.map((line) => `${line}\n`).join("");
}

/** Sizes are ipset's defaults; one that grows with its members doubles, which is not shown. */
function headerOf({ type, family }: IpSet): string {
  if (type === "bitmap:port") return "range 0-65535";
  return `family ${family === 6 ? "inet6" : "inet"} hashsize 1024 maxelem 65536`;
}

export type IpsetText = {
  readonly sets: readonly IpSet[];
  readonly problems: readonly { readonly line: number; readonly message: string }[];
};

/** Reads `ipset list` and `ipset save`. A set of an unknown type is kept; what it would say of a packet is undecidable. */
export function parseIpset(text: string): IpsetText {
  const drafts = new Map<string, Draft>();
  const problems: { line: number; message: string }[] = [];
  let open: Draft | undefined;
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    const problem = line.startsWith("create ") || line.startsWith("add ") ? readCommand(line, drafts) : undefined;
    if (problem !== undefined) problems.push({ line: at + 1, message: problem });
    if (/^(create|add) /.test(line) || line.startsWith("#")) continue;
    open = readListLine(line, open, drafts);
  }
  return { sets: [...drafts.values()].map(finish), problems };
}

type Draft = { readonly name: string; type: string; header: string; readonly members: string[]; inMembers: boolean };

const draftOf = (name: string): Draft => ({ name, type: "", header: "", members: [], inMembers: false });

function readCommand(line: string, drafts: Map<string, Draft>): string | undefined {
  const [command, name = "", ...rest] = line.split(/\s+/);
  if (command === "create") {
    const [type = "", ...header] = rest;
    drafts.set(name, { ...draftOf(name), type, header: header.join(" ") });
    return type === "" ? "a set without a type" : undefined;
  }
  const draft = drafts.get(name);
  if (!draft) return `set ${JSON.stringify(name)} is not created before this line`;
  if (rest[0] !== undefined) draft.members.push(rest[0]);
  return rest[0] === undefined ? "an entry is missing" : undefined;
}

/** `Name: …` begins a paragraph; after `Members:` each line is one, with options of the entry behind it. */
function readListLine(line: string, open: Draft | undefined, drafts: Map<string, Draft>): Draft | undefined {
  const field = /^(Name|Type|Header|Members|Revision|Size in memory|References|Number of entries):\s*(.*)$/.exec(line);
  if (field?.[1] === "Name") {
    const draft = draftOf(field[2] ?? "");
    drafts.set(draft.name, draft);
    return draft;
  }
  if (!open) return undefined;
  if (field?.[1] === "Type") open.type = field[2] ?? "";
  if (field?.[1] === "Header") open.header = field[2] ?? "";
  if (field?.[1] === "Members") open.inMembers = true;
  else if (field === null && open.inMembers && line !== "") open.members.push(line.split(/\s+/)[0] ?? "");
  return open;
}

function finish({ name, type, header, members }: Draft): IpSet {
  const family = /\bfamily inet6\b/.test(header) ? ({ family: 6 } as const) : type.startsWith("bitmap:") ? {} : ({ family: 4 } as const);
  return createIpSet({ name, type, ...family, members: () => members });
}
