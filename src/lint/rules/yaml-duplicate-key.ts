/** KT002: a key that stands twice in one mapping, of which kubectl keeps the last. */
import { overriddenEntry } from "../../manifests/yaml/overridden.ts";
import type { Rule } from "../rule.ts";
import { placeOf } from "../undecoded.ts";

export const KT002: Rule = {
  code: "KT002",
  name: "yaml-duplicate-key",
  severity: "error",
  needs: "object",
  fix: "unsafe",
  title: "one key twice in the same mapping",
  why: "kubectl keeps the last value and says nothing, so the first selector, port or policy never reaches the cluster: what was tested by reading is not what runs.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec:
  selector: {app: web}
  selector: {app: old-web}
  ports: [{port: 80, targetPort: 8080}]
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
`,
  },
  check: function* ({ diagnostics, textOf }) {
    for (const diagnostic of diagnostics) {
      const at = diagnostic.code === "KT002" ? placeOf(diagnostic) : undefined;
      if (at === undefined) continue;
      const earlier = overriddenEntry(textOf(at.file) ?? "", at);
      yield {
        message: diagnostic.message,
        at,
        label: "this value counts",
        help: "remove the other, or rename one of them",
        about: [],
        ...(earlier
          ? { related: [{ at: earlier, label: "this one is not used" }], edits: [{ kind: "remove" as const, at: earlier }] }
          : {}),
      };
    }
  },
};
