/** A lint rule: what it says of itself, an example that breaks it and one that does not, and the check. One file a rule. */
import type { Severity } from "../objects/diagnostic.ts";
import type { Finding } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** What has to be known: one object; all objects; or the network that they make, in which packets are walked. */
export type Needs = "object" | "graph" | "data-plane";
/** safe: the meaning stays, or the object was refused anyway. suggest: shown, never applied. */
export type FixKind = "no" | "safe" | "unsafe" | "suggest";

/** Manifests, on top of the reference cluster and the base; `topology`: keys laid over the reference topology's spec. */
export type Example = { readonly manifests?: string; readonly topology?: string };

export type RuleText = {
  readonly code: string; // KT402: permanent, never given to another
  readonly name: string; // ingress-backend-port-missing
  readonly severity: Severity | "off";
  readonly needs: Needs;
  readonly fix: FixKind;
  readonly title: string; // one line: what it detects
  readonly why: string; // which packet dies where
  readonly bad: Example;
  readonly good: Example;
  /** Settings that a project may give it, `KT010: [warning, {ignore: […]}]`, each with what it does. */
  readonly options?: Readonly<Record<string, string>>;
  /** Rules whose finding about the same object is the cause: then this one's is not shown. */
  readonly mutedBy?: readonly string[];
};

/** A rule that runs. */
export type Rule = RuleText & { readonly check: (subject: Subject) => Iterable<Finding> };
/** A rule whose model is not built yet: listed, never run. */
export type PlannedRule = RuleText & { readonly planned: string }; // what it waits for

export const isPlanned = (rule: Rule | PlannedRule): rule is PlannedRule => "planned" in rule;
