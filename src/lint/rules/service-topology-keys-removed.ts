/** KT115: the first two ways of keeping traffic near, both gone (KEP-536 topologyKeys, removed in 1.22; KEP-2433's old annotation). */
import { atLeast } from "../../cluster/version.ts";
import { fieldAt, textAt } from "../../objects/record.ts";
import { targetVersion } from "../refusals.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOfWritten } from "../subject.ts";

const HINTS = "service.kubernetes.io/topology-aware-hints";
const MODE = "service.kubernetes.io/topology-mode";

export const KT115: Rule = {
  code: "KT115",
  name: "service-topology-keys-removed",
  severity: "error",
  needs: "object",
  fix: "safe",
  title: "topologyKeys, which Kubernetes has no more",
  why: "The field is unknown since 1.22: the Service is refused, or the field is dropped and every zone's clients are sent to every zone's pods.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {topologyKeys: [kubernetes.io/hostname, "*"], selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {trafficDistribution: PreferClose, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  check: function* ({ writtenOf, topology }) {
    const isGone = atLeast(targetVersion(topology), 1, 22);
    for (const written of writtenOf("Service")) {
      const { value, source } = written;
      const about = [refOfWritten(written)];
      const name = `Service ${about.map(nameOf).join("")}`;
      if (isGone && fieldAt(value, "spec", "topologyKeys") !== undefined) {
        const at = { source, field: ["spec", "topologyKeys"] };
        yield {
          message: `${name}: topologyKeys was removed in Kubernetes 1.22`,
          at,
          label: "unknown to the API",
          help: "remove it; for pods of the own zone write `trafficDistribution: PreferClose`, for those of the own node `internalTrafficPolicy: Local`",
          about,
          edits: [{ kind: "remove", at }],
        };
      }
      const [hints, mode] = [textAt(value, "metadata", "annotations", HINTS), textAt(value, "metadata", "annotations", MODE)];
      if (hints === "" || mode === "" || hints === mode) continue;
      const at = { source, field: ["metadata", "annotations", HINTS] };
      yield {
        message: `${name}: ${HINTS} is ${hints}, ${MODE} is ${mode}`,
        at,
        label: "the API server refuses the Service: both must be the same",
        related: [{ at: { source, field: ["metadata", "annotations", MODE] }, label: "the newer of the two" }],
        help: `remove ${HINTS}, the older name`,
        about,
        edits: [{ kind: "remove", at }],
      };
    }
  },
};
