/** Findings about what is refused: of an object by itself, or because of what others have (found when the cluster is decided). */
import type { ApiObject } from "../objects/api.ts";
import type { Diagnostic } from "../objects/diagnostic.ts";
import type { PathPart, Source } from "../objects/source.ts";
import { mendingOf, type Violation, violationText } from "../objects/violation.ts";
import type { Finding, Mark } from "./finding.ts";
import type { Refusal } from "./refusals.ts";
import { objectName, refOf } from "./subject.ts";

/** Where the value is written. */
export const markOf = ({ object, violation }: Refusal): Mark => ({ source: object.source, field: writtenPath(violation) });
export const writtenPath = ({ written, path }: Violation): readonly PathPart[] => written ?? path;

/** A refusal in the server's own words. */
export function refusalFinding(refusal: Refusal): Finding {
  const { object, violation } = refusal;
  const help = mendingOf(violation);
  return {
    message: `${objectName(object)}: ${violationText(violation)}`,
    at: markOf(refusal),
    label: `the API server refuses the ${object.kind}`,
    about: [refOf(object)],
    ...(help === undefined ? {} : { help }),
  };
}

export type Decided = { readonly object: ApiObject; readonly field: readonly PathPart[]; readonly diagnostic: Diagnostic };

/** What deciding the cluster found wrong under that code, with the object it is about. */
export function decidedFaults(diagnostics: readonly Diagnostic[], objects: readonly ApiObject[], code: string): readonly Decided[] {
  const found = diagnostics.filter((each) => each.code === code);
  if (found.length === 0) return [];
  const bySource = new Map<Source, ApiObject>(objects.map((object) => [object.source, object]));
  return found.flatMap((diagnostic) => {
    const { at } = diagnostic;
    const object = at !== undefined && "source" in at ? bySource.get(at.source) : undefined;
    return object !== undefined && at !== undefined && "source" in at ? [{ object, field: at.field, diagnostic }] : [];
  });
}
