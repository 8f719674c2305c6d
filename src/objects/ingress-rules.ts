/**
 * Which rule of its Ingresses a controller applies to a request (networking.k8s.io/v1: host and path rules), with the ways of
 * ingress-nginx: ImplementationSpecific is a prefix of characters, and on a host where one Ingress asks for it every path is
 * a case-insensitive regular expression, longest text first (docs/user-guide/ingress-path-matching.md, template buildLocation).
 */
import type { Ingress, IngressPath } from "./api.ts";
import type { PathPart } from "./source.ts";

export type IngressRule = {
  readonly ingress: Ingress;
  readonly host: string; // lower case; "" for any
  readonly path: IngressPath;
  readonly field: readonly PathPart[];
};

/** One a host and path, in the order of writing. */
export const rulesOfIngress = (ingress: Ingress): IngressRule[] =>
  (ingress.spec?.rules ?? []).flatMap((rule, r) =>
    (rule.http?.paths ?? []).map((path, p) => ({
      ingress,
      host: (rule.host ?? "").toLowerCase(),
      path,
      field: ["spec", "rules", r, "http", "paths", p],
    })),
  );

/** Exact host before wildcard before none; then the longest path, Exact before Prefix. */
export function matchRule(rules: readonly IngressRule[], host: string, path: string): IngressRule | undefined {
  const byHost = rules.filter((rule) => hostMatches(rule.host, host));
  const best = Math.max(-1, ...byHost.map((rule) => hostRank(rule.host)));
  const ofHost = byHost.filter((rule) => hostRank(rule.host) === best);
  const matches = ofHost.some(({ ingress }) => asksForRegex(ingress)) ? regexMatches : pathMatches;
  const candidates = ofHost.filter((rule) => matches(rule.path, path));
  return [...candidates].sort((a, b) => pathLength(b.path) - pathLength(a.path) || pathRank(b.path) - pathRank(a.path))[0];
}

const hostRank = (host: string): number => (host === "" ? 0 : host.startsWith("*.") ? 1 : 2);
const pathLength = (path: IngressPath): number => (path.path ?? "/").length;
const pathRank = (path: IngressPath): number => (path.pathType === "Exact" ? 1 : 0);

/** `*.foo.com` stands for exactly one more label. */
export function hostMatches(pattern: string, host: string): boolean {
  if (pattern === "") return true;
  if (!pattern.startsWith("*.")) return pattern === host;
  const rest = pattern.slice(1);
  return host.endsWith(rest) && !host.slice(0, -rest.length).includes(".") && host.length > rest.length;
}

/** Prefix compares whole path elements; ingress-nginx treats ImplementationSpecific as a prefix of characters. */
export function pathMatches(rule: IngressPath, path: string): boolean {
  const wanted = rule.path ?? "/";
  if (rule.pathType === "Exact") return path === wanted;
  if (rule.pathType === "Prefix") {
    const bare = wanted.replace(/\/$/, "");
    return path === bare || path.startsWith(`${bare}/`);
  }
  return path.startsWith(wanted === "" ? "/" : wanted);
}

/** `use-regex`, and `rewrite-target`, which turns it on (annotations.md). */
export const asksForRegex = ({ metadata: { annotations = {} } }: Ingress): boolean =>
  annotations["nginx.ingress.kubernetes.io/use-regex"] === "true" ||
  (annotations["nginx.ingress.kubernetes.io/rewrite-target"] ?? "") !== "";

/** `location ~* "^PATH"`. An expression that does not compile, or might run for ever, is taken to match nothing. */
function regexMatches(rule: IngressPath, path: string): boolean {
  const pattern = rule.path ?? "/";
  if (!isTractable(pattern, path.length)) return false;
  try {
    return new RegExp(`^${pattern}`, "i").test(path);
  } catch {
    return false;
  }
}

const [LONGEST, MOST_STEPS] = [2048, 10_000_000];

/** A backtracking matcher takes about length to the power of repetitions; a repeated group with one inside takes far more. */
function isTractable(pattern: string, length: number): boolean {
  const repetitions = pattern.replace(/\\./g, "").match(/[*+{?]/g)?.length ?? 0;
  const repeatsGroup = /\)[*+{]/.test(pattern) && (repetitions > 1 || pattern.includes("|"));
  return pattern.length <= LONGEST && !repeatsGroup && length ** repetitions <= MOST_STEPS;
}
