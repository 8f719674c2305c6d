/**
 * What a snapshot keeps of an API object: all but Secrets (never asked for, and left out should one come), what only managers
 * of fields read (managedFields), and the last-applied copy, which may hold what is nowhere else any more.
 */
import { type Fields, fieldAt, isFields, listAt, textAt } from "../../objects/record.ts";

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** The members of a List that kubectl printed, cleaned. */
export function cleanItems(list: unknown): Fields[] {
  const items = isFields(list) && Array.isArray(list.items) ? listAt(list, "items") : [list];
  return items.flatMap((item) => {
    if (!isFields(item) || /^Secret(List)?$/.test(textAt(item, "kind"))) return [];
    const metadata = fieldAt(item, "metadata");
    return [isFields(metadata) ? { ...item, metadata: cleanMetadata(metadata) } : item];
  });
}

function cleanMetadata(metadata: Fields): Fields {
  const { managedFields: _, annotations, ...rest } = metadata;
  if (!isFields(annotations)) return rest;
  const kept = Object.entries(annotations).filter(([key]) => key !== LAST_APPLIED);
  return kept.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(kept) };
}
