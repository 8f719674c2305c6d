/**
 * Connections and traced packets of a real node against what the walk says of the same packet: from the same address, through
 * the whole network, every course it can take. A packet whose source is no address of the model is not judged.
 */
import { type ListedConnection, parseConntrackList } from "../dialects/conntrack-list.ts";
import { parsePacketTrace, type TracedPacket, type TracedRule } from "../dialects/packet-trace.ts";
import type { ConntrackEntry } from "../linux/conntrack.ts";
import type { NftVerdict } from "../linux/netfilter/nft.ts";
import type { Target } from "../linux/netfilter/rule.ts";
import type { Netns, NetnsId, World } from "../linux/netns.ts";
import { createRun, explore } from "../linux/run.ts";
import type { RuleRef, Step } from "../linux/step.ts";
import type { Ip } from "../net/address.ts";
import { formatSocket, type Protocol } from "../net/packet.ts";
import { walkConnection } from "../trace/connection.ts";
import type { Capture } from "./capture.ts";
import type { Difference } from "./difference.ts";
import { agentOfChain, ownerOfForeign } from "./owners.ts";
import { refText } from "./walk.ts";

/** What a person asked about; absent: everything is compared. */
export type Only = { readonly ip: Ip; readonly port?: number; readonly protocol: Protocol };
export type FlowResult = { readonly differences: readonly Difference[]; readonly compared: number; readonly notes: readonly string[] };

type Tuple = { readonly protocol: Protocol; readonly src: Ip; readonly sport: number; readonly dst: Ip; readonly dport: number };
type Course = { readonly rules: readonly RuleRef[]; readonly entries: readonly ConntrackEntry[] };

/** Every course of this packet: the rules it matches in the node, and the entries it leaves there. */
function coursesOf(world: World, node: NetnsId, { protocol, src, sport, dst, dport }: Tuple): Course[] | undefined {
  const from = world.owners(src).find((id) => hasAddress(world.netns(id), src));
  if (from === undefined) return undefined;
  const branches = explore((choose) => {
    const run = createRun(world, choose);
    const { hops } = walkConnection(run, { from, protocol, dst, dport, sport, bind: src });
    const steps = hops.filter((hop) => hop.netns === node).flatMap((hop) => beforeTunnel(hop.steps));
    return {
      rules: steps.flatMap((step) => (step.kind === "rule" ? [step.ref] : [])),
      entries: run.conntrack.filter((entry) => entry.netns === node),
    };
  });
  return branches.map(({ value }) => value);
}

/** What the tunnel's own packet meets on its way out is another packet's trace. */
function beforeTunnel(steps: readonly Step[]): readonly Step[] {
  const at = steps.findIndex(({ kind }) => kind === "encap");
  return at < 0 ? steps : steps.slice(0, at);
}

const hasAddress = (netns: Netns | undefined, ip: Ip): boolean =>
  netns?.links.some((link) => link.addresses.some(({ cidr }) => cidr.ip === ip)) ?? false;
const isAsked = (only: Only | undefined, protocol: Protocol | undefined, dst: Ip | undefined, dport: number | undefined): boolean =>
  only === undefined || (protocol === only.protocol && dst === only.ip && (only.port === undefined || dport === only.port));

/** Beyond this many different connections a listing is cut: a busy node tracks hundreds of thousands. */
const MOST = 2000;

export function compareConnections(world: World, node: NetnsId, capture: Capture, only?: Only): FlowResult {
  const groups = new Map<string, { readonly entry: ListedConnection; readonly line: number; count: number }>();
  let unread = 0;
  capture.text.split("\n").forEach((line, i) => {
    const parsed = parseConntrackList(line);
    unread += parsed.unread.length;
    for (const entry of parsed.entries) {
      if (!isAsked(only, entry.protocol, entry.original.dst, entry.original.dport)) continue;
      const { original, reply } = entry;
      const key = [entry.protocol, original.src, original.dst, original.dport, reply.src, reply.sport, reply.dst].join(" ");
      const group = groups.get(key);
      if (group) group.count += 1;
      else groups.set(key, { entry, line: i + 1, count: 1 });
    }
  });
  let strangers = 0;
  const all = [...groups.values()];
  const differences = all.slice(0, MOST).flatMap(({ entry, line, count }): Difference[] => {
    const courses = coursesOf(world, node, { protocol: entry.protocol, ...entry.original });
    if (!courses) {
      strangers += count;
      return [];
    }
    const difference = connectionDifference(entry, courses);
    return difference ? [{ ...difference, at: { file: capture.file, line } }] : [];
  });
  return {
    differences,
    compared: Math.min(all.length, MOST),
    notes: [
      ...(strangers > 0 ? [`conntrack -L: ${strangers} connections come from addresses outside the model: not judged`] : []),
      ...(all.length > MOST ? [`conntrack -L: ${all.length - MOST} of ${all.length} different connections were not compared`] : []),
      ...(unread > 0 ? [`conntrack -L: ${unread} lines of other protocols`] : []),
    ],
  };
}

const tupleText = ({
  src,
  sport,
  dst,
  dport,
}: {
  readonly src: Ip;
  readonly sport: number | string;
  readonly dst: Ip;
  readonly dport: number | string;
}): string => `${formatSocket(src, sport)} > ${formatSocket(dst, dport)}`;

function connectionDifference(
  { protocol, original, reply }: ListedConnection,
  courses: readonly Course[],
): Omit<Difference, "at"> | undefined {
  const entries = courses.flatMap(({ entries: own }) =>
    own.filter(
      (entry) =>
        entry.original.protocol === protocol &&
        entry.original.src === original.src &&
        entry.original.dst === original.dst &&
        entry.original.dport === original.dport,
    ),
  );
  const isSame = (entry: ConntrackEntry): boolean =>
    entry.reply.src === reply.src && entry.reply.dst === reply.dst && (protocol.startsWith("icmp") || entry.reply.sport === reply.sport);
  if (entries.some(isSame)) return undefined;
  const base = {
    area: "connection",
    where: `conntrack -L: ${protocol} ${tupleText(original)}`,
    found: `answers come from ${formatSocket(reply.src, reply.sport)} to ${reply.dst}`,
    keys: [],
  } as const;
  if (entries.length === 0)
    return {
      ...base,
      kind: "unexpected",
      likely: "the prediction does not lead this packet through this node: does the real one have another route or source?",
    };
  const predicted = [
    ...new Set(entries.map((entry) => `${formatSocket(entry.reply.src, entry.reply.sport)} to ${entry.reply.dst}`)),
  ].sort();
  const otherEnd = !entries.some((entry) => entry.reply.src === reply.src);
  return {
    ...base,
    kind: "changed",
    predicted: `answers come from ${predicted.join(", or ")}`,
    likely: otherEnd
      ? "a stale endpoint: the connection began when it was one, and lives on; UDP clients that never stop keep it alive (conntrack -D)"
      : "the source was translated otherwise: masquerading differs (kubeProxy.masqueradeAll, clusterCIDR, the CNI's ipMasq)",
  };
}

export function comparePackets(world: World, node: NetnsId, capture: Capture, only?: Only): FlowResult {
  const { packets, unread } = parsePacketTrace(capture.text);
  const asked = packets.filter((packet) => packet.isFirst && isAsked(only, packet.protocol, packet.dst, packet.dport));
  const results = asked.map((packet) => packetDifference(world, node, packet, capture));
  const later = packets.length - packets.filter(({ isFirst }) => isFirst).length;
  return {
    differences: results.flatMap(({ difference }) => difference ?? []),
    compared: results.filter(({ judged }) => judged).length,
    notes: [
      ...results.flatMap(({ judged }, i) =>
        judged ? [] : [`${capture.format}: packet ${asked[i]?.id ?? ""} comes from outside the model: not judged`],
      ),
      ...results.flatMap(({ note }) => note ?? []),
      ...(later > 0 ? [`${capture.format}: ${later} later packets of connections were not compared: nat sees only the first`] : []),
      ...unread.map((line) => `${capture.format}: not understood: ${line.trim()}`),
    ],
  };
}

type Judged = { readonly judged: boolean; readonly difference?: Difference; readonly note?: string };

function packetDifference(world: World, node: NetnsId, packet: TracedPacket, { format, file }: Capture): Judged {
  const { protocol, src, dst, sport = 0, dport = 0 } = packet;
  const netns = world.netns(node);
  const courses =
    protocol && src !== undefined && dst !== undefined ? coursesOf(world, node, { protocol, src, sport, dst, dport }) : undefined;
  if (!courses || !netns) return { judged: false };
  const real = packet.rules.filter((rule) => !isAside(rule, netns));
  const best = courses.map(({ rules }) => firstMismatch(rules, real)).sort((a, b) => b.at - a.at)[0];
  if (!best || best.at === Number.POSITIVE_INFINITY) return { judged: true };
  const { predicted, found } = best;
  const where = found ? `${found.table} ${found.chain}` : predicted ? `${predicted.table} ${predicted.chain}` : "";
  // The mark that a packet is traced is lost where a bridge hands it up: a trace may end before the packet does.
  const last = packet.rules.at(-1);
  if (!found && best.at === real.length && last && !/drop/.test(last.verdict))
    return { judged: true, note: `${format}: the trace of packet ${packet.id} ends after ${real.length} rules, as predicted so far` };
  const owner = found && ownerOfForeign(found.chain);
  const line = found?.line ?? packet.rules.at(-1)?.line ?? packet.line;
  return {
    judged: true,
    difference: {
      area: "packet",
      kind: !found ? "missing" : predicted ? "changed" : "unexpected",
      where: `${format}: packet ${packet.id}, rule ${best.at + 1}: ${where}`,
      ...(predicted ? { predicted: refText(predicted), cause: predicted.rule.cause } : {}),
      ...(found ? { found: `${found.chain}: ${found.text === "" ? found.verdict : found.text} (${found.verdict})` } : {}),
      likely: found
        ? owner === undefined
          ? "the node's rules are not the predicted ones: give its iptables-save or nft list ruleset to see which"
          : `${owner} decides here`
        : "the packet went no further here: see the rule before it",
      at: { file, line },
      keys: [],
    },
  };
}

/** What says nothing of the course: ends of chains, counting and tracing rules, jumps into chains of others. */
function isAside({ family, table, chain, verdict }: TracedRule, netns: Netns): boolean {
  if (verdict === "policy drop" || verdict === "drop") return false;
  if (verdict.startsWith("policy") || verdict === "return") return true;
  const number = family === "ip6" ? 6 : 4;
  const refs = netns.netfilter
    .tables(number)
    .find(({ name }) => name === table)
    ?.chain(chain)
    ?.rules();
  // Others insert their rules into the built-in chains only.
  if (refs) return agentOfChain(chain) === undefined && verdict !== "accept" && !refs.some(({ target }) => wordOf(target) === verdict);
  const isNft = netns.netfilter.nft?.(number).some((each) => each.name === table && each.chain(chain) !== undefined) ?? false;
  return !isNft && verdict !== "accept";
}

/** A target in the words of a trace: what translates ends its table with accept. */
function wordOf(target: Target): string {
  switch (target.kind) {
    case "jump":
    case "goto":
      return `${target.kind} ${target.chain}`;
    case "accept":
    case "drop":
    case "return":
      return target.kind;
    case "reject":
      return "drop";
    case "dnat":
    case "snat":
    case "masquerade":
    case "redirect":
      return "accept";
    default:
      return "continue";
  }
}

function wordOfRef(ref: RuleRef): string {
  if (!ref.nft) return wordOf(ref.rule.target);
  for (const expression of ref.rule.expressions) {
    if (expression.kind === "verdict") return wordOfVerdict(expression.verdict);
    if (expression.kind === "vmap" || expression.kind === "numgen-vmap") return wordOfVerdict(ref.element?.element.verdict);
    if (/dnat|snat|masquerade|redirect/.test(expression.kind)) return "accept";
    if (expression.kind === "reject") return "drop";
  }
  return "continue";
}
const wordOfVerdict = (verdict: NftVerdict | undefined): string =>
  verdict === undefined
    ? "continue"
    : verdict.kind === "jump" || verdict.kind === "goto"
      ? `${verdict.kind} ${verdict.chain}`
      : verdict.kind;

type Mismatch = { readonly at: number; readonly predicted?: RuleRef; readonly found?: TracedRule };

/**
 * Where both first part, counted in the rules of the trace. Each table on its own: which of two tables of one priority is asked
 * first depends on who registered it last.
 */
function firstMismatch(rules: readonly RuleRef[], real: readonly TracedRule[]): Mismatch {
  const tables = [...new Set([...rules, ...real].map(({ table }) => table))];
  const mismatches = tables.flatMap((table): Mismatch[] => {
    const [predicted, found] = [rules.filter((ref) => ref.table === table), real.filter((rule) => rule.table === table)];
    const length = Math.max(predicted.length, found.length);
    for (let i = 0; i < length; i++) {
      const [a, b] = [predicted[i], found[i]];
      if (a && b && a.chain === b.chain && b.verdict === wordOfRef(a)) continue;
      return [{ at: b ? real.indexOf(b) : real.length, ...(a ? { predicted: a } : {}), ...(b ? { found: b } : {}) }];
    }
    return [];
  });
  return mismatches.sort((a, b) => a.at - b.at)[0] ?? { at: Number.POSITIVE_INFINITY };
}
