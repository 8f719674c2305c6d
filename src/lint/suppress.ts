/** Findings that somebody silenced, and silencers that silence nothing: the part of KT902 that only a run knows. */
import type { Place } from "../objects/source.ts";
import type { Mark } from "./finding.ts";
import type { Rule } from "./rule.ts";
import type { Found } from "./run.ts";
import { objectKey, type Suppression } from "./suppressions.ts";

export type Silenced = { readonly found: Found; readonly by: Suppression };
export type Sifted = { readonly heard: readonly Found[]; readonly silenced: readonly Silenced[]; readonly unused: readonly Suppression[] };

/** Of two that cover a finding the first counts as used. `ran`: only a rule that ran could have found something. */
export function sift(findings: readonly Found[], suppressions: readonly Suppression[], ran: ReadonlySet<string>): Sifted {
  const heard: Found[] = [];
  const silenced: Silenced[] = [];
  const used = new Set<Suppression>();
  for (const found of findings) {
    const covering = suppressions.filter((each) => each.codes.has(found.rule.code) && covers(each, found));
    const [by] = covering;
    if (by === undefined) heard.push(found);
    else silenced.push({ found, by });
    for (const each of covering) used.add(each);
  }
  const unused = suppressions.filter((each) => !used.has(each) && each.codes.size > 0 && [...each.codes].some((code) => ran.has(code)));
  return { heard, silenced, unused };
}

function covers({ covers: what }: Suppression, { at, about, mark }: Found): boolean {
  switch (what.kind) {
    case "line":
      return what.file === at.file && at.line <= what.line && what.line <= at.endLine;
    case "file":
      return what.file === at.file;
    case "object": {
      const [first] = about;
      const isSame = mark !== undefined && mark.source.file === what.source.file && mark.source.offset === what.source.offset;
      return (
        (first !== undefined && objectKey(first) === what.key) || (isSame && mark.source.path.join("/") === what.source.path.join("/"))
      );
    }
    default:
      return what satisfies never;
  }
}

/** An unused one as a finding of KT902. */
export function unusedFinding(rule: Rule, { word, at, edits, codes }: Suppression, placeOf: (mark: Mark) => Place | undefined): Found[] {
  const place = "line" in at ? at : placeOf(at);
  if (place === undefined) return [];
  const named = [...codes][0] === word ? word : `${word} (${[...codes].join(", ")})`;
  return [
    {
      rule,
      severity: "warning",
      message: `${named} is suppressed here, and finds nothing`,
      at: place,
      help: "remove it",
      about: [],
      related: [],
      edits,
      ...("line" in at ? {} : { mark: at }),
    },
  ];
}
