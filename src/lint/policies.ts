/** NetworkPolicies as rules look at them: whether they are enforced at all, what they select, and how they are spoken of. */
import type { Cluster, ClusterPod } from "../cluster/cluster.ts";
import { createPolicies, type Policies } from "../cluster/policies/policies.ts";
import { namespaceOfPolicy, type PolicyPod, type PolicyRule, peerSelects, selectsPod } from "../cluster/policies/rules.ts";
import type { LabelSelector, Labels, NetworkPolicy } from "../objects/api.ts";
import { slip } from "../objects/near.ts";
import type { PodMaker } from "../objects/pod-maker.ts";
import { fieldAt } from "../objects/record.ts";
import type { PathPart } from "../objects/source.ts";
import type { Mark } from "./finding.ts";
import { labelsText, outermostMakers } from "./pod-makers.ts";
import { nameOf, refOf, type Subject } from "./subject.ts";

/** Plugins that take NetworkPolicies and do nothing with them: flannel's own README, containernetworking/plugins. */
const NOT_ENFORCING: ReadonlySet<string> = new Set(["flannel", "bridge", "ptp", "macvlan", "ipvlan", "none"]);

/** The plugin that the input names, if it enforces no policy. Undefined also where the input names none. */
export function unenforcingPlugin({ topology }: Subject): string | undefined {
  const plugin = topology.cni?.plugin;
  return plugin !== undefined && NOT_ENFORCING.has(plugin) ? plugin : undefined;
}

/** Policies of other APIs, which may allow or deny before these are asked. */
const OTHER_APIS = /\w*Policy \((?:[\w.]*\.)?(?:projectcalico\.org|cilium\.io|policy\.networking\.k8s\.io|antrea\.io)\//;

/**
 * What the policies of the input say, decided from the API's semantics; undefined where that is not the whole truth: nothing
 * enforces them, or policies of another API stand beside them.
 */
export function policiesOf(subject: Subject): { readonly cluster: Cluster; readonly policies: Policies } | undefined {
  const objects = subject.of("NetworkPolicy");
  if (objects.length === 0 || unenforcingPlugin(subject) !== undefined) return undefined;
  if (subject.diagnostics.some(({ code, message }) => code === "not-modelled" && OTHER_APIS.test(message))) return undefined;
  const cluster = subject.cluster();
  return { cluster, policies: createPolicies(objects, cluster) };
}

/** Said with findings that no packet proves. */
export const BY_THE_API = "decided from what the API says of policies: packets are not walked through them yet";

/** `NetworkPolicy default/p` */
export const policyName = (policy: NetworkPolicy): string => `NetworkPolicy ${nameOf(refOf(policy))}`;

export const policyMark = (policy: NetworkPolicy, ...field: PathPart[]): Mark => ({ source: policy.source, field });
export const ruleMark = ({ policy, field }: PolicyRule, ...more: PathPart[]): Mark => ({
  source: policy.source,
  field: [...field, ...more],
});

/** What makes pods, in the form in which policies look at them. */
export type PolicyMaker = PolicyPod & { readonly maker: PodMaker };

export const policyMakers = (subject: Subject): readonly PolicyMaker[] =>
  outermostMakers(subject).map((maker) => ({
    maker,
    namespace: maker.namespace,
    labels: maker.labels,
    hostNetwork: maker.spec.hostNetwork === true,
    containers: [...(maker.spec.containers ?? []), ...(maker.spec.initContainers ?? []).filter((each) => each.restartPolicy === "Always")],
  }));

/** The makers that a policy's podSelector takes. */
export const selectedMakers = (policy: NetworkPolicy, makers: readonly PolicyMaker[]): readonly PolicyMaker[] =>
  makers.filter((maker) => selectsPod(policy, maker));

/** The pods at which a rule's connections end: those that the policy guards, or those that its peers are. */
export function connectionTargets(subject: Subject, rule: PolicyRule, makers: readonly PolicyMaker[]): readonly PolicyMaker[] {
  if (rule.direction === "Ingress") return selectedMakers(rule.policy, makers);
  const labels = namespaceLabels(subject);
  return makers.filter((maker) => rule.peers.some((peer) => peerSelects(peer, rule.policy, maker, (name) => labels.get(name)?.labels)));
}

/** Pods that Jobs, or a dump's own Pods, carry labels too: whatever has labels in a namespace. */
export function labelledThings(subject: Subject): readonly { readonly namespace: string; readonly labels: Labels }[] {
  const jobs = subject.objects.flatMap((object) => {
    if (object.kind !== "Job" && object.kind !== "CronJob") return [];
    const template = object.spec?.template ?? object.spec?.jobTemplate?.spec?.template;
    return [{ namespace: object.metadata.namespace ?? "default", labels: template?.metadata?.labels ?? {} }];
  });
  const pods = subject.of("Pod").map(({ metadata }) => ({ namespace: metadata.namespace ?? "default", labels: metadata.labels ?? {} }));
  return [...outermostMakers(subject), ...jobs, ...pods];
}

export const isEmptySelector = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean =>
  Object.keys(matchLabels).length + matchExpressions.length === 0;

/** `app: web, tier in (a, b)` */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === "Exists") return key;
    if (operator === "DoesNotExist") return `no ${key}`;
    return `${key} ${operator === "In" ? "in" : "not in"} (${values.join(", ")})`;
  });
  return [...(Object.keys(matchLabels).length > 0 ? [labelsText(matchLabels)] : []), ...expressions].join(", ") || "everything";
}

export type Meant = { readonly maker: PodMaker; readonly key: string; readonly value: string };

/** The label of which a selector's one is a slip: all others agree. */
export function nearestLabel({ matchLabels = {} }: LabelSelector, makers: readonly PodMaker[]): Meant | undefined {
  const found = makers.flatMap((maker) => {
    const wrong = Object.entries(matchLabels).filter(([key, value]) => maker.labels[key] !== value);
    const [first] = wrong;
    const value = first && maker.labels[first[0]];
    const far = first && value !== undefined ? slip(first[1], value) : undefined;
    return wrong.length === 1 && first && value !== undefined && far !== undefined ? [{ maker, key: first[0], value, far }] : [];
  });
  return found.sort((a, b) => a.far - b.far)[0];
}

/** Labels of a namespace that the input shows; only a Namespace object tells those beyond the one that every namespace has. */
export function namespaceLabels(subject: Subject): ReadonlyMap<string, { readonly labels: Labels; readonly isWritten: boolean }> {
  const found = new Map<string, { labels: Labels; isWritten: boolean }>();
  const add = (name: string, labels: Labels, isWritten: boolean): void =>
    void found.set(name, { labels: { ...labels, "kubernetes.io/metadata.name": name }, isWritten });
  for (const name of ["default", "kube-node-lease", "kube-public", "kube-system"]) add(name, {}, false);
  for (const { metadata } of subject.objects)
    if (metadata.namespace !== undefined && !found.has(metadata.namespace)) add(metadata.namespace, {}, false);
  for (const { metadata } of subject.of("Namespace")) add(metadata.name, metadata.labels ?? {}, true);
  return found;
}

/** Whether a policy's own file says the key, rather than that the reader filled it in. */
export const isWrittenIn = (subject: Subject, { source }: NetworkPolicy, ...path: string[]): boolean => {
  const written = subject.written.find((each) => each.source === source);
  return written !== undefined && fieldAt(written.value, ...path) !== undefined;
};

/** A pod of the decided cluster as a peer. */
export const podPeer = (pod: ClusterPod) => ({ kind: "pod" as const, pod });

export { namespaceOfPolicy };
