/**
 * Whether a stack tracks connections of a family: its hooks sleep until a rule, of iptables or nftables, asks for a state, an
 * address translation or no tracking (nf_ct_netns_get of net/netfilter/nf_conntrack_proto.c). Once awake they stay.
 */
import type { Family } from "../../net/address.ts";
import type { NftExpression } from "./nft.ts";
import type { Rule } from "./rule.ts";
import type { Netfilter } from "./table.ts";

const answers: Readonly<Record<Family, WeakMap<Netfilter, boolean>>> = { 4: new WeakMap(), 6: new WeakMap() };

/** Worked out once for each netfilter state, as far as the first rule that asks. */
export function wakesConntrack(netfilter: Netfilter, family: Family): boolean {
  const known = answers[family].get(netfilter);
  if (known !== undefined) return known;
  const awake = iptablesAsks(netfilter, family) || nftAsks(netfilter, family);
  answers[family].set(netfilter, awake);
  return awake;
}

/** From filter to raw: filter has few chains, and mostly one that asks; to list those of nat makes all of kube-proxy's. */
const iptablesAsks = (netfilter: Netfilter, family: Family): boolean =>
  netfilter
    .tables(family)
    .toReversed()
    .some((table) => table.names().some((name) => table.chain(name)?.rules().some(asks)));

const TARGETS: ReadonlySet<string> = new Set(["dnat", "snat", "masquerade", "redirect", "notrack", "unknown"]);
const MATCHES: ReadonlySet<string> = new Set(["ctstate", "ipvs", "unknown"]);

const asks = ({ matches, target }: Rule): boolean => TARGETS.has(target.kind) || matches.some(({ kind }) => MATCHES.has(kind));

const nftAsks = (netfilter: Netfilter, family: Family): boolean =>
  (netfilter.nft?.(family) ?? []).some((table) =>
    table.chainNames().some((name) =>
      table
        .chain(name)
        ?.rules()
        .some(({ expressions }) => expressions.some(expressionAsks)),
    ),
  );

const EXPRESSIONS: ReadonlySet<NftExpression["kind"]> = new Set([
  "ct-state",
  "ct-status",
  "dnat",
  "snat",
  "numgen-dnat",
  "masquerade",
  "redirect",
  "notrack",
  "unknown",
]);

const expressionAsks = (expression: NftExpression): boolean =>
  EXPRESSIONS.has(expression.kind) || (expression.kind === "compare" && expression.field === "ct state");
