/** KT502: a peer of a policy that no pod satisfies: a slip of a label, the wrong namespace, a label that namespaces do not have. */
import { allRules, type PolicyRule } from "../../cluster/policies/rules.ts";
import type { LabelSelector, Labels, NetworkPolicyPeer } from "../../objects/api.ts";
import { nearest } from "../../objects/near.ts";
import { matchesSelector } from "../../objects/selector.ts";
import type { PathPart } from "../../objects/source.ts";
import type { Edit, Finding } from "../finding.ts";
import { outermostMakers } from "../pod-makers.ts";
import {
  isEmptySelector,
  labelledThings,
  namespaceLabels,
  namespaceOfPolicy,
  nearestLabel,
  policyName,
  ruleMark,
  selectorText,
} from "../policies.ts";
import type { Rule } from "../rule.ts";
import { refOf, type Subject } from "../subject.ts";
import { splitPeers } from "./policy-and-or-confusion.ts";

export const KT502: Rule = {
  code: "KT502",
  name: "policy-peer-matches-nothing",
  severity: "warning",
  needs: "graph",
  fix: "suggest",
  title: "a peer of a NetworkPolicy that no pod satisfies",
  why: "The client that was to be let in carries other labels, or is looked for in another namespace: its packets are dropped.",
  bad: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{namespaceSelector: {matchLabels: {name: kube-system}}}]}]}
`,
  },
  good: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]}]}
`,
  },
  check: function* (subject) {
    const policies = subject.of("NetworkPolicy");
    if (policies.length === 0) return;
    const ground: Ground = { subject, spaces: namespaceLabels(subject), things: labelledThings(subject) };
    for (const policy of policies)
      for (const rule of allRules(policy)) {
        const split = new Set(splitPeers(subject, rule)); // KT508 says it of them
        for (const [i, peer] of rule.peers.entries()) {
          const wrong = split.has(i) || peer.ipBlock ? undefined : emptyPeer(ground, rule, peer);
          if (wrong) yield finding(rule, i, wrong);
        }
      }
  },
};

type Ground = {
  readonly subject: Subject;
  readonly spaces: ReturnType<typeof namespaceLabels>;
  readonly things: ReturnType<typeof labelledThings>;
};
type Wrong = {
  readonly what: string;
  readonly field: readonly PathPart[]; // under the peer
  readonly label?: string;
  readonly help: string;
  readonly edit?: (at: Edit["at"]) => Edit;
};

function finding(rule: PolicyRule, index: number, { what, field, label, help, edit }: Wrong): Finding {
  const at = ruleMark(rule, rule.side, index, ...field);
  const change = edit?.({ ...at, key: false });
  return {
    message: `${policyName(rule.policy)}: ${what}`,
    at,
    help,
    about: [refOf(rule.policy)],
    ...(label === undefined ? {} : { label }),
    ...(change ? { edits: [change] } : {}),
  };
}

function emptyPeer(ground: Ground, { policy }: PolicyRule, { podSelector, namespaceSelector }: NetworkPolicyPeer): Wrong | undefined {
  if (namespaceSelector) {
    const matching = [...ground.spaces].filter(([, { labels }]) => matchesSelector(namespaceSelector, labels)).map(([name]) => name);
    if (matching.length === 0) return noNamespace(ground, namespaceSelector);
    return podSelector && noPodIn(ground, podSelector, matching);
  }
  return podSelector && noPodIn(ground, podSelector, [namespaceOfPolicy(policy)]);
}

/** Only what the input can know: a label that names a namespace, and is a slip or the wrong key. */
function noNamespace({ spaces }: Ground, { matchLabels = {}, matchExpressions = [] }: LabelSelector): Wrong | undefined {
  const [[key, value] = [], ...more] = Object.entries(matchLabels);
  if (key === undefined || value === undefined || more.length > 0 || matchExpressions.length > 0) return undefined;
  const field = ["namespaceSelector", "matchLabels", key];
  const named = spaces.get(value);
  if (key === "name" && named)
    return {
      what: `no namespace is known to have the label name: ${value}; the one that every namespace has is kubernetes.io/metadata.name`,
      field,
      label: named.isWritten ? `Namespace ${value} has no such label` : "not a label that namespaces have by themselves",
      help: `write \`kubernetes.io/metadata.name: ${value}\`, or give the Namespace the label`,
      edit: (at) =>
        "source" in at
          ? { kind: "key", at: { ...at, key: true }, text: "kubernetes.io/metadata.name" }
          : { kind: "value", at, text: value },
    };
  const near = key === "kubernetes.io/metadata.name" ? nearest(value, [...spaces.keys()], (name) => name)[0] : undefined;
  if (near === undefined) return undefined; // of another file, or another team
  return {
    what: `no namespace is called ${value}`,
    field,
    label: `did you mean ${near}?`,
    help: `write \`${key}: ${near}\``,
    edit: (at) => ({ kind: "value", at, text: near }),
  };
}

/** Told only where the input has pods of all these namespaces: else those that are meant are somewhere else. */
function noPodIn({ things, subject }: Ground, selector: LabelSelector, namespaces: readonly string[]): Wrong | undefined {
  const inside = (namespace: string): readonly { readonly labels: Labels }[] => things.filter((each) => each.namespace === namespace);
  if (isEmptySelector(selector) || !namespaces.every((name) => inside(name).length > 0)) return undefined;
  if (namespaces.some((name) => inside(name).some(({ labels }) => matchesSelector(selector, labels)))) return undefined;
  const where = namespaces.length === 1 ? namespaces[0] : `these ${namespaces.length} namespaces`;
  const what = `no pod of ${where} carries ${selectorText(selector)}`;
  const elsewhere = things.find(({ labels }) => matchesSelector(selector, labels));
  if (elsewhere)
    return {
      what,
      field: ["podSelector"],
      label: `pods of ${elsewhere.namespace} carry it`,
      help: `add \`namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ${elsewhere.namespace}}}\` to this peer: podSelector alone looks into the policy's own namespace`,
    };
  const meant = nearestLabel(
    selector,
    outermostMakers(subject).filter(({ namespace }) => namespaces.includes(namespace)),
  );
  return {
    what,
    field: ["podSelector", ...(meant ? ["matchLabels", meant.key] : [])],
    help: meant ? `write \`${meant.key}: ${meant.value}\`` : "select by labels that the clients' pods carry",
    ...(meant
      ? { label: `did you mean ${meant.value}?`, edit: (at: Edit["at"]) => ({ kind: "value" as const, at, text: meant.value }) }
      : {}),
  };
}
