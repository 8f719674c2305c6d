/** KT507: rules of a direction that the policy is not about, and directions without a rule: the opposite of what is written. */
import { directionsOf } from "../../cluster/policies/rules.ts";
import type { NetworkPolicy } from "../../objects/api.ts";
import type { Finding } from "../finding.ts";
import { policyMark, policyName } from "../policies.ts";
import type { Rule } from "../rule.ts";
import { refOf } from "../subject.ts";

export const KT507: Rule = {
  code: "KT507",
  name: "policy-types-mismatch",
  severity: "warning",
  needs: "object",
  fix: "unsafe",
  title: "policyTypes and the rules of a NetworkPolicy say different things",
  why: "Rules of a direction that policyTypes does not list are ignored, so everything passes; a direction that is listed and has no rule lets nothing pass.",
  bad: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{}], egress: [{ports: [{port: 5432}]}]}
`,
  },
  good: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{ports: [{port: 5432}]}]}
`,
  },
  check: function* (subject) {
    for (const policy of subject.of("NetworkPolicy")) {
      yield* ignoredRules(policy);
      yield* deniesAll(policy);
      yield* opposite(policy);
    }
  },
};

function* ignoredRules(policy: NetworkPolicy): Iterable<Finding> {
  const { ingress = [], egress = [], policyTypes = [] } = policy.spec ?? {};
  for (const [key, type, rules] of [["ingress", "Ingress", ingress] as const, ["egress", "Egress", egress] as const]) {
    if (rules.length === 0 || directionsOf(policy).includes(type)) continue;
    yield {
      message: `${policyName(policy)}: its ${key} rules are ignored, for policyTypes lists ${policyTypes.join(", ")} only`,
      at: { ...policyMark(policy, "spec", key), key: true },
      label: `all ${key} traffic passes`,
      related: [{ at: policyMark(policy, "spec", "policyTypes"), label: `${type} is not among these` }],
      help: `add ${type} to policyTypes, or remove the rules`,
      about: [refOf(policy)],
      edits: [{ kind: "value", at: policyMark(policy, "spec", "policyTypes"), text: "[Ingress, Egress]" }],
    };
  }
}

/** Names of policies whose purpose it is. */
const SHUTS = /den(?:y|ies)|block|isolat|reject|restrict|forbid|lock|drop|quarantine|none|no-|-no\b|default|baseline/i;

/** Egress that is listed, and has no rule, in a policy that has ingress rules: mostly a list that was copied. */
function* deniesAll(policy: NetworkPolicy): Iterable<Finding> {
  const { policyTypes = [], egress } = policy.spec ?? {};
  const { name, annotations = {} } = policy.metadata;
  if (!policyTypes.includes("Egress") || (egress ?? []).length > 0 || SHUTS.test(name)) return;
  if (egress !== undefined || Object.values(annotations).some((text) => SHUTS.test(text))) return; // `egress: []` is said on purpose
  yield {
    message: `${policyName(policy)} lists Egress and has no egress rule: the pods may send nothing, not even to the DNS`,
    at: policyMark(policy, "spec", "policyTypes", policyTypes.indexOf("Egress")),
    label: "nothing may leave",
    help: "remove Egress here, add egress rules, or write `egress: []` if that is meant",
    about: [refOf(policy)],
  };
}

/** `ingress: []` lets nothing pass, `ingress: [{}]` everything; one brace tells them apart. */
function* opposite(policy: NetworkPolicy): Iterable<Finding> {
  const { name } = policy.metadata;
  for (const key of ["ingress", "egress"] as const) {
    const rules = policy.spec?.[key];
    const isAboutIt = directionsOf(policy).includes(key === "ingress" ? "Ingress" : "Egress");
    if (rules === undefined || !isAboutIt) continue;
    const at = policyMark(policy, "spec", key);
    const [rule] = rules;
    const letsAll = rules.length === 1 && rule !== undefined && Object.keys(rule).length === 0;
    if (rules.length === 0 && /\ballow-all\b|\ballow-any\b|\bopen\b/i.test(name))
      yield {
        message: `${policyName(policy)}: \`${key}: []\` lets nothing pass`,
        at,
        label: "no rule at all",
        help: `write \`${key}: [{}]\` to let everything pass`,
        about: [refOf(policy)],
        edits: [{ kind: "value", at, text: "[{}]" }],
      };
    if (letsAll && /\bdeny-all\b|\bdefault-deny\b|\bblock-all\b/i.test(name) && (name.includes(key) || !/gress/.test(name)))
      yield {
        message: `${policyName(policy)}: \`${key}: [{}]\` lets everything pass`,
        at,
        label: "one rule, which holds for everything",
        help: `write \`${key}: []\` to let nothing pass`,
        about: [refOf(policy)],
        edits: [{ kind: "value", at, text: "[]" }],
      };
  }
}
