/**
 * The ResourceQuota admission plugin (apiserver/pkg/admission/plugin/resourcequota/controller.go, checkRequest): what each
 * quota has left, object by object in the order of their creation, and its words when that is not enough.
 */
import type { PodSpec, ResourceQuota } from "../../objects/api.ts";
import type { ClusterQuota } from "../cluster.ts";
import { groupBy } from "../order.ts";
import { addQuantities, formatQuantity, type Quantity, ZERO } from "./quantity.ts";
import { type Amounts, amountsOf, sortedNames } from "./resources.ts";
import { isInScope } from "./scopes.ts";
import { isCounted, missingFor } from "./usage.ts";

/** An object about to be created. `stated`: a live dump has it, so that it was admitted and is in its quotas' own numbers. */
export type Entry = { readonly namespace: string; readonly amounts: Amounts; readonly pod?: PodSpec; readonly stated: boolean };

export type Ledger = {
  readonly hasQuota: (namespace: string) => boolean;
  /** Books the object; or the reason why it is refused, and nothing is booked. */
  readonly admit: (entry: Entry) => string | undefined;
  readonly quotas: () => readonly ClusterQuota[];
};

type Account = { readonly quota: ResourceQuota; readonly hard: Amounts; readonly used: Map<string, Quantity>; readonly knows: boolean };

/** The quotas of all namespaces, with nothing booked but what a dump's quotas say of themselves. */
export function createLedger(quotas: readonly ResourceQuota[]): Ledger {
  const accounts = quotas.map(openAccount);
  const byNamespace = groupBy(accounts, ({ quota }) => quota.metadata.namespace ?? "default");
  return {
    hasQuota: (namespace) => byNamespace.has(namespace),
    admit: (entry) => {
      const concerned = (byNamespace.get(entry.namespace) ?? []).filter(({ quota }) => isInScope(quota, entry.pod));
      const refusal = entry.stated ? undefined : firstRefusal(concerned, entry);
      if (refusal !== undefined) return refusal;
      for (const account of concerned) if (!(entry.stated && account.knows)) book(account, entry.amounts);
      return undefined;
    },
    quotas: () => accounts.map(closeAccount),
  };
}

function openAccount(quota: ResourceQuota): Account {
  const hard = amountsOf(quota.spec?.hard);
  const stated = amountsOf(quota.status?.used);
  const zeros = [...hard.keys()].filter(isCounted).map((name) => [name, ZERO] as const);
  return { quota, hard, used: new Map([...zeros, ...stated]), knows: stated.size > 0 };
}

const closeAccount = ({ quota, hard, used }: Account): ClusterQuota => ({
  namespace: quota.metadata.namespace ?? "default",
  name: quota.metadata.name,
  hard: textsOf(hard, sortedNames(hard)),
  used: textsOf(
    used,
    sortedNames(hard).filter((name) => used.has(name)),
  ),
  object: quota,
});

const textsOf = (amounts: Amounts, names: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(names.map((name) => [name, formatQuantity(amounts.get(name) ?? ZERO)]));

function book({ hard, used }: Account, amounts: Amounts): void {
  for (const [name, quantity] of amounts) if (hard.has(name)) used.set(name, addQuantities(used.get(name) ?? ZERO, quantity));
}

function firstRefusal(accounts: readonly Account[], entry: Entry): string | undefined {
  for (const account of accounts) {
    const refusal = refusalOf(account, entry);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** Only what the object adds to is compared: a quota that is over in something else is no hindrance. */
function refusalOf({ quota, hard, used }: Account, { amounts, pod }: Entry): string | undefined {
  const missing = pod === undefined ? undefined : missingFor(pod, [...hard.keys()]);
  if (missing !== undefined) return `failed quota: ${quota.metadata.name}: ${missing}`;
  const exceeded = sortedNames(amounts).filter((name) => {
    const [limit, more] = [hard.get(name), amounts.get(name) ?? ZERO];
    return limit !== undefined && more.nano > 0n && (used.get(name) ?? ZERO).nano + more.nano > limit.nano;
  });
  if (exceeded.length === 0) return undefined;
  const listed = (from: Amounts): string => exceeded.map((name) => `${name}=${formatQuantity(from.get(name) ?? ZERO)}`).join(",");
  return `exceeded quota: ${quota.metadata.name}, requested: ${listed(amounts)}, used: ${listed(used)}, limited: ${listed(hard)}`;
}
