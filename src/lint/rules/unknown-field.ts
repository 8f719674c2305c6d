/** KT006: a key that its kind does not have, as strict decoding finds it (apimachinery's field validation, KEP-2885). */

import type { Written } from "../../manifests/objects.ts";
import { nearest } from "../../manifests/words.ts";
import { formatPath } from "../../objects/violation.ts";
import { CURRENT_VERSION } from "../api-versions.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOfWritten } from "../subject.ts";
import { unknownFields } from "../unknown-fields.ts";

export const KT006: Rule = {
  code: "KT006",
  name: "unknown-field",
  severity: "error",
  needs: "object",
  fix: "unsafe",
  title: "a key that the kind does not have",
  why: "Strict validation refuses the object. Without it the key is dropped and the default counts: with `target-port: 8080` the packet goes to the pod at the Service's own port, where nobody listens.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, target-port: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  check: function* ({ written }) {
    for (const each of written) {
      const { value, source } = each;
      if (!isChecked(each)) continue;
      for (const { path, key, known, siblings } of unknownFields(String(value.kind), value)) {
        if (key === "topologyKeys") continue; // KT115
        const at = { source, field: [...path, key], key: true };
        const meant = nearest(key.replaceAll(/[-_]/g, ""), known) ?? nearest(key, known);
        const isFree = meant !== undefined && !siblings.includes(meant);
        yield {
          message: `${value.kind} ${nameOf(refOfWritten(each))}: ${path.length === 0 ? "there is" : `${formatPath(path)} has`} no key ${JSON.stringify(key)}`,
          at,
          label: meant === undefined ? "unknown to the API" : `did you mean ${meant}?`,
          help: meant === undefined ? `known here: ${[...known].sort().join(", ")}` : `write \`${meant}\``,
          about: [refOfWritten(each)],
          ...(isFree ? { edits: [{ kind: "key" as const, at, text: meant }] } : {}),
        };
      }
    }
  },
};

/** Of today's version, whose fields are listed; and not from a server, which gives no unknown ones. */
function isChecked({ value }: Written): boolean {
  const { metadata } = value;
  const isDumped = typeof metadata === "object" && metadata !== null && Object.hasOwn(metadata, "uid");
  return !isDumped && typeof value.kind === "string" && value.apiVersion === CURRENT_VERSION.get(value.kind);
}
