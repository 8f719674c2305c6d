/** KT112: no cluster IP, so no rule of kube-proxy that could translate a port (Service spec.clusterIP None). */
import type { Rule } from "../rule.ts";
import { nameOf, refOf } from "../subject.ts";

export const KT112: Rule = {
  code: "KT112",
  name: "headless-port-mapping-ignored",
  severity: "warning",
  needs: "object",
  fix: "suggest",
  title: "a headless Service maps a port, and nobody is there to map it",
  why: "DNS answers with the pods' own addresses and kube-proxy writes no rule, so a client that connects to SVC:80 sends its SYN to pod port 80, where nobody listens, and gets a RST. Only SRV records and ingress proxies look at targetPort.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 8080}]}
`,
  },
  check: function* (subject) {
    for (const service of subject.of("Service")) {
      if (service.spec?.clusterIP !== "None") continue;
      for (const [i, { port, targetPort }] of (service.spec.ports ?? []).entries()) {
        if (typeof targetPort !== "number" || targetPort === port) continue;
        yield {
          message: `Service ${nameOf(refOf(service))} is headless: nothing translates its port ${port} to ${targetPort}`,
          at: { source: service.source, field: ["spec", "ports", i, "targetPort"] },
          label: `clients connect to the pods at ${port}`,
          help: `let the clients use ${targetPort}: \`port: ${targetPort}\`, or give the Service a cluster IP`,
          about: [refOf(service)],
          edits: [{ kind: "value", at: { source: service.source, field: ["spec", "ports", i, "port"] }, text: String(targetPort) }],
        };
      }
    }
  },
};
