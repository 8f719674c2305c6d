/** Keys that a kind does not have (field.strict errors of the API server), wherever in an object the lists of fields reach. */
import { isFields } from "../objects/record.ts";
import type { PathPart } from "../objects/source.ts";
import { fieldsOfKind, fieldsOfType } from "./api-fields.ts";

export type UnknownField = {
  readonly path: readonly PathPart[];
  readonly key: string;
  readonly known: readonly string[];
  readonly siblings: readonly string[];
};
type Known = ReadonlyMap<string, string | undefined>;

/** All of them, down the object in the order of writing. `path` leads to the mapping that has the key. */
export function unknownFields(kind: string, object: unknown): readonly UnknownField[] {
  const known = fieldsOfKind(kind);
  return known === undefined ? [] : unknownIn(object, known, []);
}

function unknownIn(value: unknown, known: Known, path: readonly PathPart[]): UnknownField[] {
  if (Array.isArray(value)) return value.flatMap((member, i) => (isFields(member) ? unknownIn(member, known, [...path, i]) : []));
  if (!isFields(value)) return [];
  return Object.entries(value).flatMap(([key, member]): UnknownField[] => {
    if (!known.has(key)) return [{ path, key, known: [...known.keys()], siblings: Object.keys(value) }];
    const type = known.get(key);
    const below = type === undefined || typeof member !== "object" ? undefined : fieldsOfType(type);
    return below === undefined ? [] : unknownIn(member, below, [...path, key]);
  });
}
