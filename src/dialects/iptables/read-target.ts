/** The targets that the kernel model knows, read from the words after -j. Anything else is `unknown`, with its text. */

import type { PortRange, Target } from "../../linux/netfilter/rule.ts";
import { type Family, familyOf, type Ip, parseIp } from "../../net/address.ts";
import { readMasked, readPorts, readU32 } from "./numbers.ts";
import { rawText, type Token } from "./tokens.ts";

/** Targets that let the packet go on: they only tell someone. */
const LOGGERS = ["LOG", "NFLOG", "ULOG", "TRACE", "AUDIT"];
/** Extensions that may stand without an option; any other bare name is a chain. */
const BARE_EXTENSIONS = [
  "QUEUE",
  "NFQUEUE",
  "MIRROR",
  "CT",
  "CONNMARK",
  "CHECKSUM",
  "CLUSTERIP",
  "SECMARK",
  "CONNSECMARK",
  "SYNPROXY",
  "TEE",
  "RATEEST",
];

/** `words` are the options after the name. A name that is a chain of the table, or no extension, is a jump. */
export function readTarget(name: Token, words: readonly Token[], isChain: (name: string) => boolean, family: Family): Target {
  const text = rawText([name, ...words]);
  const unknown: Target = { kind: "unknown", text };
  if (words.length === 0 && isChain(name.text)) return { kind: "jump", chain: name.text };
  if (LOGGERS.includes(name.text)) return { kind: "log", text };
  const options = words.map((word) => word.text);
  const simple = readSimple(name.text, options);
  if (simple) return simple;
  switch (name.text) {
    case "REJECT":
      return readReject(options, family) ?? unknown;
    case "MARK":
      return readMark(options) ?? unknown;
    case "DNAT":
      return readNat("dnat", "--to-destination", options) ?? unknown;
    case "SNAT":
      return readNat("snat", "--to-source", options) ?? unknown;
    case "REDIRECT":
      return readRedirect(options) ?? unknown;
    default:
      return words.length === 0 && !isExtension(name.text) ? { kind: "jump", chain: name.text } : unknown;
  }
}

const isExtension = (name: string): boolean =>
  BARE_EXTENSIONS.includes(name) || ["MASQUERADE", "ACCEPT", "DROP", "RETURN", "NOTRACK"].includes(name);

function readSimple(name: string, options: readonly string[]): Target | undefined {
  const line = [name, ...options].join(" ");
  switch (line) {
    case "ACCEPT":
      return { kind: "accept" };
    case "DROP":
      return { kind: "drop" };
    case "RETURN":
      return { kind: "return" };
    case "NOTRACK":
      return { kind: "notrack" };
    case "CT --notrack":
      return { kind: "notrack", writtenAs: "CT --notrack" };
    case "MASQUERADE":
      return { kind: "masquerade", randomFully: false };
    case "MASQUERADE --random-fully":
      return { kind: "masquerade", randomFully: true };
    default:
      return undefined;
  }
}

function readReject(options: readonly string[], family: Family): Target | undefined {
  const [name, kind] = options;
  if (options.length === 0) return { kind: "reject", with: family === 4 ? "icmp-port-unreachable" : "icmp6-port-unreachable" };
  return options.length === 2 && name === "--reject-with" && kind !== undefined ? { kind: "reject", with: kind } : undefined;
}

/** All spellings come down to --set-xmark value/mask: clear the bits of mask, then xor value (libxt_MARK.c). */
function readMark(options: readonly string[]): Target | undefined {
  const [name, text] = options;
  if (options.length !== 2) return undefined;
  const masked = readMasked(text);
  const bits = readU32(text);
  if (name === "--set-xmark") return masked && { kind: "mark", ...masked };
  if (name === "--set-mark") return masked && { kind: "mark", value: masked.value, mask: (masked.value | masked.mask) >>> 0 };
  if (bits === undefined) return undefined;
  if (name === "--or-mark") return { kind: "mark", value: bits, mask: bits };
  if (name === "--xor-mark") return { kind: "mark", value: bits, mask: 0 };
  if (name === "--and-mark") return { kind: "mark", value: 0, mask: ~bits >>> 0 };
  return undefined;
}

function readNat(kind: "dnat" | "snat", option: string, options: readonly string[]): Target | undefined {
  const [name, text, ...flags] = options;
  const known = ["--random", "--persistent", ...(kind === "snat" ? ["--random-fully"] : [])];
  if (name !== option || text === undefined || flags.some((flag) => !known.includes(flag))) return undefined;
  const address = readNatAddress(text);
  return (
    address && {
      kind,
      ...address,
      ...(flags.includes("--random") ? { random: true } : {}),
      ...(flags.includes("--random-fully") ? { randomFully: true } : {}),
      ...(flags.includes("--persistent") ? { persistent: true } : {}),
    }
  );
}

type NatAddress = { readonly ip?: Ip; readonly ipTo?: Ip; readonly ports?: PortRange };

/** `1.2.3.4-1.2.3.9:80-90`, `:80`, `[fd00::1]:80`, `fd00::1` */
function readNatAddress(text: string): NatAddress | undefined {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  const plain = /^([^:]*)(?::([^:]*))?$/.exec(text);
  const [addresses, portText] = bracketed ? [bracketed[1], bracketed[2]] : plain ? [plain[1], plain[2]] : [text, undefined];
  const ports = portText === undefined ? undefined : readPorts(portText, "-");
  if (portText !== undefined && ports === undefined) return undefined;
  const range = readAddressRange(addresses ?? "");
  return range && (range.ip !== undefined || ports !== undefined) ? { ...range, ...(ports ? { ports } : {}) } : undefined;
}

function readAddressRange(text: string): Omit<NatAddress, "ports"> | undefined {
  if (text === "") return {};
  const [first = "", second, ...more] = text.split("-");
  const ip = parseIp(first);
  const ipTo = second === undefined ? undefined : parseIp(second);
  if (ip === undefined || more.length > 0 || (second !== undefined && ipTo === undefined)) return undefined;
  if (ipTo !== undefined && familyOf(ipTo) !== familyOf(ip)) return undefined;
  return ipTo === undefined ? { ip } : { ip, ipTo };
}

function readRedirect(options: readonly string[]): Target | undefined {
  const [name, text] = options;
  if (options.length === 0) return { kind: "redirect" };
  const ports = options.length === 2 && name === "--to-ports" ? readPorts(text, "-") : undefined;
  return ports && { kind: "redirect", ports };
}
