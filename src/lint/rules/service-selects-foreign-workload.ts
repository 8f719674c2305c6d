/** KT108: a selector that is too wide: pods of another application stand among the endpoints. */
import type { ObjectRef } from "../../objects/api.ts";
import type { Finding, Related } from "../finding.ts";
import { declaredPorts, labelsText, makerRef, type PodMaker, podField } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";
import { portsMeant, type ServiceTarget, serviceTargets, targetOf } from "../service-targets.ts";
import { refOf } from "../subject.ts";

export const KT108: Rule = {
  code: "KT108",
  name: "service-selects-foreign-workload",
  severity: "warning",
  needs: "graph",
  fix: "suggest",
  title: "a Service's selector picks the pods of different applications",
  why: "Each connection goes to one endpoint at random: a part of them reaches the other application and gets a wrong answer or, where nothing listens at that port, a RST. It looks like a fault that comes and goes.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: batch, labels: {app: web, job: import}}
spec: {containers: [{name: c, image: x, ports: [{containerPort: 9000}]}]}
---
kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: batch, labels: {app: import}}
spec: {containers: [{name: c, image: x, ports: [{containerPort: 9000}]}]}
---
kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  check: function* (subject) {
    for (const target of serviceTargets(subject)) {
      const makers = target.makers.filter(({ replicas }) => replicas !== 0);
      const [first, ...others] = makers;
      if (first === undefined || others.length === 0) continue;
      const strangers = withoutPort(target, makers);
      if (strangers.length > 0 && strangers.length < makers.length) yield finding(target, makers, strangers, true);
      else {
        const foreign = others.filter((other) => identityOf(other) !== identityOf(first) && stemOf(other.name) !== stemOf(first.name));
        if (foreign.length > 0) yield finding(target, makers, foreign, false);
      }
    }
  },
};

/** Makers that declare ports, but none that the Service sends to. Named targets are KT104's. */
function withoutPort({ service }: ServiceTarget, makers: readonly PodMaker[]): PodMaker[] {
  const targets = (service.spec?.ports ?? []).map(targetOf).filter((target) => typeof target === "number");
  if (targets.length === 0) return [];
  return makers.filter((maker) => declaredPorts(maker).length > 0 && targets.every((target) => portsMeant(maker, target).length === 0));
}

/** The labels that say which application a pod is of (kubernetes.io/docs, recommended labels, and those before them). */
const IDENTITY = ["app.kubernetes.io/name", "app.kubernetes.io/component", "app", "k8s-app", "name", "component"];
const identityOf = ({ labels }: PodMaker): string => JSON.stringify(IDENTITY.map((key) => (Object.hasOwn(labels, key) ? labels[key] : "")));

/** `web` of web-canary, web-v2 and web-0: versions of one application, and its pods one by one. */
const stemOf = (name: string): string => name.replace(/(?:[-.](?:canary|stable|blue|green|old|new|primary|baseline|[a-z]|v?\d+))+$/, "");

function finding({ service, name }: ServiceTarget, makers: readonly PodMaker[], foreign: readonly PodMaker[], byPort: boolean): Finding {
  const own = makers.filter((maker) => !foreign.includes(maker));
  const wanted = own[0]?.labels ?? {};
  const tellsApart = Object.entries(wanted).find(
    ([key, value]) => foreign.every(({ labels }) => labels[key] !== value) && own.every(({ labels }) => labels[key] === value),
  );
  const titles = (list: readonly PodMaker[]): string => list.map(({ title }) => title).join(", ");
  return {
    message: `${name}: the selector ${labelsText(service.spec?.selector ?? {})} picks pods of ${titles(own)} and of ${titles(foreign)}`,
    at: { source: service.source, field: ["spec", "selector"] },
    label: byPort
      ? `${titles(foreign)} ${foreign.length === 1 ? "declares" : "declare"} other ports than the Service sends to`
      : "their labels name different applications",
    related: foreign.map(
      (maker): Related => ({ at: podField(maker, "metadata", "labels"), label: `${maker.title} carries ${labelsText(maker.labels)}` }),
    ),
    help:
      tellsApart === undefined
        ? "give the pods a label that tells them apart, and select by it"
        : `add \`${tellsApart[0]}: ${tellsApart[1]}\` to the selector`,
    about: [refOf(service), ...foreign.map((maker): ObjectRef => makerRef(maker))],
  };
}
