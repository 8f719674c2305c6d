/** The cluster's pods by what made them: a rule speaks of a Deployment once, not of each of its pods. */
import type { ClusterPod } from "../cluster/cluster.ts";
import type { ObjectRef } from "../objects/api.ts";
import type { PathPart } from "../objects/source.ts";
import type { Mark } from "./finding.ts";
import type { Subject } from "./subject.ts";

export type PodGroup = {
  readonly title: string; // "Deployment default/web"
  readonly ref: ObjectRef;
  readonly pods: readonly [ClusterPod, ...ClusterPod[]];
};

/** In the order of their first pods. */
export function groupPods(pods: readonly ClusterPod[]): PodGroup[] {
  const groups = new Map<string, { ref: ObjectRef; pods: [ClusterPod, ...ClusterPod[]] }>();
  for (const pod of pods) {
    const ref = refOfPod(pod);
    const key = `${ref.kind} ${ref.namespace}/${ref.name}`;
    const known = groups.get(key);
    if (known) known.pods.push(pod);
    else groups.set(key, { ref, pods: [pod] });
  }
  return [...groups].map(([title, group]) => ({ title, ...group }));
}

/** What a person wrote: the workload, or the Pod itself. */
export const refOfPod = ({ namespace, name, workload }: ClusterPod): ObjectRef =>
  workload ? { kind: workload.kind, namespace, name: workload.name } : { kind: "Pod", namespace, name };

/** A field of the template, or of the Pod, that a pod comes from. */
export const originField = ({ origin }: ClusterPod, ...field: PathPart[]): Mark => ({
  source: origin.source,
  field: [...origin.field, ...field],
});

/** `a, b and 3 more`: never a page of names. */
export function listed(names: readonly string[], most = 4): string {
  const shown = names.slice(0, most);
  const rest = names.length - shown.length;
  if (rest > 0) return `${shown.join(", ")} and ${rest} more`;
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}

/** Without a node in the input the machines are ktrace's own invention, and with them who finds room. */
export const knowsNodes = (subject: Subject): boolean => (subject.topology.nodes ?? []).length > 0 || subject.of("Node").length > 0;
