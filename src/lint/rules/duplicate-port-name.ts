/** KT208: one name, two ports (pkg/apis/core/validation validateContainerPorts; pkg/api/v1/pod FindPort takes the first). */
import { declaredPorts, makerRef, outermostMakers, type PlacedPort, type PodMaker, podField, titleOf } from "../pod-makers.ts";
import { refusalFinding } from "../refusal-findings.ts";
import type { Rule } from "../rule.ts";

export const KT208: Rule = {
  code: "KT208",
  name: "duplicate-port-name",
  severity: "error",
  needs: "object",
  fix: "no",
  title: "two ports of one pod share a name, or a port's name has not the form of one",
  why: "Twice in one container the name is refused. In two containers it is taken, and the first container's port wins: a targetPort by that name may lead the packets to the sidecar.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: api, labels: {app: api}}
spec: {containers: [{name: c, image: x, ports: [{name: http, containerPort: 8080}]}, {name: side, image: x, ports: [{name: http, containerPort: 15001}]}]}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: api, labels: {app: api}}
spec: {containers: [{name: c, image: x, ports: [{name: http, containerPort: 8080}]}, {name: side, image: x, ports: [{name: http-proxy, containerPort: 15001}]}]}
`,
  },
  check: function* (subject) {
    for (const refusal of subject.refusals()) if (refusal.violation.code === "KT208") yield refusalFinding(refusal);
    for (const maker of outermostMakers(subject)) yield* shared(maker);
  },
};

function* shared(maker: PodMaker) {
  const first = new Map<string, PlacedPort>();
  for (const placed of declaredPorts(maker)) {
    const { name, protocol = "TCP", containerPort } = placed.port;
    if (name === undefined) continue;
    const key = `${protocol} ${name}`;
    const other = first.get(key);
    if (!other) first.set(key, placed);
    if (!other || other.container === placed.container || other.port.containerPort === containerPort) continue;
    yield {
      message: `${titleOf(maker)}: the name ${name} stands for port ${other.port.containerPort} of container ${other.container.name} and for ${containerPort} of ${placed.container.name}`,
      at: podField(maker, ...placed.field, "name"),
      label: `a targetPort ${name} means ${other.port.containerPort}, never this one`,
      related: [{ at: podField(maker, ...other.field, "name"), label: "the first one, which counts" }],
      help: "give one of them another name",
      about: [makerRef(maker)],
      severity: "warning" as const,
    };
  }
}
