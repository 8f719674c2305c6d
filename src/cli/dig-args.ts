/**
 * The command lines of dig(1) and nslookup(1), as far as they decide what is asked and printed. Not read: several questions
 * in one call, -f, -k, +trace, nslookup's interactive mode.
 */
import { parseIp } from "../net/address.ts";
import { UsageError } from "../objects/diagnostic.ts";
import { DIG_PARTS, type DigPart, type LookupOptions } from "../trace/question.ts";
import { type ClientRequest, readClient } from "./client-args.ts";
import type { FlagSpec } from "./getopt.ts";
import { readHost, readNumber, readPort } from "./words.ts";

const DIG_FLAGS: readonly FlagSpec[] = [
  { name: "type", short: "t", value: true },
  { name: "query", short: "q", value: true },
  { name: "reverse", short: "x", value: true },
  { name: "port", short: "p", value: true },
  { name: "bind", short: "b", value: true },
  { name: "ipv4", short: "4" },
  { name: "ipv6", short: "6" },
];
const DNS_TYPES = ["A", "AAAA", "SRV", "CNAME", "PTR", "TXT", "NS", "SOA", "MX", "ANY"];

/** `dig [@SERVER] NAME [TYPE] [+OPTION]…`; `-x ADDRESS` asks for the name of an address. */
export function parseDig(args: readonly string[]): ClientRequest {
  const read = readClient("dig", args, DIG_FLAGS);
  const words = read.words.filter((word) => !word.startsWith("+") && word.toUpperCase() !== "IN");
  const server = words.find((word) => word.startsWith("@"))?.slice(1);
  const [one, two, ...more] = words.filter((word) => !word.startsWith("@"));
  const isTypeFirst = two !== undefined && DNS_TYPES.includes((one ?? "").toUpperCase()) && !DNS_TYPES.includes(two.toUpperCase());
  const [first, second] = isTypeFirst ? [two, one] : [one, two];
  if (more.length > 0) throw new UsageError("dig: one question at a time");
  const reverse = read.last("reverse");
  const name = reverse === undefined ? (read.last("query") ?? first) : reverseName(reverse, "dig: -x");
  if (name === undefined)
    throw new UsageError("dig needs a name", "for example: ktrace exec pod/nginx -- dig tomcat6.default.svc.cluster.local");
  const type = reverse === undefined ? (read.last("type") ?? second ?? "A") : "PTR";
  const bind = read.last("bind");
  return {
    ...read.common,
    host: readHost(name, "dig"),
    port: readPort(read.last("port") ?? "53", "dig: -p"),
    protocol: "udp",
    type: dnsType(type, "dig"),
    lookup: digOptions(read.words.filter((word) => word.startsWith("+"))),
    ...(server === undefined ? {} : { server: readHost(server, "dig") }),
    ...(bind === undefined ? {} : { sourceAddress: bind }),
  };
}

/** Options that change nothing a trace knows: timing, EDNS, flags of the header. */
const IGNORED =
  /^(time|timeout|bufsize|edns|cookie|recurse|rec|ednsneg|nsid|dnssec|do|aa|aaonly|ad|adflag|cd|cdflag|all|unknownformat|idn\w*)$/;
const SECTIONS: ReadonlyMap<string, DigPart> = new Map([
  ...DIG_PARTS.map((part): [string, DigPart] => [part, part]),
  ["ans", "answer"],
  ["auth", "authority"],
  ["add", "additional"],
  ["stat", "stats"],
]);

function digOptions(words: readonly string[]): LookupOptions {
  let options: LookupOptions = { search: false, tcp: false, short: false, show: DIG_PARTS };
  for (const word of words) options = { ...options, ...digOption(word, options) };
  return options;
}

function digOption(word: string, { show }: LookupOptions): Partial<LookupOptions> {
  const [, no, name = "", value] = /^\+(no)?([^=]*)(?:=(.*))?$/.exec(word) ?? [];
  const isOn = no === undefined;
  const part = SECTIONS.get(name);
  if (part !== undefined) return { show: isOn ? [...new Set([...show, part])] : show.filter((one) => one !== part) };
  switch (name) {
    case "all":
      return { show: isOn ? DIG_PARTS : [] };
    case "short":
      return { short: isOn };
    case "search":
    case "defname":
      return { search: isOn };
    case "tcp":
    case "vc":
      return { tcp: isOn };
    case "ndots":
      return { ndots: readNumber(value ?? "1", 0, 15, "dig: +ndots"), search: true };
    case "tries":
      return { attempts: readNumber(value ?? "3", 1, 100, "dig: +tries") };
    case "retry":
      return { attempts: readNumber(value ?? "2", 0, 99, "dig: +retry") + 1 };
    default:
      if (IGNORED.test(name)) return {};
      throw new UsageError(
        `dig: option ${JSON.stringify(word)} is not understood`,
        `known: +search +short +tcp +ndots=N +tries=N +[no]all +[no]${DIG_PARTS.join(" +[no]")}`,
      );
  }
}

/** `nslookup [-type=TYPE] NAME [SERVER]`; an address is asked for by its reverse name. */
export function parseNslookup(args: readonly string[]): ClientRequest {
  const options = args.filter((word) => /^-[a-z]+=?/i.test(word) && NSLOOKUP_OPTION.test(word));
  const read = readClient(
    "nslookup",
    args.filter((word) => !options.includes(word)),
    [],
  );
  const [name, server, ...more] = read.words;
  if (name === undefined) throw new UsageError("nslookup needs a name");
  if (more.length > 0) throw new UsageError("nslookup takes a name and a server");
  const settingOf = (pattern: RegExp): string | undefined => options.findLast((word) => pattern.test(word))?.split("=")[1];
  const typed = settingOf(/^-(query)?type=|^-q(u|ue|uer|uery)?=|^-ty(p|pe)?=/i);
  const reverse = typed === undefined && parseIp(name) !== undefined ? reverseName(name, "nslookup") : undefined;
  const type = typed === undefined ? (reverse === undefined ? undefined : "PTR") : dnsType(typed, "nslookup");
  const retry = settingOf(/^-retry=/i);
  return {
    ...read.common,
    command: ["nslookup", ...options, ...read.common.command.slice(1)],
    host: reverse ?? readHost(name, "nslookup"),
    port: readPort(settingOf(/^-port=/i) ?? "53", "nslookup: -port"),
    protocol: "udp",
    lookup: {
      search: !options.some((word) => /^-nosea/i.test(word)) && reverse === undefined,
      tcp: options.some((word) => /^-vc$/i.test(word)),
      short: false,
      show: [],
      ...(retry === undefined ? {} : { attempts: readNumber(retry, 1, 100, "nslookup: -retry") }),
    },
    ...(type === undefined ? {} : { type }),
    ...(server === undefined ? {} : { server: readHost(server, "nslookup") }),
  };
}

const NSLOOKUP_OPTION = /^-((query)?type=|q\w*=|ty\w*=|port=|timeout=|retry=|vc$|novc$|search$|nosearch$|nosea$|sea$|recurse$|norecurse$)/i;

function dnsType(text: string, program: string): string {
  const type = text.toUpperCase();
  if (DNS_TYPES.includes(type)) return type;
  throw new UsageError(`${program}: unknown record type ${JSON.stringify(text)}`, `known: ${DNS_TYPES.join(", ")}`);
}

/** The name under in-addr.arpa or ip6.arpa that stands for an address (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(text: string, what: string): string {
  const ip = parseIp(text);
  if (ip === undefined) throw new UsageError(`${what} takes an address, not ${JSON.stringify(text)}`);
  if (!ip.includes(":")) return `${ip.split(".").reverse().join(".")}.in-addr.arpa`;
  const [before = "", after = ""] = ip.split("::");
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const missing = 8 - groups(before).length - groups(after).length;
  const all = ip.includes("::") ? [...groups(before), ...Array.from({ length: missing }, () => "0"), ...groups(after)] : groups(ip);
  const digits = all.map((group) => group.padStart(4, "0")).join("");
  return `${digits.split("").reverse().join(".")}.ip6.arpa`;
}
