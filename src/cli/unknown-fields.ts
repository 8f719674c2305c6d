/**
 * Keys that a kind does not have, as kubectl says them: `unknown field "spec.ports[0].target-port"`. With its default, --validate=strict,
 * the server refuses the object; else it drops the key and takes the default in its place, which is what every command here does.
 */
import { unknownFields } from "../lint/unknown-fields.ts";
import { isNamespaced } from "../manifests/kinds.ts";
import type { Written } from "../manifests/objects.ts";
import { nearest } from "../manifests/words.ts";
import type { Diagnostic } from "../objects/diagnostic.ts";
import { fieldAt, textAt } from "../objects/record.ts";
import { formatPath } from "../objects/violation.ts";

/** A warning for each. What a live dump holds was taken once, and old API versions had other fields. */
export function unknownFieldFindings(written: readonly Written[]): Diagnostic[] {
  return written.flatMap(({ value, source }) => {
    const [kind, apiVersion] = [textAt(value, "kind"), textAt(value, "apiVersion")];
    if (fieldAt(value, "metadata", "uid") !== undefined || /beta|alpha/.test(apiVersion)) return [];
    return unknownFields(kind, value).map(({ path, key, known }): Diagnostic => {
      const meant = nearest(key, known);
      const consequence = "kubectl refuses it; without --validate the server drops the field";
      return {
        code: "KT006",
        severity: "warning",
        message: `${nameOf(kind, value)}: unknown field "${formatPath([...path, key])}"`,
        help: meant === undefined ? consequence : `did you mean ${meant}? ${consequence}`,
        at: { source, field: [...path, key] },
      };
    });
  });
}

function nameOf(kind: string, value: unknown): string {
  const name = textAt(value, "metadata", "name");
  return isNamespaced(kind) ? `${kind} ${textAt(value, "metadata", "namespace") || "default"}/${name}` : `${kind} ${name}`;
}
