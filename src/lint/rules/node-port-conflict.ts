/** KT302: one node port, asked for by two Services (registry/core/service/portallocator: the first has it). */
import type { Service } from "../../objects/api.ts";
import { type AskedNodePort, askedAt, askedNodePorts } from "../node-ports.ts";
import { decidedFaults } from "../refusal-findings.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf } from "../subject.ts";

export const KT302: Rule = {
  code: "KT302",
  name: "node-port-conflict",
  severity: "error",
  needs: "graph",
  fix: "no",
  title: "two Services ask for one node port",
  why: "The API server refuses the second: it has no address at all, and who calls its node port is answered by the other Service.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: first}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31160}]}
---
kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31160}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: first}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31160}]}
---
kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31161}]}
`,
  },
  check: function* (subject) {
    const asked = subject.of("Service").flatMap(askedNodePorts);
    const byPort = new Map<string, AskedNodePort[]>();
    for (const each of asked) byPort.set(keyOf(each), [...(byPort.get(keyOf(each)) ?? []), each]);
    if ([...byPort.values()].every(({ length }) => length === 1)) return;
    for (const { object, field } of decidedFaults(subject.cluster().diagnostics, subject.objects, "KT302")) {
      const own = object.kind === "Service" ? askedAt(object, field) : undefined;
      const other = own && (byPort.get(keyOf(own)) ?? []).find((each) => each.service !== object || each.field.join() !== own.field.join());
      if (!own || !other) continue;
      yield {
        message: `Service ${titleOf(own.service)}: node port ${own.port}/${own.protocol} is ${other.service === object ? "asked for twice" : `that of Service ${titleOf(other.service)}`}`,
        at: { source: object.source, field },
        label: "leave it out, and a free one is allocated",
        related: [
          { at: { source: other.service.source, field: other.field }, label: `Service ${titleOf(other.service)} asks for it here` },
        ],
        about: [refOf(object), refOf(other.service)],
      };
    }
  },
};

const keyOf = ({ protocol, port }: AskedNodePort): string => `${protocol} ${port}`;
const titleOf = (service: Service): string => nameOf(refOf(service));
