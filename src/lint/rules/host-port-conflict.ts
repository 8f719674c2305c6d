/** KT205: one port of a node, wanted twice (scheduler plugin NodePorts; pkg/apis/core/validation checkHostPortConflicts). */
import type { ClusterPod } from "../../cluster/cluster.ts";
import { hostPortsClash } from "../../cluster/scheduler/host-ports.ts";
import type { Finding } from "../finding.ts";
import { type AskedHostPort, askedHostPorts } from "../host-ports.ts";
import { groupPods, knowsNodes, listed, originField, type PodGroup, refOfPod } from "../pod-groups.ts";
import { refusalFinding } from "../refusal-findings.ts";
import type { Rule } from "../rule.ts";
import { nameOf } from "../subject.ts";

export const KT205: Rule = {
  code: "KT205",
  name: "host-port-conflict",
  severity: "error",
  needs: "data-plane",
  fix: "no",
  title: "two pods that have to share a node want the same port of it",
  why: "A node hands out each of its ports once: the second pod stays Pending and has no address, so nothing reaches it. A pod that asks for the port twice itself is refused.",
  bad: {
    manifests: `kind: DaemonSet
apiVersion: apps/v1
metadata: {name: edge}
spec: {selector: {matchLabels: {app: edge}}, template: {metadata: {labels: {app: edge}}, spec: {hostNetwork: true, containers: [{name: c, image: x, ports: [{containerPort: 80}]}]}}}
---
kind: DaemonSet
apiVersion: apps/v1
metadata: {name: log}
spec: {selector: {matchLabels: {app: log}}, template: {metadata: {labels: {app: log}}, spec: {containers: [{name: c, image: x, ports: [{containerPort: 8080, hostPort: 80}]}]}}}
`,
  },
  good: {
    manifests: `kind: DaemonSet
apiVersion: apps/v1
metadata: {name: edge}
spec: {selector: {matchLabels: {app: edge}}, template: {metadata: {labels: {app: edge}}, spec: {hostNetwork: true, containers: [{name: c, image: x, ports: [{containerPort: 80}]}]}}}
---
kind: DaemonSet
apiVersion: apps/v1
metadata: {name: log}
spec: {selector: {matchLabels: {app: log}}, template: {metadata: {labels: {app: log}}, spec: {containers: [{name: c, image: x, ports: [{containerPort: 8080, hostPort: 8081}]}]}}}
`,
  },
  check: function* (subject) {
    for (const refusal of subject.refusals()) if (refusal.violation.code === "KT205") yield refusalFinding(refusal);
    if (!knowsNodes(subject)) return;
    const { pods } = subject.cluster();
    const waiting = pods.filter(({ phase, message = "" }) => phase === "Pending" && message.includes("didn't have free ports"));
    if (waiting.length === 0) return;
    const holders = pods.filter(({ node, spec }) => node !== undefined && askedHostPorts({ spec }).length > 0);
    for (const group of groupPods(waiting)) {
      const finding = conflict(group, holders);
      if (finding) yield finding;
    }
  },
};

function conflict({ title, ref, pods }: PodGroup, holders: readonly ClusterPod[]): Finding | undefined {
  const [pod] = pods;
  for (const asked of askedHostPorts(pod)) {
    const taken = holders.flatMap((holder) => {
      const other = askedHostPorts(holder).find((each) => hostPortsClash(asked, each));
      return other ? [{ holder, other }] : [];
    });
    const [first] = taken;
    if (first)
      return describe(
        title,
        ref,
        pods.length,
        asked,
        pod,
        first,
        taken.flatMap(({ holder }) => holder.node ?? []),
      );
  }
  return undefined;
}

function describe(
  title: string,
  ref: PodGroup["ref"],
  waiting: number,
  asked: AskedHostPort,
  pod: ClusterPod,
  { holder, other }: { readonly holder: ClusterPod; readonly other: AskedHostPort },
  nodes: readonly string[],
): Finding {
  const holderRef = refOfPod(holder);
  const isItself = holderRef.kind === ref.kind && holderRef.name === ref.name && holderRef.namespace === ref.namespace;
  const owner = isItself ? "its other pods have" : `${holderRef.kind} ${nameOf(holderRef)} has`;
  const on = listed([...new Set(nodes)].sort());
  return {
    message: `${title}: ${waiting} ${waiting === 1 ? "pod stays" : "pods stay"} Pending, for ${owner} port ${asked.port}/${asked.protocol} on ${on}`,
    at: originField(pod, ...asked.field),
    label: `a node gives port ${asked.port} to one pod only`,
    ...(isItself
      ? {}
      : { related: [{ at: originField(holder, ...other.field), label: `${holderRef.kind} ${nameOf(holderRef)} takes it here` }] }),
    help: isItself
      ? "run no more replicas than there are nodes for them, or leave hostPort out and use a Service"
      : "take another port, or leave it out and use a Service",
    about: isItself ? [ref] : [ref, holderRef],
  };
}
