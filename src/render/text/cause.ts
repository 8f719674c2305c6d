/** Because of what: the words and the place beside a step, from the causes of its rules. */
import type { RuleRef } from "../../linux/step.ts";
import type { CauseId } from "../../net/cause.ts";
import type { ObjectRef } from "../../objects/api.ts";
import type { CauseRole } from "../../objects/cause.ts";
import type { CauseView, RenderContext } from "../context.ts";
import { chainAfter } from "../rule-words.ts";
import { type Line, line, span } from "./spans.ts";

/** `Service default/tomcat6`; cluster-wide kinds have no namespace. */
export const objectText = (object: ObjectRef): string =>
  `${object.kind} ${object.namespace === undefined ? "" : `${object.namespace}/`}${object.name}`;

/** The two right-hand columns of a row, from a cause. */
export function because(context: RenderContext, id: CauseId): { readonly because?: Line; readonly right?: Line } {
  const view = context.cause(id);
  return view === undefined ? {} : becauseOf(view);
}

export function becauseOf(view: CauseView): { readonly because?: Line; readonly right?: Line } {
  const text = view.object === undefined ? view.note : objectText(view.object);
  return { ...(text === undefined ? {} : { because: line(text) }), ...placeOf(view) };
}

export const placeOf = (view: CauseView | undefined): { readonly right?: Line } =>
  view?.place === undefined ? {} : { right: line(span(view.place, "dim")) };

/** How a packet came to be meant for a Service, in the words of the object's own fields. */
export const ENTRANCE: ReadonlyMap<CauseRole, string> = new Map<CauseRole, string>([
  ["node-port", "node port"],
  ["external-ip", "external IP"],
  ["load-balancer-ip", "load-balancer IP"],
  ["cluster-ip", "cluster IP"],
]);

/** The rule among these by which the packet was recognised as a Service's, and its cause. */
export function entranceOf(
  context: RenderContext,
  refs: readonly RuleRef[],
): { readonly ref: RuleRef; readonly view: CauseView } | undefined {
  for (const ref of refs) {
    const view = context.cause(ref.rule.cause);
    if (view !== undefined && ENTRANCE.has(view.role)) return { ref, view };
  }
  return undefined;
}

/** `KUBE-EXT > KUBE-SVC > KUBE-SEP-DCOFR52QIAIPCXLS`: the jumps that led to the last rule; hashes stay in the last, to search for. */
export function trailText(refs: readonly RuleRef[]): string {
  const shown = jumpsTo(refs)
    .filter((chain) => !BUILT_IN.has(chain))
    .slice(-3);
  return shown.map((chain, i) => (i === shown.length - 1 ? chain : withoutHash(chain))).join(" > ");
}

/** The chains one inside the other around the last rule, without those that were entered and left again. */
function jumpsTo(refs: readonly RuleRef[]): string[] {
  let chain = refs.at(-1)?.chain;
  const chains: string[] = [];
  for (const ref of refs.toReversed()) {
    if (chain === undefined) break;
    if (chains[0] !== chain) chains.unshift(chain);
    if (chainAfter(ref) === chain) chain = ref.chain;
  }
  if (chain !== undefined && chains[0] !== chain) chains.unshift(chain);
  return chains;
}

const BUILT_IN: ReadonlySet<string> = new Set([
  ...["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  ...["nat-prerouting", "nat-output", "nat-postrouting"], // of kube-proxy's nftables
]);
/**
 * kube-proxy ends chain names in 16 letters of a base32 SHA-256 (pkg/proxy/iptables/proxier.go, portProtoHash); in nftables
 * mode 8 letters and the name follow the kind (pkg/proxy/nftables/proxier.go, hashAndTruncate).
 */
export const withoutHash = (chain: string): string => chain.replace(/-[A-Z2-7]{16}$/, "").replace(/^([a-z]+)-[A-Z2-7]{8}-.*$/, "$1");
