/** The rows of a rewrite: before and after, the Service behind it, the chance, and the chains that did it. */
import type { Hop, RuleRef, Step } from "../../linux/step.ts";
import { formatCidr } from "../../net/address.ts";
import { type Fraction, formatFraction } from "../../net/fraction.ts";
import type { CauseView } from "../context.ts";
import { chainAfter, commentOf, isBare, masquerades, sourceAsked } from "../rule-words.ts";
import { because, becauseOf, ENTRANCE, entranceOf, objectText, placeOf, trailText, withoutHash } from "./cause.ts";
import type { Row } from "./layout.ts";
import { isIcmp, type Ports, portText, type Scene, socketText } from "./scene.ts";
import { type Line, line, type Span, span } from "./spans.ts";

export type NatStep = Extract<Step, { kind: "nat" }>;

/** What one rewrite shows. `before` are the hop's steps up to it. */
export function natRows(scene: Scene, hop: Hop, step: NatStep, before: readonly Step[], ports: Ports, chance: Fraction | undefined): Row[] {
  if (step.reverse) return [{ verb: "un-nat", what: changeLine(scene, step, ports), because: line("conntrack entry, no rule visited") }];
  return step.manip === "dst" ? dnatRows(scene, step, ports, chance) : snatRows(scene, hop, step, before, ports);
}

function dnatRows(scene: Scene, step: NatStep, ports: Ports, share: Fraction | undefined): Row[] {
  const entrance = entranceOf(scene.context, step.because);
  const why = entrance ? becauseOf(entrance.view) : because(scene.context, step.cause);
  const chance = chanceText(share);
  const text = [entrance && entranceText(entrance.view, step, ports), chance].filter((part) => part !== undefined).join("; ");
  const trail = trailText(step.because);
  const second: Row = { verb: "", what: line(span(text, "dim")), right: line(span(trail, "dim")) };
  return [{ verb: "dnat", what: changeLine(scene, step, ports), ...why }, ...(text === "" && trail === "" ? [] : [second])];
}

const entranceText = (view: CauseView, step: NatStep, ports: Ports): string => {
  const word = ENTRANCE.get(view.role) ?? view.role;
  if (isIcmp(ports.protocol)) return `${word} ${step.before.ip}`;
  return view.role === "node-port" ? `${word} ${step.before.port}` : `${word} port ${step.before.port}`;
};

function snatRows(scene: Scene, hop: Hop, step: NatStep, before: readonly Step[], ports: Ports): Row[] {
  const asked = askedToMasquerade(before);
  const last = step.because.at(-1);
  const view = scene.context.cause(asked?.rule.cause ?? last?.rule.cause ?? step.cause) ?? scene.context.cause(step.cause);
  const text = view?.note ?? (asked && askedText(asked, view)) ?? (last && commentOf(last)) ?? (view?.object && objectText(view.object));
  const head: Row = {
    verb: "snat",
    what: changeLine(scene, step, ports),
    ...(text === undefined ? {} : { because: line(text) }),
    ...placeOf(view),
  };
  const explain = masqueradeText(scene, hop, step, before);
  const trail = [...(asked ? [`${withoutHash(asked.chain)} asks`] : []), trailText(step.because)]
    .filter((part) => part !== "")
    .join(", then ");
  if (explain === undefined && trail === "") return [head];
  return [head, { verb: "", what: line(span(explain ?? "", "dim")), right: line(span(trail, "dim")) }];
}

/** The rule that put the packet on the list for masquerading: the last jump to the chain that set the mark. */
function askedToMasquerade(before: readonly Step[]): RuleRef | undefined {
  const mark = before.findLast((step) => step.kind === "mark" && step.mark !== 0);
  if (mark?.kind !== "mark") return undefined;
  if (marksItself(mark.ref)) return mark.ref;
  for (const step of before.slice(0, before.indexOf(mark)).toReversed()) {
    if (step.kind !== "rule") continue;
    if (chainAfter(step.ref) === mark.ref.chain) return step.ref;
  }
  return undefined;
}

/** Newer nftables rules of kube-proxy set the mark where they ask for it, without a chain for marking. */
const marksItself = (ref: RuleRef): boolean => ref.nft === true && ref.chain !== "mark-for-masquerade";

/** Why the rule asks for it: what it says of the source, else what its cause stands for. */
function askedText(asked: RuleRef, view: CauseView | undefined): string | undefined {
  const source = sourceAsked(asked);
  if (source) return source.not ? `the source is not in ${formatCidr(source.cidr)}` : "the endpoint asks itself (hairpin)";
  return view?.role === "masquerade" && isBare(asked) ? "externalTrafficPolicy Cluster" : commentOf(asked);
}

/** MASQUERADE takes the address of the device that the route leads out of (net/netfilter/nf_nat_masquerade.c). */
function masqueradeText(scene: Scene, hop: Hop, step: NatStep, before: readonly Step[]): string | undefined {
  const last = step.because.at(-1);
  if (!last || !masquerades(last)) return undefined;
  const dev = before.findLast((other) => other.kind === "route");
  const name = dev?.kind === "route" ? dev.route.dev : undefined;
  if (name === undefined) return undefined;
  const own = scene.context.link(hop.netns, name)?.addresses.some((address) => address.cidr.ip === step.after.ip);
  return own ? `masquerade: the address of ${name}` : `masquerade: ${name} has no address, so another device's`;
}

/** `dst A → B`, the changed half coloured; a port that stays is part of both halves. */
export function changeLine(scene: Scene, step: NatStep, ports: Ports): Line {
  const from = socketText(step.before.ip, step.before.port, ports);
  const to = socketText(step.after.ip, portText(step.after.port, ports), ports);
  return line(`${step.manip} ${from} `, arrow(scene), " ", span(to, "cyan"));
}

const arrow = (scene: Scene): Span => span(scene.glyphs.to);

/** `1 of 3 by chance`. */
function chanceText(share: Fraction | undefined): string | undefined {
  if (share === undefined || share.den === 1n) return undefined;
  return share.num === 1n ? `1 of ${share.den} by chance` : `${formatFraction(share)} by chance`;
}
