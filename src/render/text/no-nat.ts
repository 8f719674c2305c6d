/**
 * The rewrite that did not happen, where a reader expects one: a port of the node that is no node port, a Service that
 * was recognised but hands out no endpoint, an address that looks like a Service and is none.
 */
import type { Reason } from "../../linux/reason.ts";
import type { Hop, RuleRef, Step } from "../../linux/step.ts";
import { formatSocket } from "../../net/packet.ts";
import { chainAfter } from "../rule-words.ts";
import { becauseOf, ENTRANCE, entranceOf } from "./cause.ts";
import type { Row } from "./layout.ts";
import { isIcmp, type Scene } from "./scene.ts";
import { line } from "./spans.ts";

/** The rows to put before the routing decision; none when a rewrite happened or nobody expects one. */
export function noNatRows(scene: Scene, hop: Hop, failed: boolean): Row[] {
  if (scene.context.describe(hop.netns).kind !== "node" || !startsFlow(hop)) return [];
  if (hop.steps.some((step) => step.kind === "nat" && step.manip === "dst")) return [];
  const visited = natRules(hop.steps);
  if (visited.length === 0) return [];
  const entrance = entranceOf(scene.context, visited);
  if (entrance) {
    const { packetIn } = hop;
    const word = ENTRANCE.get(entrance.view.role) ?? entrance.view.role;
    const text = entrance.view.role === "node-port" ? `${word} ${packetIn.dport}` : `${word} ${formatSocket(packetIn.dst, packetIn.dport)}`;
    return [
      { verb: "match", what: line(text), ...becauseOf(entrance.view) },
      { verb: "no nat", what: line(whyNothing(hop, deepestChain(visited))) },
    ];
  }
  const local = hop.steps.some((step) => step.kind === "route" && step.why === "input" && step.local);
  const { dst, dport } = hop.packetIn;
  if (isIcmp(hop.packetIn.protocol))
    return failed ? [{ verb: "no nat", what: line("rules of Services match protocol and port; a ping has neither") }] : [];
  const chain = deepestChain(visited);
  const reason = refusalIn(hop);
  if ((reason === "no-endpoints" || reason === "no-local-endpoints") && chain.startsWith("KUBE-")) {
    const lacks = reason === "no-endpoints" ? "a Service without endpoints gets none" : "the Service has no endpoint on this node";
    return [{ verb: "no nat", what: line(`${chain} has no rule for this port: ${lacks}`) }];
  }
  if (local && chain === "KUBE-NODEPORTS") return [{ verb: "no nat", what: line(`port ${dport} is no node port`) }];
  if (local) return [{ verb: "no nat", what: line(`no rule rewrites ${formatSocket(dst, dport)}`) }];
  const tunnelled = hop.in !== undefined && hop.seen.some((seen) => seen.outer !== undefined && seen.direction === "in");
  return failed && !tunnelled
    ? [{ verb: "no nat", what: line(`no Service rule for ${formatSocket(dst, dport)}: an ordinary address here`) }]
    : [];
}

/** Why a Service's chain handed the packet to nobody, in the words of what then refused it. */
function whyNothing(hop: Hop, chain: string): string {
  const reason = refusalIn(hop);
  if (reason === "source-range-denied") return `no range that the Service lets in holds ${hop.packetIn.src}`;
  if (reason === "no-local-endpoints") return `${chain}: you are no pod and not this node; no endpoint is here`;
  return `${chain} has no endpoint to hand this packet to`;
}

/** The reason of the rule that took the packet in the end. */
function refusalIn({ steps }: Hop): Reason | undefined {
  for (const step of steps.toReversed()) if (step.kind === "drop" || step.kind === "answer") return step.because?.rule.reason;
  return undefined;
}

const startsFlow = ({ packetIn }: Hop): boolean => ["syn", "datagram", "echo-request"].includes(packetIn.segment.kind);

const natRules = (steps: readonly Step[]): RuleRef[] =>
  steps.flatMap((step) =>
    step.kind === "rule" &&
    (step.ref.nft ? step.nat === true : step.ref.table === "nat") &&
    (step.hook === "prerouting" || step.hook === "output")
      ? [step.ref]
      : [],
  );

/** The last chain that a rule jumped to. */
function deepestChain(refs: readonly RuleRef[]): string {
  const last = refs.at(-1);
  return (last && chainAfter(last)) ?? last?.chain ?? "";
}
