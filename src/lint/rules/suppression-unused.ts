/** KT902: what was written to silence a rule and silences nothing. What is unused only the engine knows (lint/suppress.ts). */
import type { Rule } from "../rule.ts";
import { readSuppressions } from "../suppressions.ts";

export const KT902: Rule = {
  code: "KT902",
  name: "suppression-unused",
  severity: "warning",
  needs: "object",
  fix: "safe",
  title: "an ignore comment, an annotation or a baseline entry suppresses nothing",
  why: "What it hid is gone, or never had that name. Left where it is, it hides the next mistake in that place, and nobody hears of the packet that then dies.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web} # ktrace-ignore KT999 -- old
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  check: (subject) => readSuppressions(subject).mistakes,
};
