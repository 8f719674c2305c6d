/** KT102: pods that the selector picks, and none of them ready: by number, by the scheduler, or by what a dump says. */
import type { ClusterPod } from "../../cluster/cluster.ts";
import { indexPods } from "../../cluster/endpoints/selected-pods.ts";
import type { ObjectRef } from "../../objects/api.ts";
import { isDead } from "../ask.ts";
import type { Mark } from "../finding.ts";
import { originField, refOfPod } from "../pod-groups.ts";
import { makerRef, makersBySelector, outermostMakers, type PodMaker } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";
import { askService, hasReady, slicesByService } from "../service-asks.ts";
import { nameOf, serviceRef } from "../subject.ts";

export const KT102: Rule = {
  code: "KT102",
  name: "service-no-ready-endpoints",
  severity: "error",
  needs: "data-plane",
  fix: "no",
  title: "a Service whose pods are there on paper, and none is ready",
  why: "Without a ready endpoint kube-proxy rejects every packet to the Service: `connection refused`, though selector, ports and names are all right.",
  bad: {
    manifests: `kind: Deployment
apiVersion: apps/v1
metadata: {name: api}
spec:
  replicas: 0
  selector: {matchLabels: {app: api}}
  template: {metadata: {labels: {app: api}}, spec: {containers: [{name: c, image: x, ports: [{containerPort: 8080}]}]}}
---
kind: Service
apiVersion: v1
metadata: {name: api}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Deployment
apiVersion: apps/v1
metadata: {name: api}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template: {metadata: {labels: {app: api}}, spec: {containers: [{name: c, image: x, ports: [{containerPort: 8080}]}]}}
---
kind: Service
apiVersion: v1
metadata: {name: api}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  mutedBy: ["KT008", "KT101", "KT103", "KT106", "KT107", "KT109", "KT201", "KT202", "KT203", "KT207", "KT208", "KT211"],
  check: function* (subject) {
    const cluster = subject.cluster();
    const slicesOf = slicesByService(cluster);
    const podsOf = indexPods(cluster.pods);
    const makersOf = makersBySelector(outermostMakers(subject));
    for (const service of cluster.services) {
      const { origin, selector, ports } = service;
      const [port] = ports;
      if (!origin || !selector || !port || service.type === "ExternalName" || hasReady(slicesOf(service))) continue;
      const pods = podsOf(service.namespace, selector);
      const makers = makersOf(service.namespace, selector);
      if (pods.length + makers.length === 0) continue; // KT101
      const answer = askService(subject, service, port);
      if (answer === undefined || !answer.trace.paths.every((path) => isDead(path) || path.verdict === "unresolved")) continue;
      const { text, at, label } = causeOf(pods, makers);
      yield {
        message: `Service ${nameOf(serviceRef(service))} has no ready endpoint: ${text}`,
        at: { source: origin.source, field: ["spec", "selector"] },
        label: answer.packet.text,
        ...(at ? { related: [{ at, label }] } : {}),
        about: [serviceRef(service), ...causesOf(pods, makers)],
        packet: answer.packet,
      };
    }
  },
};

type Cause = { readonly text: string; readonly at?: Mark; readonly label: string };

/** What keeps the pods from being ready, said of the first where it is the same for all. */
function causeOf(pods: readonly ClusterPod[], makers: readonly PodMaker[]): Cause {
  const [pod] = pods;
  const empty = makers.find(({ replicas }) => replicas === 0);
  if (!pod) {
    const [maker] = makers;
    if (empty)
      return {
        text: `${empty.title} has replicas: 0`,
        at: { source: empty.object.source, field: ["spec", "replicas"] },
        label: "no pod is made",
      };
    return {
      text: `${maker?.title ?? "its workload"} makes no pod`,
      ...(maker ? { at: { source: maker.object.source, field: [] } } : {}),
      label: "no pod is made",
    };
  }
  const all = pods.length === 1 ? `pod ${pod.name}` : `all ${pods.length} pods`;
  const verb = pods.length === 1 ? "is" : "are";
  const waiting = pods.find(({ phase }) => phase === "Pending");
  const at = originField(pod);
  if (pods.every(({ phase }) => phase === "Pending"))
    return { text: `${all} ${verb} Pending${waiting?.message ? `: ${waiting.message}` : ""}`, at, label: "runs on no node" };
  if (pods.every(({ phase }) => phase === "Succeeded" || phase === "Failed"))
    return { text: `${all} ${verb} finished`, at, label: "finished pods are no endpoints" };
  if (pods.every(({ terminating }) => terminating)) return { text: `${all} ${verb} being deleted`, at, label: "being deleted" };
  return { text: `${all} ${verb} not ready`, at, label: "not ready" };
}

/** Whose fault may have been found already. */
const causesOf = (pods: readonly ClusterPod[], makers: readonly PodMaker[]): ObjectRef[] => {
  const refs = [...makers.map(makerRef), ...pods.slice(0, MOST).map(refOfPod)];
  return refs.filter((ref, i) => refs.findIndex((each) => each.kind === ref.kind && each.name === ref.name) === i);
};
const MOST = 20;
