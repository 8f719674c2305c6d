/**
 * A real node against the prediction: every capture on its own, then, for one packet, both networks walked side by side.
 * The captured state stands in for the predicted one where a capture shows it; all else stays predicted.
 */
import type { Netns, NetnsId } from "../linux/netns.ts";
import type { Question } from "../trace/question.ts";
import type { Trace } from "../trace/trace.ts";
import type { TraceNet } from "../trace/trace-net.ts";
import type { Capture, Captures } from "./capture.ts";
import { compareIptables } from "./compare-iptables.ts";
import { compareLinks } from "./compare-links.ts";
import { compareNft } from "./compare-nft.ts";
import { compareFdb, compareNeighbours, compareRoutes } from "./compare-routes.ts";
import type { Compared, Difference, Foreign } from "./difference.ts";
import { compareConnections, comparePackets, type FlowResult, type Only } from "./flows.ts";
import { agentOfChain } from "./owners.ts";
import { compareWalks, netOf, worldWith } from "./walk.ts";

export type Verification = {
  readonly node: NetnsId;
  readonly captures: readonly Capture[];
  /** Of the packet asked about, else of everything. */
  readonly equal: boolean;
  /** With a question: the first in packet order. */
  readonly first?: Difference;
  /** Without a question all; with one those on the packet's way, the first one first. */
  readonly differences: readonly Difference[];
  /** With a question: differences that this packet does not meet. */
  readonly elsewhere: number;
  readonly foreign: readonly Foreign[];
  readonly notes: readonly string[];
  readonly walks?: { readonly predicted: Trace; readonly captured: Trace };
  /** Connections and traced packets that were judged. */
  readonly flows: number;
  /** Nothing in the captures could be held against the prediction; the notes say why. */
  readonly isEmpty: boolean;
};

/** Compares; `question` asks about one packet only. */
export function verifyNode(net: TraceNet, node: Netns, read: readonly Captures[], question?: Question): Verification {
  const captures = read.flatMap((each) => each.captures);
  let captured = node;
  const states: Compared[] = [];
  for (const capture of captures) {
    const compared = compareState(node, captured, capture);
    if (!compared) continue;
    states.push(compared);
    captured = compared.captured;
  }
  const modes = { predicted: modeOf(node), found: captures.flatMap((capture) => modeShown(capture) ?? [])[0] };
  const state = {
    differences: oneVoice(
      states.flatMap(({ differences }) => differences),
      modes,
    ),
    foreign: states.flatMap(({ foreign }) => foreign),
  };
  const walks =
    question && (states.length > 0 || captures.length > 0)
      ? compareWalks(question, netOf(net.world, net.apps), netOf(worldWith(net.world, captured), net.apps), node.id, state)
      : undefined;
  const only = walks && onlyOf(walks.predicted);
  const flows = captures.flatMap((capture) => compareFlows(net, node.id, capture, only) ?? []);
  const ofFlows = flows.flatMap(({ differences }) => differences);
  const first = walks?.first ?? (question ? ofFlows[0] : undefined);
  const differences = walks
    ? [...new Set([...(first ? [first] : []), ...(first ? walks.met : []), ...ofFlows])]
    : [...state.differences, ...ofFlows];
  return {
    node: node.id,
    captures,
    equal: differences.length === 0,
    ...(first ? { first } : {}),
    differences,
    elsewhere: walks ? state.differences.filter((difference) => !differences.includes(difference)).length : 0,
    foreign: state.foreign,
    notes: [...read.flatMap(({ warnings }) => warnings), ...states.flatMap(({ notes }) => notes), ...flows.flatMap(({ notes }) => notes)],
    ...(walks ? { walks: { predicted: walks.predicted, captured: walks.captured } } : {}),
    flows: flows.reduce((sum, { compared }) => sum + compared, 0),
    isEmpty: states.every(({ isIncomparable }) => isIncomparable === true) && flows.every(({ compared }) => compared === 0),
  };
}

/** Differences are those to the prediction; what was captured is laid over what earlier captures showed. */
function compareState(node: Netns, captured: Netns, capture: Capture): Compared | undefined {
  const compared = compareOne(node, capture);
  if (!compared) return undefined;
  return { ...compared, captured: compareOne(captured, capture)?.captured ?? compared.captured };
}

function compareOne(netns: Netns, capture: Capture): Compared | undefined {
  switch (capture.format) {
    case "iptables-save":
    case "ip6tables-save":
      return compareIptables(netns, capture);
    case "nft list ruleset":
      return compareNft(netns, capture);
    case "ip route":
    case "ip -6 route":
      return compareRoutes(netns, capture);
    case "ip addr":
      return compareLinks(netns, capture);
    case "ip neigh":
      return compareNeighbours(netns, capture);
    case "bridge fdb":
      return compareFdb(netns, capture);
    case "conntrack -L":
    case "xtables-monitor --trace":
    case "nft monitor trace":
      return undefined;
    default:
      return capture.format satisfies never;
  }
}

function compareFlows(net: TraceNet, node: NetnsId, capture: Capture, only: Only | undefined): FlowResult | undefined {
  if (capture.format === "conntrack -L") return compareConnections(net.world, node, capture, only);
  if (capture.format === "xtables-monitor --trace" || capture.format === "nft monitor trace")
    return comparePackets(net.world, node, capture, only);
  return undefined;
}

function onlyOf({ request }: Trace): Only | undefined {
  const { ip, port, protocol } = request.to;
  return ip === undefined ? undefined : { ip, protocol, ...(port === undefined ? {} : { port }) };
}

type Mode = "iptables" | "nftables" | "ipvs";

/** In which mode kube-proxy wrote this state: each has names that no other has. */
function modeOf({ netfilter }: Netns): Mode | undefined {
  const families = [4, 6] as const;
  if (families.some((family) => netfilter.nft?.(family).some(({ name }) => name === "kube-proxy"))) return "nftables";
  const nat = families.flatMap((family) => netfilter.tables(family).filter(({ name }) => name === "nat"));
  if (nat.some((table) => table.chain("KUBE-NODE-PORT") !== undefined)) return "ipvs";
  return nat.some((table) => table.chain("KUBE-NODEPORTS") !== undefined) ? "iptables" : undefined;
}

/** The same, of a capture's text. */
function modeShown({ format, text }: Capture): Mode | undefined {
  if (format === "nft list ruleset") return /^table ip6? kube-proxy /m.test(text) ? "nftables" : undefined;
  if (format !== "iptables-save" && format !== "ip6tables-save") return undefined;
  return /^:KUBE-NODE-PORT /m.test(text) ? "ipvs" : /^:KUBE-NODEPORTS /m.test(text) ? "iptables" : undefined;
}

/** When kube-proxy runs in another mode, its hundred differences have one cause: each says it. */
function oneVoice(
  differences: readonly Difference[],
  modes: { readonly predicted: Mode | undefined; readonly found: Mode | undefined },
): readonly Difference[] {
  const { predicted, found } = modes;
  if (found === undefined || found === predicted) return differences;
  const likely = `kube-proxy runs in mode ${found}, predicted is ${predicted ?? "none"}: set kubeProxy.mode in the topology`;
  const said = (each: Difference): Difference => (isKubeProxys(each) ? { ...each, likely } : each);
  return [...differences.filter(isKubeProxys), ...differences.filter((each) => !isKubeProxys(each))].map(said);
}

const isKubeProxys = ({ area, where, predicted = "", found = "" }: Difference): boolean =>
  (area === "rule" || area === "chain") &&
  (/\bkube-proxy\b/.test(where + predicted + found) ||
    [where.split(" ").at(-1) ?? "", ...[predicted, found].map((text) => / -[jg] (\S+)/.exec(text)?.[1] ?? "")].some(
      (chain) => agentOfChain(chain) === "kube-proxy",
    ));
