/**
 * The match modules that the kernel model knows: which options each takes, and what they mean as structure. A module with
 * an option or value that is not here is read as `unknown`, with its text. Source: iptables-extensions(8), iptables 1.8.9.
 */

import type { AddrType, CtState, Match, PortRange } from "../../linux/netfilter/rule.ts";
import { parseCidr } from "../../net/address.ts";
import { ALL_PORTS, isAllPorts, printProbability, readDecimal, readMasked, readPorts, readProbability } from "./numbers.ts";
import { fullMask, PROTOCOL_NUMBER } from "./print-rule.ts";
import { rawText, type Token } from "./tokens.ts";

export type Option = { readonly not: boolean; readonly name: string; readonly args: readonly string[]; readonly tokens: readonly Token[] };

type Module = {
  readonly options: readonly string[];
  /** Undefined: a value is not modelled. */
  readonly read: (options: readonly Option[]) => readonly Match[] | undefined;
};

/** The reader of a module, by the name after -m. */
export const lookupModule = (name: string): Module | undefined => MODULES.get(name);

const TRANSPORT = ["--sport", "--source-port", "--dport", "--destination-port"];

const MODULES: ReadonlyMap<string, Module> = new Map<string, Module>([
  ["tcp", { options: [...TRANSPORT, "--tcp-flags", "--syn"], read: (options) => readTransport("tcp", options) }],
  ["udp", { options: TRANSPORT, read: (options) => readTransport("udp", options) }],
  ["sctp", { options: TRANSPORT, read: (options) => readTransport("sctp", options) }],
  ["multiport", { options: ["--dports", "--sports", "--ports", "--destination-ports", "--source-ports"], read: readMultiport }],
  ["icmp", { options: ["--icmp-type"], read: (options) => readIcmp(false, options) }],
  ["icmp6", { options: ["--icmpv6-type"], read: (options) => readIcmp(true, options) }],
  ["icmpv6", { options: ["--icmpv6-type"], read: (options) => readIcmp(true, options) }],
  ["comment", { options: ["--comment"], read: readComment }],
  ["mark", { options: ["--mark"], read: readMark }],
  ["conntrack", { options: ["--ctstate"], read: (options) => readStates(options, false) }],
  ["state", { options: ["--state"], read: (options) => readStates(options, true) }],
  ["addrtype", { options: ["--src-type", "--dst-type", "--limit-iface-in"], read: readAddrtype }],
  ["statistic", { options: ["--mode", "--probability", "--every", "--packet"], read: readStatistic }],
  [
    "recent",
    {
      options: ["--set", "--rcheck", "--update", "--remove", "--seconds", "--reap", "--name", "--mask", "--rsource", "--rdest"],
      read: readRecent,
    },
  ],
  ["set", { options: ["--match-set"], read: readSet }],
  ["ipvs", { options: ["--vaddr", "--vproto", "--vport"], read: readVirtualServer }],
  [
    "physdev",
    { options: ["--physdev-in", "--physdev-out", "--physdev-is-in", "--physdev-is-out", "--physdev-is-bridged"], read: readPhysdev },
  ],
]);

const notOf = (option: Option): { readonly not?: true } => (option.not ? { not: true } : {});
/** The only option of a module, with so many arguments. */
const single = (options: readonly Option[], args: number): Option | undefined =>
  options.length === 1 && options[0]?.args.length === args ? options[0] : undefined;

function readTransport(protocol: "tcp" | "udp" | "sctp", options: readonly Option[]): readonly Match[] | undefined {
  const matches: Match[] = [];
  for (const kind of ["sport", "dport"] as const) {
    const long = kind === "sport" ? "--source-port" : "--destination-port";
    for (const option of options.filter(({ name }) => name === `--${kind}` || name === long)) {
      const ports = option.args.length === 1 ? readPorts(option.args[0]) : undefined;
      if (ports === undefined) return undefined;
      if (option.not || !isAllPorts(ports)) matches.push({ ...notOf(option), kind, protocol, ports });
    }
  }
  for (const option of options.filter(({ name }) => name === "--tcp-flags" || name === "--syn")) {
    const flags = readTcpFlags(option);
    if (flags === undefined) return undefined;
    matches.push(flags);
  }
  return matches.length > 0 ? matches : [{ kind: "dport", protocol, ports: ALL_PORTS }];
}

const TCP_FLAGS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"];

function readTcpFlags(option: Option): Match | undefined {
  const [maskText, setText] = option.name === "--syn" ? ["FIN,SYN,RST,ACK", "SYN"] : option.args;
  if (option.args.length !== (option.name === "--syn" ? 0 : 2)) return undefined;
  const mask = readFlags(maskText);
  const set = readFlags(setText);
  return mask && set && { ...notOf(option), kind: "tcp-flags", mask, set };
}

function readFlags(text = ""): readonly string[] | undefined {
  if (text === "NONE") return [];
  if (text === "ALL") return TCP_FLAGS;
  const flags = text.split(",");
  return flags.every((flag) => TCP_FLAGS.includes(flag)) ? TCP_FLAGS.filter((flag) => flags.includes(flag)) : undefined;
}

function readMultiport(options: readonly Option[]): readonly Match[] | undefined {
  const option = single(options, 1);
  const which = {
    "--dports": "dports",
    "--destination-ports": "dports",
    "--sports": "sports",
    "--source-ports": "sports",
    "--ports": "ports",
  } as const;
  const side = Object.entries(which).find(([name]) => name === option?.name)?.[1];
  const ports: PortRange[] = [];
  for (const text of option?.args[0]?.split(",") ?? []) {
    const range = readPorts(text);
    if (range === undefined) return undefined;
    ports.push(range);
  }
  return option && side && [{ ...notOf(option), kind: "multiport", which: side, ports }];
}

function readIcmp(v6: boolean, options: readonly Option[]): readonly Match[] | undefined {
  const option = single(options, 1);
  const [typeText, codeText, ...more] = option?.args[0]?.split("/") ?? [];
  const type = readDecimal(typeText);
  const code = readDecimal(codeText);
  if (option === undefined || type === undefined || type > 255 || more.length > 0 || (codeText !== undefined && code === undefined))
    return undefined;
  return [{ ...notOf(option), kind: "icmp-type", type, ...(code === undefined ? {} : { code }), v6 }];
}

function readComment(options: readonly Option[]): readonly Match[] | undefined {
  const text = single(options, 1)?.args[0];
  return text === undefined ? undefined : [{ kind: "comment", text }];
}

function readMark(options: readonly Option[]): readonly Match[] | undefined {
  const option = single(options, 1);
  const mark = readMasked(option?.args[0]);
  return option && mark && [{ ...notOf(option), kind: "mark", ...mark }];
}

const CT_STATES: readonly CtState[] = ["INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT"];

function readStates(options: readonly Option[], isOldModule: boolean): readonly Match[] | undefined {
  const option = single(options, 1);
  const asked = option?.args[0]?.split(",") ?? [];
  const states = asked.flatMap((text) => CT_STATES.find((state) => state === text) ?? []);
  if (option === undefined || states.length === 0 || states.length !== asked.length) return undefined;
  return [{ ...notOf(option), kind: "ctstate", states, ...(isOldModule ? { writtenAs: "state" as const } : {}) }];
}

const ADDRESS_TYPES: readonly AddrType[] = [
  "LOCAL",
  "UNICAST",
  "BROADCAST",
  "MULTICAST",
  "ANYCAST",
  "BLACKHOLE",
  "UNREACHABLE",
  "PROHIBIT",
];

function readAddrtype(options: readonly Option[]): readonly Match[] | undefined {
  const limit = options.some(({ name }) => name === "--limit-iface-in");
  const matches: Match[] = [];
  for (const side of ["src", "dst"] as const) {
    const option = options.find(({ name }) => name === `--${side}-type`);
    if (option === undefined) continue;
    const type = option.args.length === 1 ? ADDRESS_TYPES.find((known) => known === option.args[0]) : undefined;
    if (type === undefined) return undefined;
    matches.push({ ...notOf(option), kind: "addrtype", side, type, ...(limit ? { limitIfaceIn: true } : {}) });
  }
  return matches.length === 0 || (limit && matches.length > 1) ? undefined : matches;
}

function readStatistic(options: readonly Option[]): readonly Match[] | undefined {
  const [mode] = options.filter(({ name }) => name === "--mode");
  const rest = options.filter((option) => option !== mode);
  const [first] = rest;
  if (mode?.args[0] === "nth") return readEveryNth(rest);
  if (mode?.args[0] !== "random" || rest.length !== 1 || first?.name !== "--probability") return undefined;
  const inverse = readProbability(first.args[0]);
  if (inverse === undefined) return undefined;
  // kube-proxy's own ten digits print as the kernel's eleven; only what prints otherwise keeps its text.
  const text = first.args[0] ?? "";
  const same = text === printProbability(inverse) || text === (inverse === 0 ? 0 : 1 / inverse).toFixed(10);
  return [{ ...notOf(first), kind: "statistic-random", inverse, ...(same ? {} : { writtenAs: text }) }];
}

function readEveryNth(options: readonly Option[]): readonly Match[] | undefined {
  const every = options.find(({ name }) => name === "--every");
  const packet = options.find(({ name }) => name === "--packet");
  const n = readDecimal(every?.args[0]);
  const p = packet === undefined ? 0 : readDecimal(packet.args[0]);
  if (every === undefined || n === undefined || n < 1 || p === undefined || p >= n || options.some(({ name }) => name === "--probability"))
    return undefined;
  return [{ ...notOf(every), kind: "statistic-nth", every: n, packet: p }];
}

function readRecent(options: readonly Option[]): readonly Match[] | undefined {
  const commands = options.filter(({ name }) => name === "--set" || name === "--rcheck" || name === "--update" || name === "--remove");
  const [option] = commands;
  const command = (["set", "rcheck", "update", "remove"] as const).find((word) => option?.name === `--${word}`);
  const mask = argumentOf(options, "--mask");
  if (command === undefined || option === undefined || commands.length > 1) return undefined;
  if (mask !== undefined && mask !== fullMask(4) && mask !== fullMask(6)) return undefined;
  const seconds = argumentOf(options, "--seconds");
  if (seconds !== undefined && readDecimal(seconds) === undefined) return undefined;
  return [
    {
      ...notOf(option),
      kind: "recent",
      command,
      name: argumentOf(options, "--name") ?? "DEFAULT",
      ...(seconds === undefined ? {} : { seconds: Number(seconds) }),
      ...(options.some(({ name }) => name === "--reap") ? { reap: true } : {}),
      side: options.some(({ name }) => name === "--rdest") ? "rdest" : "rsource",
    },
  ];
}

const argumentOf = (options: readonly Option[], name: string): string | undefined =>
  options.find((option) => option.name === name)?.args[0];

function readSet(options: readonly Option[]): readonly Match[] | undefined {
  const option = single(options, 2);
  const [name, sides] = option?.args ?? [];
  const words = sides?.split(",") ?? [];
  const flags = words.flatMap((word) => (["src", "dst"] as const).find((side) => side === word) ?? []);
  if (option === undefined || name === undefined || flags.length !== words.length) return undefined;
  return [{ ...notOf(option), kind: "set", name, flags }];
}

/** The three together, not negated, are what kube-proxy writes; any other use is not modelled. */
function readVirtualServer(options: readonly Option[]): readonly Match[] | undefined {
  if (options.length !== 3 || options.some((option) => option.not || option.args.length !== 1)) return undefined;
  const vaddr = parseCidr(argumentOf(options, "--vaddr") ?? "");
  const word = argumentOf(options, "--vproto")?.toLowerCase();
  const vproto = (["tcp", "udp", "sctp"] as const).find((name) => name === word || String(PROTOCOL_NUMBER[name]) === word);
  const vport = readDecimal(argumentOf(options, "--vport"));
  if (vaddr === undefined || vproto === undefined || vport === undefined || vport > 65535) return undefined;
  return [{ kind: "ipvs", vaddr, vproto, vport }];
}

/** `not` can say only one thing: several options of which one is negated are not modelled. */
function readPhysdev(options: readonly Option[]): readonly Match[] | undefined {
  if (options.length === 0 || (options.length > 1 && options.some((option) => option.not))) return undefined;
  const link = { in: argumentOf(options, "--physdev-in"), out: argumentOf(options, "--physdev-out") };
  const has = (name: string): boolean => options.some((option) => option.name === name);
  return [
    {
      ...(options[0] ? notOf(options[0]) : {}),
      kind: "physdev",
      text: options.map((option) => `${option.not ? "! " : ""}${rawText(option.tokens)}`).join(" "),
      ...(link.in === undefined ? {} : { in: link.in }),
      ...(link.out === undefined ? {} : { out: link.out }),
      ...(has("--physdev-is-in") ? { isIn: true } : {}),
      ...(has("--physdev-is-out") ? { isOut: true } : {}),
      ...(has("--physdev-is-bridged") ? { isBridged: true } : {}),
    },
  ];
}
