/** KT119: ports and selectors of an ExternalName, which is an alias in DNS and nothing else. */
import type { Edit } from "../finding.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf } from "../subject.ts";

export const KT119: Rule = {
  code: "KT119",
  name: "external-name-has-ports",
  severity: "info",
  needs: "object",
  fix: "unsafe",
  title: "an ExternalName Service with ports or a selector",
  why: "No node has a rule for it: the client connects to the other host at the port that it chose itself. A port that differs from targetPort is not translated, and an HTTP server sees the alias in the Host header.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: mail}
spec: {type: ExternalName, externalName: smtp.example.com, ports: [{port: 25, targetPort: 2525}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: mail}
spec: {type: ExternalName, externalName: smtp.example.com}
`,
  },
  check: function* (subject) {
    for (const service of subject.of("Service")) {
      const { type, ports = [], selector = {}, externalName } = service.spec ?? {};
      if (type !== "ExternalName") continue;
      const found = [...(ports.length > 0 ? ["ports"] : []), ...(Object.keys(selector).length > 0 ? ["selector"] : [])];
      const [first] = found;
      if (first === undefined) continue;
      const mapped = ports.find(({ port, targetPort }) => typeof targetPort === "number" && targetPort !== port);
      yield {
        message: `Service ${nameOf(refOf(service))} is an alias for ${externalName}: its ${found.join(" and ")} ${found.length > 1 || first === "ports" ? "do" : "does"} nothing`,
        at: { source: service.source, field: ["spec", first], key: true },
        label:
          mapped === undefined
            ? "not used"
            : `clients that connect to ${mapped.port} arrive at ${mapped.port}, not at ${mapped.targetPort}`,
        help: "remove it; clients name the port themselves",
        about: [refOf(service)],
        edits: found.map((key): Edit => ({ kind: "remove", at: { source: service.source, field: ["spec", key] } })),
      };
    }
  },
};
