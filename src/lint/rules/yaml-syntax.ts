/** KT001: text that kubectl cannot read as YAML or JSON (go-yaml v2 below sigs.k8s.io/yaml). */
import type { Rule } from "../rule.ts";
import { placeOf } from "../undecoded.ts";

export const KT001: Rule = {
  code: "KT001",
  name: "yaml-syntax",
  severity: "error",
  needs: "object",
  fix: "no",
  title: "a document that is no YAML",
  why: "kubectl stops at this document: its object, and with some commands those after it, never reach the cluster, and what depends on them finds nothing.",
  bad: {
    manifests: `kind: Service
 apiVersion: v1
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  check: function* ({ diagnostics }) {
    for (const diagnostic of diagnostics) {
      const at = diagnostic.code === "KT001" ? placeOf(diagnostic) : undefined;
      if (at === undefined) continue;
      const { message, help } = diagnostic;
      yield { message, at, about: [], ...(help === undefined ? {} : { help }) };
    }
  },
};
