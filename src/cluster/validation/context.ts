/** What a check may look at besides the object: the release, whose rules changed, and the families of the cluster's service CIDRs. */
import type { IpFamilyName } from "../../objects/api.ts";
import type { PathPart } from "../../objects/source.ts";
import { invalid, type More, type Violation } from "../../objects/violation.ts";
import type { Version } from "../cluster.ts";
import { likeName } from "./names.ts";

export type ValidationContext = {
  readonly version: Version;
  readonly families: readonly IpFamilyName[]; // empty while not known: then nothing is held against them
};

/** Where in the object a check is. */
export type Path = readonly PathPart[];

/** The faults that a form found in a text, as violations of its field. */
export const faulty = (path: Path, value: unknown, faults: readonly string[], more?: More): Violation[] =>
  faults.map((fault) => invalid(path, value, fault, more));

/** Of a name: with one like it that would do. */
export const misnamed = (path: Path, name: string, faults: readonly string[], dots = false): Violation[] => {
  const like = faults.length === 0 ? undefined : likeName(name, dots);
  return faulty(
    path,
    name,
    faults,
    like === undefined ? { help: "write small letters, digits and dashes" } : { help: `for example ${like}` },
  );
};

/** Calls `check` for each member of a list that may be absent. */
export const each = <T>(list: readonly T[] | undefined, check: (member: T, index: number) => readonly Violation[]): Violation[] =>
  (list ?? []).flatMap((member, index) => check(member, index));

/** Remembers what it was asked: true when it was asked the same before. */
export function createSeen(): (key: string) => boolean {
  const seen = new Set<string>();
  return (key) => {
    if (seen.has(key)) return true;
    seen.add(key);
    return false;
  };
}
