/** Which paths are told in full, and which of the others are alike enough to stand in one row of the table. */
import { addFractions, type Fraction } from "../../net/fraction.ts";
import type { Path } from "../../trace/trace.ts";

export const hopCount = (path: Path): number => path.legs.reduce((sum, leg) => sum + leg.hops.length, 0);

/** A failing path if there is one, else the one with most hops; ties by their order (DESIGN, Decisions). */
export function primaryOf(paths: readonly Path[]): Path | undefined {
  const failing = paths.filter((path) => path.verdict !== "delivered");
  return (failing.length > 0 ? failing : paths).reduce<Path | undefined>(
    (best, path) => (best === undefined || hopCount(path) > hopCount(best) ? path : best),
    undefined,
  );
}

/** The paths told in full: the first one, and one of every other way to fail. */
export function pathsInFull(paths: readonly Path[], all: boolean): readonly Path[] {
  if (all) return paths;
  const first = primaryOf(paths);
  if (first === undefined) return [];
  const told = new Set([failureOf(first)]);
  const rest = paths.filter((path) => {
    if (path === first || path.verdict === "delivered" || told.has(failureOf(path))) return false;
    told.add(failureOf(path));
    return true;
  });
  return [first, ...rest];
}

/** Two failures are alike when the same thing goes wrong in the same places. */
const failureOf = (path: Path): string =>
  [
    path.verdict,
    path.reason,
    ...path.legs.flatMap((leg) => leg.hops.filter((hop) => !hop.netns.startsWith("pod/")).map((hop) => hop.netns)),
  ].join(" ");

export type Group = { readonly share: Fraction; readonly paths: readonly [Path, ...Path[]] };

/** More rows than this are folded. */
const MANY = 24;

/** One group a path; for many paths one group for those that differ only in the endpoint. */
export function groupPaths(paths: readonly Path[], all: boolean): readonly Group[] {
  if (all || paths.length <= MANY) return paths.map((path) => ({ share: path.share, paths: [path] }));
  const groups = new Map<string, Group>();
  for (const path of paths) {
    const { destination } = path;
    const key = JSON.stringify([
      path.verdict,
      path.reason,
      destination?.node,
      destination?.clientIPSeen,
      destination?.ttl,
      destination?.port,
    ]);
    const known = groups.get(key);
    groups.set(
      key,
      known ? { share: addFractions(known.share, path.share), paths: [...known.paths, path] } : { share: path.share, paths: [path] },
    );
  }
  return [...groups.values()];
}
