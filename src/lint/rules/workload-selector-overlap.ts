/** KT202: two that count the same pods as theirs (ControllerRefManager, pkg/controller/controller_ref_manager.go). */
import type { Finding } from "../finding.ts";
import {
  labelsText,
  makerRef,
  makersBySelector,
  outermostMakers,
  type PodMaker,
  selectorOf,
  selectsLabels,
  titleOf,
} from "../pod-makers.ts";
import type { Rule } from "../rule.ts";

/** Controllers whose pods are told apart by labels alone: they take a bare Pod that matches, and remove one too many. */
const ADOPTING: ReadonlySet<string> = new Set(["ReplicaSet", "ReplicationController", "DaemonSet"]);

export const KT202: Rule = {
  code: "KT202",
  name: "workload-selector-overlap",
  severity: "error",
  needs: "graph",
  fix: "no",
  title: "a workload's selector matches pods that are not its own",
  why: "A ReplicaSet, ReplicationController or DaemonSet adopts a bare Pod that fits, counts it, and deletes one when there are too many: the endpoint you traced may be gone. Two controllers leave each other's pods alone, but autoscalers, disruption budgets and `kubectl logs` count them together.",
  bad: {
    manifests: `kind: ReplicaSet
apiVersion: apps/v1
metadata: {name: old-web}
spec:
  replicas: 1
  selector: {matchLabels: {app: old-web}}
  template: {metadata: {labels: {app: old-web}}, spec: {containers: [{name: c, image: x}]}}
---
kind: Pod
apiVersion: v1
metadata: {name: debug, labels: {app: old-web}}
spec: {containers: [{name: c, image: x, ports: [{name: http, containerPort: 8080}]}]}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: debug, labels: {app: debug}}
spec: {containers: [{name: c, image: x, ports: [{name: http, containerPort: 8080}]}]}
`,
  },
  check: function* (subject) {
    const makers = outermostMakers(subject);
    const select = makersBySelector(makers);
    const seen = new Set<string>();
    for (const maker of makers) {
      const { object, namespace } = maker;
      if (object.kind === "Pod") continue;
      const { matchLabels = {} } = selectorOf(object) ?? {};
      const candidates =
        Object.keys(matchLabels).length > 0 ? select(namespace, matchLabels) : makers.filter((each) => each.namespace === namespace);
      for (const other of candidates) {
        const pair = [titleOf(maker), titleOf(other)].sort().join(" ");
        if (other === maker || seen.has(pair) || !selectsLabels(object, other.labels)) continue;
        seen.add(pair);
        yield overlap(maker, other);
      }
    }
  },
};

function overlap(maker: PodMaker, other: PodMaker): Finding {
  const isBare = other.object.kind === "Pod";
  const adopts = isBare && ADOPTING.has(maker.object.kind);
  const labels = (maker.object.kind === "Pod" ? undefined : selectorOf(maker.object)?.matchLabels) ?? {};
  const [first] = Object.keys(labels);
  const what = Object.keys(labels).length === 0 ? "what it selects" : labelsText(labels);
  return {
    message: adopts
      ? `${titleOf(other)} carries ${what}, so ${titleOf(maker)} takes it for one of its own and counts it among its replicas`
      : `${titleOf(maker)} selects ${what}, which ${isBare ? titleOf(other) : `the pods of ${titleOf(other)}`} ${isBare ? "carries" : "carry"} too`,
    at: {
      source: other.object.source,
      field: [...other.path, "metadata", "labels", ...(first !== undefined && Object.hasOwn(other.labels, first) ? [first] : [])],
    },
    label: `${titleOf(maker)} selects this`,
    related: [{ at: { source: maker.object.source, field: ["spec", "selector"] }, label: `the selector of ${titleOf(maker)}` }],
    help: adopts ? "give the Pod another label" : "add a label to both selectors that only one of them has",
    about: [makerRef(other), makerRef(maker)],
    ...(adopts ? {} : { severity: "warning" }),
  };
}
