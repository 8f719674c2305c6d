/** `ktrace describe`: objects of the simulated cluster in the layout of `kubectl describe`. One kind, one line here. */
import { UsageError } from "../../objects/diagnostic.ts";
import { type Fields, textAt } from "../../objects/record.ts";
import { type GetRequest, type ObjectSource, selectObjects } from "../get/select.ts";
import { describeDeployment } from "./deployment.ts";
import { describeLimitRange, describeNamespace, describeQuota } from "./namespace.ts";
import { describeNode } from "./node.ts";
import type { Describe } from "./parts.ts";
import { describePod } from "./pod.ts";
import { describeReplicas } from "./replicas.ts";
import { describeIngress, describeService } from "./service.ts";
import { alignTabs } from "./tabwriter.ts";
import { describeDaemonSet, describeJob, describeStatefulSet } from "./workloads.ts";

const KINDS: ReadonlyMap<string, Describe> = new Map([
  ["Pod", describePod],
  ["Service", describeService],
  ["Node", describeNode],
  ["Ingress", describeIngress],
  ["Deployment", describeDeployment],
  ["ReplicaSet", describeReplicas],
  ["ReplicationController", describeReplicas],
  ["StatefulSet", describeStatefulSet],
  ["DaemonSet", describeDaemonSet],
  ["Job", describeJob],
  ["Namespace", describeNamespace],
  ["ResourceQuota", describeQuota],
  ["LimitRange", describeLimitRange],
]);

export type Description = { readonly text: string; readonly missing: readonly { readonly message: string; readonly help?: string }[] };

/** Two empty lines stand between objects. A name that is not there is taken as the beginning of names, as kubectl does. */
export function renderDescribe(source: ObjectSource, request: GetRequest): Description {
  const { groups, missing } = selectObjects(source, { ...request, words: withPrefixes(source, request) });
  const texts = groups.flatMap(({ resource, objects }) => {
    const describe = describerOf(resource.kind);
    return objects.map((object) => describeOne(object, describe, source));
  });
  return { text: texts.join("\n\n"), missing };
}

function describerOf(kind: string): Describe {
  const describe = KINDS.get(kind);
  if (describe !== undefined) return describe;
  throw new UsageError(
    `${kind} objects are not described`,
    `described are ${[...KINDS.keys()].join(", ")}; ktrace get ${kind.toLowerCase()} -o yaml prints any`,
  );
}

const describeOne = (object: Fields, describe: Describe, source: ObjectSource): string =>
  alignTabs(
    describe(object, source)
      .map((line) => `${line}\n`)
      .join(""),
  );

/** `describe pod tomcat6` is about every pod whose name begins so. */
function withPrefixes(source: ObjectSource, request: GetRequest): readonly string[] {
  const [kind, ...names] = request.words;
  if (kind === undefined || names.length === 0 || request.words.some((word) => word.includes("/"))) return request.words;
  const { groups } = selectObjects(source, { ...request, words: [kind] });
  const there = groups.flatMap(({ objects }) => objects.map((object) => textAt(object, "metadata", "name")));
  return [kind, ...names.flatMap((name) => (there.includes(name) ? [name] : beginning(there, name)))];
}

const beginning = (there: readonly string[], name: string): readonly string[] => {
  const found = there.filter((each) => each.startsWith(name));
  return found.length === 0 ? [name] : found;
};
