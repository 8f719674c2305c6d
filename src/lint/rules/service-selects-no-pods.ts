/** KT101: the selector that matches nothing, mostly by a slip of one label. */
import { indexPods } from "../../cluster/endpoints/selected-pods.ts";
import type { Labels, Service } from "../../objects/api.ts";
import { slip } from "../../objects/near.ts";
import { type PodMaker, podMakers } from "../../objects/pod-maker.ts";
import { type CustomResource, customResources } from "../custom-resources.ts";
import type { Related } from "../finding.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf, type Subject } from "../subject.ts";

export const KT101: Rule = {
  code: "KT101",
  name: "service-selects-no-pods",
  severity: "error",
  needs: "graph",
  fix: "suggest",
  title: "a Service's selector matches no pod of its namespace",
  why: "The Service has no endpoints, so kube-proxy rejects every packet to its cluster IP and node port: the client sees `connection refused` at once.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: wbe}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  check: function* (subject) {
    const makers = podMakers(subject.objects);
    const isSelected = selectable(subject, makers);
    let operated: readonly CustomResource[] | undefined;
    for (const service of subject.of("Service")) {
      const { selector = {}, type } = service.spec ?? {};
      const namespace = service.metadata.namespace ?? "default";
      if (type === "ExternalName" || Object.keys(selector).length === 0 || isSelected(namespace, selector)) continue;
      if (hasEndpoints(subject, service)) continue;
      operated ??= customResources(subject);
      const maker = operated.find(({ name }) => Object.values(selector).includes(name));
      const meant = nearestMaker(makers, namespace, selector);
      const wrong = meant && Object.keys(selector).find((key) => meant.labels[key] !== selector[key]);
      const right = wrong === undefined ? undefined : meant?.labels[wrong];
      const field = wrong === undefined ? ["spec", "selector"] : ["spec", "selector", wrong];
      const shown = Object.entries(selector)
        .map(([key, value]) => `${key}: ${value}`)
        .join(", ");
      yield {
        message: `Service ${nameOf(refOf(service))}: no pod carries ${shown}`,
        at: { source: service.source, field },
        about: [refOf(service)],
        ...(maker && { severity: "warning" as const, label: `an operator may make them, from ${maker.kind} ${maker.name}` }),
        ...(meant && { related: [relatedOf(meant, wrong)] }),
        ...(meant && right !== undefined && { label: `${meant.title} has ${wrong}: ${right}`, help: `write \`${wrong}: ${right}\`` }),
        ...(right !== undefined && { edits: [{ kind: "value" as const, at: { source: service.source, field }, text: right }] }),
      };
    }
  },
};

/** Whether something carries the labels: what makes pods, Jobs among it, and the Pods themselves. */
function selectable(subject: Subject, makers: readonly PodMaker[]): (namespace: string, selector: Labels) => boolean {
  const ofJobs = subject.objects.flatMap((object) => {
    if (object.kind !== "Job" && object.kind !== "CronJob") return [];
    const template = object.spec?.template ?? object.spec?.jobTemplate?.spec?.template;
    return [{ namespace: object.metadata.namespace ?? "default", labels: template?.metadata?.labels ?? {} }];
  });
  const ofPods = subject.of("Pod").map(({ metadata }) => ({ namespace: metadata.namespace ?? "default", labels: metadata.labels ?? {} }));
  const select = indexPods<{ readonly namespace: string; readonly labels: Labels }>([...makers, ...ofJobs, ...ofPods]);
  return (namespace, selector) => select(namespace, selector).length > 0;
}

/** A part of a live cluster: the pods were left out, and the slices say that they are there. */
function hasEndpoints(subject: Subject, { metadata: { namespace, name } }: Service): boolean {
  if (subject.of("EndpointSlice").length + subject.of("Endpoints").length === 0) return false;
  return subject.cluster().slices.some((slice) => slice.namespace === namespace && slice.service === name && slice.endpoints.length > 0);
}

/** Where the pods get the labels that were probably meant. */
function relatedOf(maker: PodMaker, key: string | undefined): Related {
  const labels = Object.entries(maker.labels)
    .map(([name, value]) => `${name}: ${value}`)
    .join(", ");
  return {
    at: { source: maker.object.source, field: [...maker.path, "metadata", "labels", ...(key === undefined ? [] : [key])] },
    label: `the pods of ${maker.title} carry ${labels}`,
  };
}

/** The maker in this namespace whose labels are one slip away from the selector. */
function nearestMaker(makers: readonly PodMaker[], namespace: string, selector: Labels): PodMaker | undefined {
  const scored = makers
    .filter((maker) => maker.namespace === namespace)
    .flatMap((maker) => {
      const far = Object.entries(selector).map(([key, value]) => {
        const there = maker.labels[key];
        return there === value ? 0 : there === undefined ? undefined : slip(value, there);
      });
      return far.every((each) => each !== undefined) ? [{ maker, far: far.reduce((sum: number, each) => sum + (each ?? 0), 0) }] : [];
    });
  return scored.sort((a, b) => a.far - b.far)[0]?.maker;
}
