/** KT104: a named targetPort that means something else, or nothing, in a part of the selected pods. */
import type { ServicePort } from "../../objects/api.ts";
import type { Finding } from "../finding.ts";
import { type PodMaker, podField } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";
import { portMark, portsMeant, protocolOf, type ServiceTarget, serviceTargets, targetMark } from "../service-targets.ts";
import { refOf } from "../subject.ts";

export const KT104: Rule = {
  code: "KT104",
  name: "service-target-port-partial",
  severity: "warning",
  needs: "graph",
  fix: "no",
  title: "a named targetPort that only some of the selected pods have",
  why: "Each pod's endpoint is built with the port of that name in that pod. A pod without one gets no connection at all: half of the pods idle, the others work for them, and no error is seen anywhere.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: web-old, labels: {app: web}}
spec: {containers: [{name: c, image: x, ports: [{containerPort: 8080}]}]}
---
kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: web-old, labels: {app: web}}
spec: {containers: [{name: c, image: x, ports: [{name: http, containerPort: 8080}]}]}
---
kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
`,
  },
  check: function* (subject) {
    for (const target of serviceTargets(subject))
      for (const [i, port] of (target.service.spec?.ports ?? []).entries())
        if (typeof port.targetPort === "string") yield* findings(target, i, port, port.targetPort);
  },
};

function* findings({ service, name, makers }: ServiceTarget, index: number, port: ServicePort, wanted: string): Iterable<Finding> {
  const running = makers.filter(({ replicas }) => replicas !== 0);
  const found = running.map((maker) => ({
    maker,
    placed: portsMeant(maker, wanted).find((each) => protocolOf(each.port) === protocolOf(port)),
  }));
  const having = found.flatMap(({ maker, placed }) => (placed ? [{ maker, placed }] : []));
  const lacking = found.filter(({ placed }) => placed === undefined).map(({ maker }) => maker);
  const [first] = having;
  if (first === undefined) return; // KT103
  const at = targetMark(service, index, port);
  if (lacking.length > 0) {
    yield {
      message: `${name} port ${port.port}: ${titles(lacking)} ${lacking.length === 1 ? "has" : "have"} no port named ${wanted}, so ${lacking.length === 1 ? "its" : "their"} pods get no connections`,
      at,
      label: `only ${titles(having.map(({ maker }) => maker))} ${having.length === 1 ? "has" : "have"} it`,
      related: [
        ...lacking.map((maker) => ({ at: podField(maker, "spec", "containers", 0), label: `${maker.title}: no port ${wanted}` })),
        { at: portMark(first.maker, first.placed, "name"), label: `${first.maker.title}: ${first.placed.port.containerPort}` },
      ],
      help: `name the port in every pod, or let the Service select only those that have it`,
      about: [refOf(service), ...lacking.map(({ object }) => refOf(object))],
    };
    return;
  }
  const other = having.find(({ placed }) => placed.port.containerPort !== first.placed.port.containerPort);
  if (other === undefined) return;
  yield {
    message: `${name} port ${port.port}: ${wanted} is ${first.placed.port.containerPort} in ${first.maker.title} and ${other.placed.port.containerPort} in ${other.maker.title}`,
    at,
    label: "one name, two numbers",
    related: [first, other].map(({ maker, placed }) => ({ at: portMark(maker, placed, "containerPort"), label: maker.title })),
    help: "fine when it is meant, as in a move from one port to another",
    about: [refOf(service)],
    severity: "info",
  };
}

const titles = (makers: readonly PodMaker[]): string => makers.map(({ title }) => title).join(", ");
