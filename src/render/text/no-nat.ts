/**
 * The rewrite that did not happen, where a reader expects one: a port of the node that is no node port, a Service that
 * was recognised but hands out no endpoint, an address that looks like a Service and is none.
 */
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
    const deepest = deepestChain(visited);
    return [
      { verb: "match", what: line(text), ...becauseOf(entrance.view) },
      { verb: "no nat", what: line(`${deepest} has no endpoint to hand this packet to`) },
    ];
  }
  const local = hop.steps.some((step) => step.kind === "route" && step.why === "input" && step.local);
  const { dst, dport } = hop.packetIn;
  if (isIcmp(hop.packetIn.protocol))
    return failed ? [{ verb: "no nat", what: line("rules of Services match protocol and port; a ping has neither") }] : [];
  if (local && deepestChain(visited) === "KUBE-NODEPORTS") return [{ verb: "no nat", what: line(`port ${dport} is no node port`) }];
  if (local) return [{ verb: "no nat", what: line(`no rule rewrites ${formatSocket(dst, dport)}`) }];
  const tunnelled = hop.in !== undefined && hop.seen.some((seen) => seen.outer !== undefined && seen.direction === "in");
  return failed && !tunnelled
    ? [{ verb: "no nat", what: line(`no Service rule for ${formatSocket(dst, dport)}: an ordinary address here`) }]
    : [];
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
