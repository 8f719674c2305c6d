/** What pods are made from, as rules look at it: the outermost maker only (not the ReplicaSet of a Deployment in a dump), with places. */
import type { Container, ContainerPort, LabelSelector, Labels, ObjectRef, Workload } from "../objects/api.ts";
import type { PodMaker } from "../objects/pod-maker.ts";
import { labelsAt } from "../objects/record.ts";
import { matchesLabels, matchesSelector } from "../objects/selector.ts";
import type { PathPart, Source } from "../objects/source.ts";
import type { Mark } from "./finding.ts";
import { refOf, type Subject } from "./subject.ts";

export type { PodMaker } from "../objects/pod-maker.ts";

/** Makers that nothing else in the cluster makes. */
export const outermostMakers = (subject: Subject): readonly PodMaker[] => subject.makers();

export const makerRef = ({ object }: PodMaker): ObjectRef => refOf(object);

/** A field of the pod that is made: `["spec", "nodeName"]` is under spec.template in a Deployment. */
export const podField = (maker: PodMaker, ...field: PathPart[]): Mark => ({
  source: maker.object.source,
  field: [...maker.path, ...field],
});

/** `Deployment default/web` */
export const titleOf = ({ object, namespace, name }: PodMaker): string => `${object.kind} ${namespace}/${name}`;

export type PlacedContainer = { readonly container: Container; readonly field: readonly PathPart[] };

/** The containers that run beside each other: the ordinary ones, and init containers that stay as sidecars (KEP-753). */
export const runningContainers = ({ spec }: Pick<PodMaker, "spec">): PlacedContainer[] => [
  ...(spec.containers ?? []).map((container, i) => ({ container, field: ["spec", "containers", i] })),
  ...(spec.initContainers ?? []).flatMap((container, i) =>
    container.restartPolicy === "Always" ? [{ container, field: ["spec", "initContainers", i] }] : [],
  ),
];

export type PlacedPort = { readonly container: Container; readonly port: ContainerPort; readonly field: readonly PathPart[] };

/** Every port that a pod declares, first container first: the order in which names are looked up (podutil.FindPort). */
export const declaredPorts = (maker: Pick<PodMaker, "spec">): PlacedPort[] =>
  runningContainers(maker).flatMap(({ container, field }) =>
    (container.ports ?? []).map((port, i) => ({ container, port, field: [...field, "ports", i] })),
  );

/** Makers by namespace and labels, asked once for every Service without reading all of them each time. */
export function makersBySelector(makers: readonly PodMaker[]): (namespace: string, selector: Labels | undefined) => readonly PodMaker[] {
  const byLabel = new Map<string, PodMaker[]>();
  const keyOf = (namespace: string, key: string, value: string): string => JSON.stringify([namespace, key, value]);
  for (const maker of makers)
    for (const [key, value] of Object.entries(maker.labels)) {
      const at = keyOf(maker.namespace, key, value);
      const list = byLabel.get(at);
      if (list) list.push(maker);
      else byLabel.set(at, [maker]);
    }
  return (namespace, selector = {}) => {
    const [first] = Object.entries(selector);
    if (first === undefined) return [];
    return (byLabel.get(keyOf(namespace, ...first)) ?? []).filter(({ labels }) => matchesLabels(selector, labels));
  };
}

/** The selector of a workload; a ReplicationController's is plain labels. Undefined where the reader found none. */
export function selectorOf({ kind, spec }: Workload): LabelSelector | undefined {
  const selector = spec?.selector;
  if (selector === undefined) return undefined;
  if (kind === "ReplicationController") return { matchLabels: labelsAt(selector) };
  const { matchLabels, matchExpressions } = selector;
  return {
    ...(typeof matchLabels === "object" && !Array.isArray(matchLabels) ? { matchLabels } : {}),
    ...(Array.isArray(matchExpressions) ? { matchExpressions } : {}),
  };
}

const isEmpty = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean =>
  Object.keys(matchLabels).length + matchExpressions.length === 0;

/** Whether a workload counts pods with these labels as its own. An empty selector is none: the API refuses it. */
export function selectsLabels(workload: Workload, labels: Labels): boolean {
  const selector = selectorOf(workload);
  return selector !== undefined && !isEmpty(selector) && matchesSelector(selector, labels);
}

/** `app: web, tier: front` */
export const labelsText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}: ${value}`)
    .join(", ");

/** The maker of a pod, by the place that the cluster says it comes from. */
export function makerAt(makers: readonly PodMaker[]): (source: Source) => PodMaker | undefined {
  const bySource = new Map(makers.map((maker) => [maker.object.source, maker]));
  return (source) => bySource.get(source);
}
