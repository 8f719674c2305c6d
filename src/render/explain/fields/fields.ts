/** The fields that `ktrace explain service.spec.FIELD` knows, in the order of their names. */
import type { FieldText } from "./field.ts";
import { SERVICE_ADDRESSES } from "./service-addresses.ts";
import { SERVICE_TRAFFIC } from "./service-traffic.ts";

export const FIELDS: readonly FieldText[] = [...SERVICE_ADDRESSES, ...SERVICE_TRAFFIC].sort((a, b) =>
  a.path < b.path ? -1 : a.path > b.path ? 1 : 0,
);

/** One field by its path. As in `kubectl explain`, the object may be named services or svc. */
export function lookupField(word: string): FieldText | undefined {
  const path = fieldPath(word);
  return FIELDS.find((field) => field.path === path);
}

/** A path with its object in the singular. */
export const fieldPath = (word: string): string => word.replace(/^(services|svc)(?=\.|$)/, "service");

/** In which releases a field is there: "1.21 and later", "1.17 to 1.21, removed in 1.22". */
export function versionRange({ since, deprecated, removed }: FieldText): string {
  const from = removed === undefined ? `${since} and later` : `${since} to ${before(removed)}`;
  return [from, ...(deprecated ? [`deprecated in ${deprecated}`] : []), ...(removed ? [`removed in ${removed}`] : [])].join(", ");
}

const before = (release: string): string => {
  const [major, minor] = release.split(".");
  return `${major}.${Number(minor) - 1}`;
};

/** One field as plain text. */
export function fieldText(field: FieldText): string {
  const { path, type, what, packets, note, instead } = field;
  const rows = [
    `  releases  ${versionRange(field)}`,
    ...(field.default === undefined ? [] : [`  default   ${field.default}`]),
    ...(instead === undefined ? [] : [`  instead   ${instead}`]),
  ];
  const notes = note === undefined ? "" : `\n\n${note}`;
  return `${path} <${type}>\n\n${what}\n\nThe packet\n  ${packets}\n\n${rows.join("\n")}${notes}\n`;
}
