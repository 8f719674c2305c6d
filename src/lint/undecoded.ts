/** Values that their field cannot hold, for which the reader refused the object: with what it said, the place and the text there. */
import { objectViolations, todaysForm } from "../manifests/object-schema.ts";
import type { Written } from "../manifests/objects.ts";
import { describeRefusal } from "../manifests/refusals.ts";
import type { Violation } from "../manifests/schema.ts";
import type { Diagnostic } from "../objects/diagnostic.ts";
import type { Place } from "../objects/source.ts";
import type { Subject } from "./subject.ts";

/** What the reader says of text and of pairs of objects. */
const ABOUT_TEXT: ReadonlySet<string> = new Set(["KT001", "KT002", "KT007"]);

export type Undecoded = {
  readonly written: Written;
  readonly violation: Violation;
  readonly diagnostic: Diagnostic;
  readonly place: Place;
  readonly text: string; // as it stands in the file
};

/** What the reader said, matched with the values it is about: it keeps places only, as few are ever asked for. */
export function undecoded(subject: Subject): readonly Undecoded[] {
  const said = subject.diagnostics.filter(({ code }) => /^KT\d/.test(code) && !ABOUT_TEXT.has(code));
  if (said.length === 0) return [];
  const files = new Set(said.map((diagnostic) => placeOf(diagnostic)?.file));
  return subject.written
    .filter(({ source }) => files.has(source.file))
    .flatMap((written) =>
      violationsOf(written).flatMap((violation): Undecoded[] => {
        const index = said.findIndex((diagnostic) => isAbout(diagnostic, violation, written));
        const [diagnostic] = index < 0 ? [] : said.splice(index, 1);
        const place = diagnostic && placeOf(diagnostic);
        return diagnostic && place ? [{ written, violation, diagnostic, place, text: textAt(subject, place) }] : [];
      }),
    );
}

const violationsOf = ({ value }: Written): readonly Violation[] =>
  typeof value.kind === "string" ? objectViolations(value.kind, todaysForm(value)) : [];

/** Both are made by the same words from the same value, but for the name that the reader puts before them. */
function isAbout(diagnostic: Diagnostic, violation: Violation, { value, source }: Written): boolean {
  return (
    placeOf(diagnostic)?.file === source.file &&
    diagnostic.message.startsWith(String(value.kind)) &&
    diagnostic.message.endsWith(describeRefusal(violation, String(value.kind), "", source).message)
  );
}

/** A position that is known already. */
export const placeOf = ({ at }: Diagnostic): Place | undefined => (at !== undefined && "line" in at ? at : undefined);

/** What stands at a place of one line. */
export const textAt = (subject: Subject, { file, line, column, endColumn }: Place): string =>
  subject
    .textOf(file)
    ?.split("\n")
    [line - 1]?.slice(column - 1, endColumn - 1) ?? "";
