/** KT107: a Service's port of one transport protocol, and the pods' port of another. */
import type { ServicePort } from "../../objects/api.ts";
import type { Edit, Finding } from "../finding.ts";
import type { PlacedPort, PodMaker } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";
import {
  podsOfService,
  portMark,
  portsMeant,
  portText,
  protocolOf,
  type ServiceTarget,
  serviceTargets,
  targetOf,
} from "../service-targets.ts";
import { refOf, type Subject } from "../subject.ts";

export const KT107: Rule = {
  code: "KT107",
  name: "service-protocol-mismatch",
  severity: "error",
  needs: "graph",
  fix: "suggest",
  title: "a Service's port and the pods' port speak different protocols",
  why: "kube-proxy's rules match one protocol. A UDP packet to a TCP port of the Service is not translated at all and gets lost on its way to an address that no machine has; a TCP one is translated and meets no listener.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: syslog, labels: {app: syslog}}
spec: {containers: [{name: c, image: x, ports: [{containerPort: 514, protocol: UDP}]}]}
---
kind: Service
apiVersion: v1
metadata: {name: syslog}
spec: {selector: {app: syslog}, ports: [{port: 514}]}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: syslog, labels: {app: syslog}}
spec: {containers: [{name: c, image: x, ports: [{containerPort: 514, protocol: UDP}]}]}
---
kind: Service
apiVersion: v1
metadata: {name: syslog}
spec: {selector: {app: syslog}, ports: [{port: 514, protocol: UDP}]}
`,
  },
  check: function* (subject) {
    const found = serviceTargets(subject).flatMap((target) =>
      (target.service.spec?.ports ?? []).flatMap((port, index) => {
        const other = otherProtocol(target, port);
        return other ? [{ target, port, index, ...other }] : [];
      }),
    );
    for (const each of found) if (!listens(subject, each.target, each.port)) yield finding(each);
  },
};

type Mismatch = {
  readonly target: ServiceTarget;
  readonly port: ServicePort;
  readonly index: number;
  readonly maker: PodMaker;
  readonly placed: PlacedPort;
};

/** A port of that number or name, when every pod that has one has it in another protocol. */
function otherProtocol({ makers }: ServiceTarget, port: ServicePort): Pick<Mismatch, "maker" | "placed"> | undefined {
  const meant = makers.flatMap((maker) => portsMeant(maker, targetOf(port)).map((placed) => ({ maker, placed })));
  return meant.some(({ placed }) => protocolOf(placed.port) === protocolOf(port)) ? undefined : meant[0];
}

/** By the topology or a probe: what containers declare is documentation. */
function listens(subject: Subject, { service }: ServiceTarget, port: ServicePort): boolean {
  const target = targetOf(port);
  return podsOfService(subject)(service).some((pod) =>
    pod.listens.some((each) => !each.assumed && each.port === target && each.protocol === protocolOf(port)),
  );
}

function finding({ target: { service, name }, port, index, maker, placed }: Mismatch): Finding {
  const [own, theirs] = [protocolOf(port), protocolOf(placed.port)];
  const isOneOfTwo = (service.spec?.ports ?? []).some((each, i) => i !== index && each.port === port.port && protocolOf(each) === theirs);
  const where = { source: service.source, field: ["spec", "ports", index] };
  const at = { source: service.source, field: [...where.field, port.protocol === undefined ? "port" : "protocol"] };
  const edit: Edit =
    port.protocol === undefined ? { kind: "insert", at: where, text: `protocol: ${theirs}` } : { kind: "value", at, text: theirs };
  return {
    message: `${name} port ${port.port}/${own}: the pods' port is ${portText(placed)}`,
    at,
    label: port.protocol === undefined ? "TCP, as no protocol is written" : `${own} here, ${theirs} in the pods`,
    related: [
      {
        at: portMark(maker, placed, placed.port.protocol === undefined ? "containerPort" : "protocol"),
        label: `${maker.title} declares ${portText(placed)}`,
      },
    ],
    about: [refOf(service)],
    ...(isOneOfTwo
      ? { help: `declare ${placed.port.containerPort}/${own} in the pods, or remove this port`, severity: "warning" }
      : { help: `write \`protocol: ${theirs}\``, edits: [edit] }),
  };
}
