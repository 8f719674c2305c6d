/** KT209: two containers of one pod, one network namespace, one port: the second bind(2) fails with EADDRINUSE. */
import { declaredPorts, makerRef, outermostMakers, type PlacedPort, type PodMaker, podField, titleOf } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";

export const KT209: Rule = {
  code: "KT209",
  name: "port-conflict-in-pod",
  severity: "error",
  needs: "graph",
  fix: "no",
  title: "two containers of one pod declare the same port",
  why: "The containers of a pod share its network namespace: whichever binds second fails, its container crashes again and again, and the pod never gets Ready.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: api, labels: {app: api}}
spec: {containers: [{name: a, image: x, ports: [{containerPort: 8080}]}, {name: b, image: x, ports: [{containerPort: 8080}]}]}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: api, labels: {app: api}}
spec: {containers: [{name: a, image: x, ports: [{containerPort: 8080}]}, {name: b, image: x, ports: [{containerPort: 8081}]}]}
`,
  },
  mutedBy: ["KT205"], // of hostNetwork the server refuses it
  check: function* (subject) {
    for (const maker of outermostMakers(subject)) yield* conflicts(maker);
  },
};

function* conflicts(maker: PodMaker) {
  const first = new Map<string, PlacedPort>();
  for (const placed of declaredPorts(maker)) {
    const { protocol = "TCP", containerPort } = placed.port;
    const key = `${protocol} ${containerPort}`;
    const other = first.get(key);
    if (!other) first.set(key, placed);
    if (!other || other.container === placed.container) continue;
    yield {
      message: `${titleOf(maker)}: containers ${other.container.name} and ${placed.container.name} both declare port ${containerPort}/${protocol}`,
      at: podField(maker, ...placed.field, "containerPort"),
      label: `${other.container.name} has it already`,
      related: [{ at: podField(maker, ...other.field, "containerPort"), label: `container ${other.container.name}` }],
      help: "let one of them listen on another port",
      about: [makerRef(maker)],
    };
  }
}
