/**
 * What dig(1) and nslookup(1) of BIND 9.18 print. Left out, since nobody knows them here: dig's message id (0), cookie, query
 * time, date and message size.
 */
import type { DnsRecord, DnsReply } from "../apps/dns/message.ts";
import { fullName } from "../apps/dns/message.ts";
import type { Ip } from "../net/address.ts";
import type { NameReply } from "./ask-name-servers.ts";
import type { Ending } from "./client-sees.ts";
import { DIG_PARTS, type DigPart, type LookupOptions } from "./question.ts";
import type { ClientSees } from "./trace.ts";

/** How a lookup ended: the answers to the last name asked, or none. */
export type LookupEnding = {
  readonly words: { readonly command: string; readonly options?: LookupOptions };
  readonly server: Ip;
  readonly port: number;
  readonly protocol: "udp" | "tcp";
  readonly attempts: number;
  readonly isTyped: boolean; // a type was asked for
  readonly replies: readonly NameReply[];
  readonly refused?: boolean; // an ICMP error came back; without it and without replies: silence
};

/** What the program prints and returns. */
export function lookupSees(program: "dig" | "nslookup", ending: Ending): ClientSees {
  const { lookup } = ending;
  if (!lookup) return ending.reason === "dns-unreachable" || ending.verdict === "unresolved" ? noServer(program, undefined) : UNKNOWN;
  if (lookup.replies.length === 0) return noServer(program, lookup);
  const unknown = lookup.replies.find(({ reply }) => reply.unknown !== undefined);
  if (unknown) return { exitCode: 0, message: partOf(unknown) };
  return program === "dig" ? { exitCode: 0, message: digText(lookup) } : nslookupSees(lookup);
}

const UNKNOWN: ClientSees = { exitCode: 0, message: "not known: something that is not modelled decides" };

/** What is known of an answer that somebody else finishes. */
function partOf({ reply }: NameReply): string {
  const known = reply.answers.map(recordLine);
  return [...known, "not known: a name server outside the model decides"].join("\n");
}

function noServer(program: "dig" | "nslookup", lookup: LookupEnding | undefined): ClientSees {
  const why = lookup?.refused ? "connection refused" : "timed out";
  const error = lookup && `;; communications error to ${socketOf(lookup)}: ${why}`;
  const errors = lookup ? Array.from({ length: TRIES }, () => error ?? "") : [];
  const head = program === "dig" && lookup && shown(lookup, "cmd") ? headLines(lookup) : [];
  return {
    exitCode: program === "dig" ? 9 : 1,
    message: [...errors, ...(head.length > 0 ? ["", ...head] : []), ";; no servers could be reached"].join("\n"),
  };
}

/** Both try three times unless told otherwise. */
const TRIES = 3;
const socketOf = ({ server, port }: LookupEnding): string => `${server}#${port}`;
const shown = ({ words }: LookupEnding, part: DigPart): boolean => (words.options?.show ?? DIG_PARTS).includes(part);

const headLines = ({ words }: LookupEnding): string[] => [
  `; <<>> DiG 9.18 <<>> ${words.command.replace(/^dig ?/, "")}`.trimEnd(),
  ";; global options: +cmd",
];

function digText(lookup: LookupEnding): string {
  const [asked] = lookup.replies;
  if (!asked) return "";
  const { reply } = asked;
  if (lookup.words.options?.short === true) return reply.answers.map(({ data }) => data).join("\n");
  const titled = shown(lookup, "comments");
  const section = (part: DigPart, title: string, records: readonly string[]): string[] =>
    !shown(lookup, part) || records.length === 0 ? [] : [...(titled ? [`;; ${title} SECTION:`] : []), ...records, ...(titled ? [""] : [])];
  const lines = [
    ...(shown(lookup, "cmd") ? headLines(lookup) : []),
    ...(titled ? statusLines(asked) : []),
    ...section("question", "QUESTION", [questionLine(asked)]),
    ...section("answer", "ANSWER", reply.answers.map(recordLine)),
    ...section("authority", "AUTHORITY", reply.authority.map(recordLine)),
    ...section("additional", "ADDITIONAL", reply.additional.map(recordLine)),
    ...(shown(lookup, "stats") ? [`;; SERVER: ${socketOf(lookup)}(${lookup.server}) (${lookup.protocol.toUpperCase()})`] : []),
  ];
  return lines.join("\n").replace(/\n+$/, "");
}

/** One of the additional records is EDNS's own, which CoreDNS sends back. */
function statusLines({ name, reply }: NameReply): string[] {
  const flags = ["qr", ...(reply.authoritative ? ["aa"] : []), "rd", ...(reply.recursion ? ["ra"] : [])].join(" ");
  const counts = `QUERY: 1, ANSWER: ${reply.answers.length}, AUTHORITY: ${reply.authority.length}, ADDITIONAL: ${reply.additional.length + 1}`;
  const isLocal = /(^|\.)local\.?$/i.test(name);
  return [
    ";; Got answer:",
    ...(isLocal
      ? [
          ";; WARNING: .local is reserved for Multicast DNS",
          ";; You are currently testing what happens when an mDNS query is leaked to DNS",
        ]
      : []),
    `;; ->>HEADER<<- opcode: QUERY, status: ${reply.rcode}, id: 0`,
    `;; flags: ${flags}; ${counts}`,
    ...(reply.recursion ? [] : [";; WARNING: recursion requested but not available"]),
    "",
    ";; OPT PSEUDOSECTION:",
    "; EDNS: version: 0, flags:; udp: 1232",
  ];
}

/** Columns of lib/dns/masterdump.c as dig asks for them: TTL at 24, class at 32, type at 40, data at 48, reached by tabs. */
const recordLine = ({ name, ttl, type, data }: DnsRecord): string =>
  `${columns([
    [name, 24],
    [String(ttl), 32],
    ["IN", 40],
    [type, 48],
  ])}${data}`;
const questionLine = ({ name, type }: NameReply): string =>
  `;${columns([
    [fullName(name), 32],
    ["IN", 40],
  ])}${type}`;

/** Each text, then white space to its column: tabs as far as they go, else one blank. */
function columns(cells: readonly (readonly [string, number])[]): string {
  let at = 0;
  let line = "";
  for (const [text, column] of cells) {
    at += text.length;
    const to = Math.max(column, at + 1);
    const tabs = Math.floor(to / 8) - Math.floor(at / 8);
    line += text + "\t".repeat(tabs) + " ".repeat(tabs > 0 ? to % 8 : to - at);
    at = to;
  }
  return line;
}

function nslookupSees(lookup: LookupEnding): ClientSees {
  const { replies, server, isTyped } = lookup;
  const [first] = replies;
  if (!first) return UNKNOWN;
  // Without a type an address is asked for by its reverse name, and no server is named (nslookup.c, printmessage).
  const isReverse = first.type === "PTR" && !/type=|-q=/i.test(lookup.words.command);
  const head = isReverse ? [] : [`Server:\t\t${server}`, `Address:\t${socketOf(lookup)}`, ""];
  const failed = replies.find(({ reply }) => reply.rcode !== "NOERROR");
  if (first.reply.rcode !== "NOERROR" || (failed && isTyped))
    return { exitCode: 1, message: [...head, `** server can't find ${first.name}: ${first.reply.rcode}`].join("\n") };
  const records = replies.flatMap(({ type, reply }, i) => answerLines(reply, type, i > 0));
  const authority = first.reply.authoritative ? [] : ["Non-authoritative answer:"];
  if (records.length === 0) return { exitCode: 0, message: [...head, ...authority, `*** Can't find ${first.name}: No answer`].join("\n") };
  return { exitCode: 0, message: [...head, ...authority, ...records].join("\n") };
}

const NSLOOKUP_WORDS: ReadonlyMap<string, string> = new Map([
  ["CNAME", "canonical name"],
  ["PTR", "name"],
  ["SRV", "service"],
  ["TXT", "text"],
  ["NS", "nameserver"],
  ["MX", "mail exchanger"],
]);

/** The second question follows the aliases itself: it is asked for the last one. */
function answerLines(reply: DnsReply, type: string, isSecond: boolean): string[] {
  return reply.answers
    .filter((record) => !(isSecond && record.type === "CNAME" && type !== "CNAME"))
    .flatMap(({ name, type: kind, data }) => {
      const owner = name.replace(/\.$/, "");
      if (kind === "A" || kind === "AAAA") return [`Name:\t${owner}`, `Address: ${data}`];
      if (kind === "SOA") return [owner, ...soaLines(data)];
      return [`${owner}\t${NSLOOKUP_WORDS.get(kind) ?? kind} = ${data}`];
    });
}

function soaLines(data: string): string[] {
  const [origin = "", mail = "", ...numbers] = data.split(" ");
  const labels = ["serial", "refresh", "retry", "expire", "minimum"];
  return [
    `\torigin = ${origin.replace(/\.$/, "")}`,
    `\tmail addr = ${mail.replace(/\.$/, "")}`,
    ...labels.map((label, i) => `\t${label} = ${numbers[i] ?? ""}`),
  ];
}
