/**
 * nftables at the hooks of one network stack: its base chains, and what they may ask beside what iptables asks. Facts:
 * net/netfilter/nf_tables_api.c (nft_register_basechain_hooks), nft_numgen.c, nft_dynset.c. Elements
 * never time out.
 */
import type { Family, Ip } from "../net/address.ts";
import { fraction } from "../net/fraction.ts";
import { addStep, type Flight } from "./flight.ts";
import type { HookContext } from "./netfilter/hook-context.ts";
import type { NftChain, NftTable } from "./netfilter/nft.ts";
import type { NftContext } from "./netfilter/nft-match.ts";
import type { Hook } from "./netfilter/table.ts";
import type { Netns } from "./netns.ts";

/** A base chain with its table. */
export type NftAsked = { readonly table: NftTable; readonly chain: NftChain & { readonly base: NonNullable<NftChain["base"]> } };

/** The base chains at a hook in the order of their tables; undefined when the stack has no nftables for this family. */
export function nftChainsAt(netns: Netns, family: Family, hook: Hook): NftAsked[] | undefined {
  const tables = netns.netfilter.nft?.(family) ?? [];
  if (tables.length === 0) return undefined;
  return tables.flatMap((table) =>
    table.baseChains.flatMap((chain) => (chain.base?.hook === hook ? [{ table, chain: { ...chain, base: chain.base } }] : [])),
  );
}

/** A dynamic set remembers, per network stack, who was put into it. */
export function nftContext(flight: Flight, netns: Netns, hook: Hook, table: NftTable, context: () => HookContext): () => NftContext {
  const { run } = flight;
  const listOf = (set: string): string => `${netns.id} nft ${table.family} ${table.name} ${set}`;
  const remembered = (set: string): ReadonlySet<Ip> => run.recent.get(listOf(set)) ?? new Set();
  return () => ({
    ...context(),
    chooseAmong: (n) => {
      const share = fraction(1, n);
      const arm = run.choose(Array.from({ length: n }, () => share));
      addStep(flight, { kind: "choice", hook, share });
      return arm;
    },
    remembered,
    remember: (set, key) => {
      run.recent.set(listOf(set), new Set([...remembered(set), key]));
    },
  });
}
