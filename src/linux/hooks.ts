/**
 * The netfilter hooks of one network stack: the tables in priority order, conntrack between raw and mangle, nat through
 * the connection's entry. Facts: include/uapi/linux/netfilter_ipv4.h (priorities), net/netfilter/core.c.
 */
import type { Ip } from "../net/address.ts";
import { fraction } from "../net/fraction.ts";
import type { Port } from "../net/packet.ts";
import { icmpError, rejectKind, resetOf } from "./answers.ts";
import { attachError, confirmEntry, trackPacket } from "./conntrack.ts";
import { addStep, blamed, dropped, type Flight, setMark, translate } from "./flight.ts";
import { ipvsReply, ipvsRequest } from "./ipvs.ts";
import { addressOf, manipOf, needsNatRules, setupNat } from "./nat.ts";
import { evaluateTable, type NatChange, type Observer, type TableVerdict } from "./netfilter/evaluate.ts";
import type { HookContext } from "./netfilter/hook-context.ts";
import { evaluateBaseChain } from "./netfilter/nft-evaluate.ts";
import type { CtState, Match } from "./netfilter/rule.ts";
import { BUILT_IN, chainOf, type Hook, type IptablesTable, type TableName } from "./netfilter/table.ts";
import { wakesConntrack } from "./netfilter/wakes-conntrack.ts";
import type { Netns } from "./netns.ts";
import { type NftAsked, nftChainsAt, nftContext } from "./nft-hooks.ts";
import { isAnycastAddress, isBroadcastAddress, isLocalAddress, masqueradeSource } from "./route.ts";
import type { Stolen } from "./stage.ts";
import type { End, RuleRef } from "./step.ts";

/** The devices a packet has at a hook; `nexthop` is where the route sends it, for MASQUERADE. */
export type HookDevices = {
  readonly in?: string;
  readonly out?: string;
  readonly physIn?: string;
  readonly physOut?: string;
  readonly nexthop?: Ip;
};

/** Priorities of include/uapi/linux/netfilter_ipv4.h. nat: destinations at -100, sources at 100. */
const PRIORITY: Readonly<Record<Exclude<TableName, "nat">, number>> = { raw: -300, mangle: -150, filter: 0 };
const CONNTRACK_PRIORITY = -200;
const IPVS_PRIORITY: Readonly<Partial<Record<Hook, readonly [reply: number, request?: number]>>> = {
  input: [98, 99],
  output: [-99, -98],
  forward: [100],
};
const natPriority = (hook: Hook): number => (manipOf(hook) === "dst" ? -100 : 100);

/** One thing that runs at a hook. */
type Entry = { readonly priority: number; readonly run: () => End | Stolen | undefined; readonly mayReroute: boolean };

/**
 * Runs a hook. Answers how the packet ended there or was sent another way, or undefined when it goes on. `reroute` is called when an entry of the
 * OUTPUT hook has changed what the route depended on, and may end the packet too.
 */
export function runHook(
  flight: Flight,
  netns: Netns,
  hook: Hook,
  devices: HookDevices,
  reroute?: () => End | undefined,
): End | Stolen | undefined {
  const tables = netns.netfilter.tables(flight.packet.family);
  const nft = nftChainsAt(netns, flight.packet.family, hook);
  if (tables.length === 0 && nft === undefined && netns.ipvs === undefined) return undefined;
  for (const entry of entriesOf(flight, netns, hook, devices, { tables, nft: nft ?? [] })) {
    const before = { dst: flight.packet.dst, mark: flight.mark };
    const end = entry.run();
    if (end) return isRefusal(end) ? { ...end, hook } : end;
    if (reroute && entry.mayReroute && (before.dst !== flight.packet.dst || before.mark !== flight.mark)) {
      const ended = reroute();
      if (ended) return ended;
    }
  }
  if ((hook === "input" || hook === "postrouting") && flight.tracked) confirmEntry(flight.run, flight.tracked);
  return undefined;
}

const isRefusal = (end: End | Stolen): end is End & { kind: "dropped" | "answered" } =>
  "kind" in end && (end.kind === "dropped" || end.kind === "answered");

type Registered = { readonly tables: readonly IptablesTable[]; readonly nft: readonly NftAsked[] };
/** What gives a verdict: an iptables table by its built-in chain, or one base chain of nftables. */
type Asked = { readonly table: IptablesTable; readonly chain?: undefined } | NftAsked;

/** What is registered at a hook, lowest priority first. */
function entriesOf(flight: Flight, netns: Netns, hook: Hook, devices: HookDevices, { tables, nft }: Registered): Entry[] {
  const entries: Entry[] = [];
  // nf_hook_entries_grow puts a newcomer before what has its priority; kube-proxy starts after kubelet made the iptables tables.
  for (const asked of nft) {
    const { type, priority } = asked.chain.base;
    if (type !== "nat") entries.push({ priority, mayReroute: type === "route", run: () => runTable(flight, netns, hook, devices, asked) });
  }
  for (const name of ["raw", "mangle", "filter"] as const) {
    const table = BUILT_IN[name].includes(hook) ? tables.find((t) => t.name === name) : undefined;
    if (table)
      entries.push({
        priority: PRIORITY[name],
        mayReroute: name === "mangle",
        run: () => runTable(flight, netns, hook, devices, { table }),
      });
  }
  if ((hook === "prerouting" || hook === "output") && (netns.ipvs !== undefined || wakesConntrack(netns.netfilter, flight.packet.family)))
    entries.push({ priority: CONNTRACK_PRIORITY, mayReroute: false, run: () => track(flight, netns) });
  if (BUILT_IN.nat.includes(hook))
    entries.push({
      priority: natPriority(hook),
      mayReroute: true,
      run: () => runNat(flight, netns, hook, devices, natAsked(hook, tables, nft)),
    });
  if (netns.ipvs) entries.push(...ipvsEntries(flight, netns, hook));
  return entries.sort((a, b) => a.priority - b.priority);
}

/** ip_vs_ops4 of net/netfilter/ipvs/ip_vs_core.c: answers are looked for before requests. */
function ipvsEntries(flight: Flight, netns: Netns, hook: Hook): Entry[] {
  const [reply, request] = IPVS_PRIORITY[hook] ?? [];
  const entry = (priority: number, run: Entry["run"]): Entry => ({ priority, mayReroute: false, run });
  return [
    ...(reply === undefined ? [] : [entry(reply, () => ipvsReply(flight, netns, hook))]),
    ...(request === undefined ? [] : [entry(request, () => ipvsRequest(flight, netns, hook))]),
  ];
}

/** nf_conntrack_in; a packet that came over lo, or that NOTRACK took out, keeps what it has. */
function track(flight: Flight, netns: Netns): undefined {
  if (flight.tracked) return;
  flight.tracked = trackPacket(flight.run, netns.id, flight.packet);
  addStep(flight, { kind: "conntrack", state: flight.tracked.state });
}

function runTable(flight: Flight, netns: Netns, hook: Hook, devices: HookDevices, asked: Asked): End | undefined {
  return endOf(flight, netns, verdictOf(flight, netns, hook, devices, asked));
}

/** The nat chains of a hook by priority: the order in which nf_nat_inet_fn asks them. */
function natAsked(hook: Hook, tables: readonly IptablesTable[], nft: readonly NftAsked[]): Asked[] {
  const table = tables.find((t) => t.name === "nat");
  const all = [
    ...nft.flatMap((asked) => (asked.chain.base.type === "nat" ? [{ priority: asked.chain.base.priority, asked }] : [])),
    ...(table ? [{ priority: natPriority(hook), asked: { table } as const }] : []),
  ];
  return all.sort((a, b) => a.priority - b.priority).map(({ asked }) => asked);
}

/** The nat chains are asked once for a connection, until one decides; every packet is rewritten as its entry says. */
function runNat(flight: Flight, netns: Netns, hook: Hook, devices: HookDevices, chains: readonly Asked[]): End | undefined {
  const { tracked } = flight;
  if (!tracked || tracked.state === "UNTRACKED" || tracked.state === "INVALID") return undefined;
  const manip = manipOf(hook);
  if (needsNatRules(tracked, manip, flight.packet)) {
    for (const asked of chains) {
      const path: RuleRef[] = [];
      const verdict = verdictOf(flight, netns, hook, devices, asked, path);
      if (verdict.kind === "accept") continue;
      if (verdict.kind !== "nat") return endOf(flight, netns, verdict);
      const change = natTarget(flight, netns, verdict.change, devices);
      if (change === undefined)
        return dropped(flight, netns.id, "no-route", `${devices.out ?? "the device"} has no address to masquerade to`, verdict.ref);
      setupNat(tracked.entry, manip, change, [...path]);
      break;
    }
    if (needsNatRules(tracked, manip, flight.packet)) setupNat(tracked.entry, manip, undefined, []);
  }
  translate(flight, hook);
  return undefined;
}

/** The address and port a NAT target means for this packet. Undefined: nothing to masquerade to. */
function natTarget(
  flight: Flight,
  netns: Netns,
  change: NatChange,
  devices: HookDevices,
): { readonly ip: Ip; readonly port: Port } | undefined {
  const now = addressOf(flight.packet, change.manip);
  if (change.masquerade) {
    const ip =
      devices.out === undefined ? undefined : masqueradeSource(netns, devices.out, devices.nexthop ?? flight.packet.dst, flight.packet.dst);
    return ip === undefined ? undefined : { ip, port: change.randomPort ? flight.run.nextSymbol("mport") : now.port };
  }
  if (change.redirect) {
    const loopback = flight.packet.family === 4 ? "127.0.0.1" : "::1";
    const ip = devices.in === undefined ? loopback : masqueradeSource(netns, devices.in, flight.packet.src, flight.packet.src);
    return ip === undefined ? undefined : { ip, port: change.port ?? now.port };
  }
  return { ip: change.ip ?? now.ip, port: change.port ?? (change.randomPort ? flight.run.nextSymbol("mport") : now.port) };
}

function verdictOf(flight: Flight, netns: Netns, hook: Hook, devices: HookDevices, asked: Asked, path?: RuleRef[]): TableVerdict {
  const context = (): HookContext => contextOf(flight, netns, hook, devices);
  const observer: Observer = {
    evidence: flight.run.evidence,
    matched: (ref) => {
      addStep(flight, { kind: "rule", hook, ref, ...(ref.nft && path ? { nat: true } : {}) });
      path?.push(ref);
    },
    marked: (ref, mark, named) => {
      setMark(flight, mark, named);
      addStep(flight, { kind: "mark", hook, mark, ref });
    },
    untracked: () => {
      flight.tracked = { state: "UNTRACKED" };
    },
    left: (chain, verdict, visits, skipped) => {
      if (!flight.run.evidence) return;
      const base = asked.chain?.name === chain ? { base: true } : {};
      addStep(flight, { kind: "chain", hook, table: asked.table.name, chain, verdict, visits, skipped, ...base });
    },
  };
  if (asked.chain) return evaluateBaseChain(asked.table, asked.chain, nftContext(flight, netns, hook, asked.table, context), observer);
  return evaluateTable(flight.packet.family, asked.table, chainOf(hook), context, observer);
}

/** Turns a verdict that stops the packet into its end. */
function endOf(flight: Flight, netns: Netns, verdict: TableVerdict): End | undefined {
  switch (verdict.kind) {
    case "accept":
    case "nat":
      return undefined;
    case "drop": {
      const text = verdict.policyOf === undefined ? "a rule drops it" : `the policy of ${verdict.policyOf} is DROP`;
      const ref = blamed(flight, verdict.ref);
      return dropped(flight, netns.id, ref?.rule.reason ?? "rule-denied", text, ref);
    }
    case "reject":
      return rejected(flight, netns, verdict.with, verdict.ref);
    case "unknown": {
      addStep(flight, { kind: "note", text: `cannot be decided: ${verdict.text}` });
      return { kind: "unknown", netns: netns.id, packet: flight.packet, text: verdict.text };
    }
    default:
      return verdict satisfies never;
  }
}

function rejected(flight: Flight, netns: Netns, word: string, ref: RuleRef): End {
  const reason = ref.rule.reason ?? "rule-denied";
  const kind = rejectKind(word);
  const answer =
    word === "tcp-reset"
      ? flight.packet.protocol === "tcp"
        ? resetOf(netns, flight.packet)
        : undefined
      : kind && icmpError(netns, kind, flight.packet, flight.iif);
  if (!answer) return dropped(flight, netns.id, reason, `REJECT with ${word}, but no answer can be sent`, ref);
  addStep(flight, { kind: "answer", packet: answer, because: ref });
  attachError(flight.run, answer, flight.tracked);
  return { kind: "answered", netns: netns.id, packet: flight.packet, answer, reason, because: ref };
}

function contextOf(flight: Flight, netns: Netns, hook: Hook, devices: HookDevices): HookContext {
  const { run } = flight;
  return {
    packet: flight.packet,
    mark: flight.mark,
    in: devices.in,
    out: devices.out,
    physIn: devices.physIn ?? flight.physIn, // stays with the packet when IP routes it on
    physOut: devices.physOut,
    ctStates: () => ctStates(flight),
    // To xt_addrtype and nft_fib an anycast address is a type of its own.
    isLocal: (ip) => isLocalAddress(netns, ip) && !isAnycastAddress(netns, ip, undefined),
    isBroadcast: (ip) => isBroadcastAddress(netns, ip),
    chooseOneIn: (k) => {
      const yes = fraction(1, k);
      const isYes = run.choose([yes, fraction(k - 1, k)]) === 0;
      if (isYes) addStep(flight, { kind: "choice", hook, share: yes });
      return isYes;
    },
    recent: (match) => recent(flight, netns, match),
    inSet: (name, sides) => netns.netfilter.sets?.get(name)?.holds(flight.packet, sides) ?? { undecidable: `ipset ${name}` },
    ...(flight.virtual ? { virtualServer: flight.virtual } : {}),
  };
}

function ctStates(flight: Flight): CtState[] {
  const { tracked } = flight;
  if (!tracked) return ["UNTRACKED"];
  if (tracked.state === "INVALID" || tracked.state === "UNTRACKED") return [tracked.state];
  const { original, reply } = tracked.entry;
  const virtual: CtState[] = [];
  if (tracked.entry.byIpvs !== true && (reply.src !== original.dst || reply.sport !== original.dport)) virtual.push("DNAT");
  if (reply.dst !== original.src || reply.dport !== original.sport) virtual.push("SNAT");
  return [tracked.state, ...virtual];
}

/** xt_recent: a list of source addresses by name, kept per network stack. */
function recent(flight: Flight, netns: Netns, match: Match & { readonly kind: "recent" }): boolean {
  const key = `${netns.id} ${match.name}`;
  const list = flight.run.recent.get(key) ?? new Set<Ip>();
  const ip = match.side === "rsource" ? flight.packet.src : flight.packet.dst;
  const found = list.has(ip);
  if (match.command === "set" || (match.command === "update" && found)) flight.run.recent.set(key, new Set([...list, ip]));
  if (match.command === "remove") list.delete(ip);
  const holds = match.command === "set" ? true : found;
  return match.not === true ? !holds : holds;
}
