/** KT403: an Ingress that nobody takes (IngressClass, admission plugin DefaultIngressClass, ingress-nginx GetIngressClass). */
import type { Ingress } from "../../objects/api.ts";
import { nearest } from "../../objects/near.ts";
import type { Finding } from "../finding.ts";
import { type Classes, classesOf } from "../ingress-parts.ts";
import { listed } from "../pod-groups.ts";
import type { Rule } from "../rule.ts";
import { textScalar } from "../scalar.ts";
import { nameOf, refOf, type Subject } from "../subject.ts";

export const KT403: Rule = {
  code: "KT403",
  name: "ingress-no-controller",
  severity: "error",
  needs: "graph",
  fix: "suggest",
  title: "an Ingress of a class that no controller takes",
  why: "No proxy ever learns the host: requests for it get the default server's 404, or connection refused where no controller runs.",
  bad: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i}
spec: {ingressClassName: ngnix, defaultBackend: {service: {name: web, port: {number: 80}}}}
`,
  },
  good: {
    manifests: `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i}
spec: {ingressClassName: nginx, defaultBackend: {service: {name: web, port: {number: 80}}}}
`,
  },
  check: function* (subject) {
    const ingresses = subject.of("Ingress");
    const classes = classesOf(subject);
    if (ingresses.length === 0 || classes.known.size === 0) return; // classes and controllers are then not among the input
    for (const ingress of ingresses) {
      const finding = judge(ingress, classes);
      if (finding) yield finding;
    }
    yield* twoDefaults(subject, classes);
  },
};

const ANNOTATION = "kubernetes.io/ingress.class";

function judge(ingress: Ingress, classes: Classes): Finding | undefined {
  const { source, spec, metadata } = ingress;
  const title = `Ingress ${nameOf(refOf(ingress))}`;
  const names = [...classes.known.keys()].sort();
  const annotated = metadata.annotations?.[ANNOTATION];
  const wanted = spec?.ingressClassName ?? annotated;
  const about = [refOf(ingress)];
  if (wanted === undefined) {
    if (classes.takesClassless || classes.defaults.length === 1) return undefined;
    const [only] = names;
    return {
      message: `${title} asks for no class, and no IngressClass is the default one`,
      at: { source, field: ["spec"], key: true },
      label: `the classes are ${listed(names)}`,
      help: `add \`ingressClassName: ${only}\`; ingress-nginx takes it without only when started with --watch-ingress-without-class`,
      about,
      severity: "warning",
      ...(names.length === 1 && only !== undefined
        ? { edits: [{ kind: "insert", at: { source, field: ["spec"] }, text: `ingressClassName: ${textScalar(only)}` }] }
        : {}),
    };
  }
  if (classes.known.has(wanted)) return undefined;
  const at = {
    source,
    field: spec?.ingressClassName === undefined ? ["metadata", "annotations", ANNOTATION] : ["spec", "ingressClassName"],
  };
  const [meant] = nearest(wanted, names, (name) => name);
  return {
    message: `${title} is of class ${wanted}, which no controller of the input takes`,
    at,
    label: `the classes are ${listed(names)}`,
    ...(meant === undefined
      ? { help: `add an IngressClass ${wanted} and its controller, or take one of these` }
      : { help: `did you mean ${meant}?` }),
    about,
    ...(meant === undefined ? {} : { edits: [{ kind: "value", at, text: textScalar(meant) }] }),
  };
}

/** Before 1.26 the API server refuses an Ingress without a class then, later it takes the youngest class (DefaultIngressClass). */
function* twoDefaults(subject: Subject, { defaults }: Classes): Iterable<Finding> {
  const [first, second] = subject.of("IngressClass").filter(({ metadata }) => defaults.includes(metadata.name));
  const field = ["metadata", "annotations", "ingressclass.kubernetes.io/is-default-class"];
  if (!first || !second) return;
  yield {
    message: `${defaults.length} IngressClasses are the default one (${listed(defaults)}): which of them an Ingress without a class gets is left to chance`,
    at: { source: second.source, field },
    related: [{ at: { source: first.source, field }, label: "another default" }],
    help: "leave the annotation to one of them",
    about: [refOf(second), refOf(first)],
    severity: "warning",
  };
}
