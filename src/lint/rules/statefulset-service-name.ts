/** KT212: the Service that gives the pods of a StatefulSet their names (spec.serviceName; DNS specification, records of hostnames). */
import type { Service, Workload, WorkloadKind } from "../../objects/api.ts";
import { nearest } from "../../objects/near.ts";
import { matchesLabels } from "../../objects/selector.ts";
import type { Finding } from "../finding.ts";
import { listed } from "../pod-groups.ts";
import { labelsText, outermostMakers } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";
import { textScalar } from "../scalar.ts";
import { nameOf, refOf, type Subject } from "../subject.ts";

export const KT212: Rule = {
  code: "KT212",
  name: "statefulset-service-name",
  severity: "error",
  needs: "graph",
  fix: "suggest",
  title: "a StatefulSet's serviceName is no headless Service that selects its pods",
  why: "DNS gives a pod a name of its own, POD.SERVICE.NAMESPACE.svc, only under a headless Service that selects it: peers that look for each other get NXDOMAIN and never send a packet.",
  bad: {
    manifests: `kind: StatefulSet
apiVersion: apps/v1
metadata: {name: db}
spec: {serviceName: db, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: x, env: [{name: PEERS, value: "db-0.db,db-1.db"}], ports: [{containerPort: 5432}]}]}}}
---
kind: Service
apiVersion: v1
metadata: {name: db}
spec: {selector: {app: db}, ports: [{port: 5432}]}
`,
  },
  good: {
    manifests: `kind: StatefulSet
apiVersion: apps/v1
metadata: {name: db}
spec: {serviceName: db, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: x, env: [{name: PEERS, value: "db-0.db,db-1.db"}], ports: [{containerPort: 5432}]}]}}}
---
kind: Service
apiVersion: v1
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}
`,
  },
  check: function* (subject) {
    const services = subject.of("Service");
    for (const set of subject.of<WorkloadKind>("StatefulSet")) {
      const here = services.filter(({ metadata }) => (metadata.namespace ?? "default") === (set.metadata.namespace ?? "default"));
      const finding = judge(set, here);
      const isCalled = finding !== undefined && callsByName(subject, set.spec?.serviceName ?? "");
      if (finding) yield isCalled ? finding : { ...finding, severity: "warning" };
    }
  },
};

/** Somebody is told a name under the Service, `db-0.db`: then its absence breaks more than tidiness. */
function callsByName(subject: Subject, service: string): boolean {
  if (service === "") return false;
  return outermostMakers(subject).some(({ spec }) =>
    [...(spec.containers ?? []), ...(spec.initContainers ?? [])].some(({ args = [], command = [], env = [] }) =>
      [...args, ...command, ...env.map(({ value = "" }) => value)].some((text) => namesUnder(text, service)),
    ),
  );
}

/** The name occurs with a label before it, and ends there. No expression is made of it: it is the user's text. */
function namesUnder(text: string, service: string): boolean {
  const at = text.indexOf(`.${service}`);
  return at > 0 && /[\w)}]/.test(text[at - 1] ?? "") && !/[\w-]/.test(text[at + service.length + 1] ?? "");
}

const isHeadless = ({ spec }: Service): boolean => spec?.clusterIP === "None" || spec?.clusterIPs?.[0] === "None";
const labelsOf = (set: Workload) => set.spec?.template?.metadata?.labels ?? {};
const selects = (service: Service, set: Workload): boolean =>
  Object.keys(service.spec?.selector ?? {}).length > 0 && matchesLabels(service.spec?.selector ?? {}, labelsOf(set));

function judge(set: Workload, here: readonly Service[]): Finding | undefined {
  const title = `StatefulSet ${nameOf(refOf(set))}`;
  const wanted = set.spec?.serviceName;
  const fitting = here.filter((service) => isHeadless(service) && selects(service, set));
  const at = { source: set.source, field: ["spec", "serviceName"] };
  const about = [refOf(set)];
  if (!wanted) return withoutName(set, title, fitting);
  const service = here.find(({ metadata }) => metadata.name === wanted);
  const example = `${set.metadata.name}-0.${wanted}`;
  if (!service) {
    const meant = fitting[0] ?? nearest(wanted, here, ({ metadata }) => metadata.name)[0];
    return {
      message: `${title}: serviceName ${wanted} names no Service, so ${example} has no address`,
      at,
      label: meant ? `there is a Service ${meant.metadata.name}` : "no such Service in the input",
      help: meant
        ? `write \`serviceName: ${meant.metadata.name}\``
        : `add a Service ${wanted} with clusterIP: None that selects ${labelsText(labelsOf(set))}`,
      about,
      ...(meant ? { edits: [{ kind: "value", at, text: textScalar(meant.metadata.name) }] } : {}),
    };
  }
  if (!isHeadless(service))
    return {
      message: `${title}: its Service ${wanted} is not headless, so ${example} has no address`,
      at: { source: service.source, field: ["spec", ...(service.spec?.clusterIP === undefined ? [] : ["clusterIP"])] },
      label: "no clusterIP: None here",
      related: [{ at, label: "the StatefulSet that takes its names from it" }],
      help: `add \`clusterIP: None\`, or name another Service that has it${fitting.length > 0 ? `: ${listed(fitting.map(({ metadata }) => metadata.name))}` : ""}`,
      about,
      ...(service.spec?.clusterIP === undefined && (service.spec?.type ?? "ClusterIP") === "ClusterIP"
        ? { edits: [{ kind: "insert", at: { source: service.source, field: ["spec"] }, text: "clusterIP: None" }] }
        : {}),
    };
  if (selects(service, set) || Object.keys(service.spec?.selector ?? {}).length === 0) return undefined;
  return {
    message: `${title}: its Service ${wanted} selects ${labelsText(service.spec?.selector ?? {})}, and its pods carry ${labelsText(labelsOf(set)) || "no labels"}`,
    at: { source: service.source, field: ["spec", "selector"] },
    label: `${example} has no address`,
    related: [{ at, label: "the StatefulSet that takes its names from it" }],
    help: `select ${labelsText(labelsOf(set))}`,
    about: [refOf(set), refOf(service)],
  };
}

/** Optional from Kubernetes 1.33 on; without it the pods work, and have no names. */
function withoutName(set: Workload, title: string, [meant]: readonly Service[]): Finding {
  const text = `serviceName: ${textScalar(meant?.metadata.name ?? set.metadata.name)}`;
  return {
    message: `${title} has no serviceName, so its pods have no names of their own in DNS`,
    at: { source: set.source, field: ["spec"], key: true },
    help: meant
      ? `add \`${text}\`, the headless Service that selects its pods`
      : "add a headless Service that selects its pods, and name it here",
    about: [refOf(set)],
    severity: "warning",
    ...(meant ? { edits: [{ kind: "insert", at: { source: set.source, field: ["spec"] }, text }] } : {}),
  };
}
