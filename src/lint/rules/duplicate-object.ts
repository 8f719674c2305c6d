/** KT007: two documents of one object, of which `kubectl apply` leaves the later. */
import type { Written } from "../../manifests/objects.ts";
import { isFields } from "../../objects/record.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOfWritten } from "../subject.ts";

export const KT007: Rule = {
  code: "KT007",
  name: "duplicate-object",
  severity: "error",
  needs: "graph",
  fix: "no",
  title: "two documents of the same kind, namespace and name",
  why: "The one applied later overwrites the other. Which that is depends on the order of the files, and reading the other one tells nothing about the cluster.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
kind: Service
apiVersion: v1
metadata: {name: web-admin}
spec: {selector: {app: web}, ports: [{port: 8080}]}
`,
  },
  check: function* ({ written }) {
    const last = new Map<string, Written>();
    for (const each of written) {
      const key = identityOf(each);
      if (key === undefined) continue;
      const earlier = last.get(key);
      last.set(key, each);
      if (earlier === undefined) continue;
      const ref = refOfWritten(each);
      yield {
        message: `${ref.kind} ${nameOf(ref)} is written twice: this one stands`,
        at: { source: each.source, field: ["metadata", "name"] },
        label: "overwrites the other",
        related: [{ at: { source: earlier.source, field: ["metadata", "name"] }, label: "this one is overwritten" }],
        help: "remove one, or give it another name or namespace",
        about: [ref],
      };
    }
  },
};

/** Undefined for an object that is new each time (generateName), or has no name at all. */
function identityOf(each: Written): string | undefined {
  const { kind, namespace, name } = refOfWritten(each);
  const metadata = isFields(each.value.metadata) ? each.value.metadata : {};
  if (name === "" || kind === "" || Object.hasOwn(metadata, "generateName")) return undefined;
  return JSON.stringify([kind, namespace, name]);
}
