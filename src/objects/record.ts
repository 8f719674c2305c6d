/** Reading values whose shape nobody has checked: parts of a PodSpec that only the scheduler looks into. */

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** The value under a path of keys, undefined where the path leaves off. */
export const fieldAt = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce((at: unknown, key) => (isFields(at) && Object.hasOwn(at, key) ? at[key] : undefined), value);

export const listAt = (value: unknown, ...path: readonly string[]): readonly unknown[] => {
  const found = fieldAt(value, ...path);
  return Array.isArray(found) ? found : [];
};

export const textAt = (value: unknown, ...path: readonly string[]): string => {
  const found = fieldAt(value, ...path);
  return typeof found === "string" ? found : "";
};

export const textsAt = (value: unknown, ...path: readonly string[]): string[] =>
  listAt(value, ...path).flatMap((each) =>
    typeof each === "string" || typeof each === "number" || typeof each === "boolean" ? [String(each)] : [],
  );

/** A label map, with what is no text left out. */
export const labelsAt = (value: unknown, ...path: readonly string[]): Readonly<Record<string, string>> => {
  const found = fieldAt(value, ...path);
  if (!isFields(found)) return {};
  return Object.fromEntries(Object.entries(found).flatMap(([key, text]) => (typeof text === "string" ? [[key, text] as const] : [])));
};
