/** KT010: objects in a namespace that no manifest makes. */

import type { Written } from "../../manifests/objects.ts";
import { nearest } from "../../objects/near.ts";
import { fieldAt } from "../../objects/record.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOfWritten, type Subject } from "../subject.ts";

/** Every cluster has them. */
const ALWAYS: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public", "kube-node-lease"]);

export const KT010: Rule = {
  code: "KT010",
  name: "namespace-not-defined",
  severity: "warning",
  needs: "graph",
  fix: "no",
  title: "objects in a namespace that no manifest defines",
  why: "`kubectl apply` refuses the objects when the namespace is not there. Whether a policy's namespaceSelector means it cannot be known either, as its labels are nowhere written.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web, namespace: shpo}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Namespace
apiVersion: v1
metadata: {name: shop}
---
kind: Pod
apiVersion: v1
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: x, ports: [{containerPort: 8080}]}]}
---
kind: Service
apiVersion: v1
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  check: function* (subject) {
    const defined = definedNamespaces(subject);
    for (const [namespace, [first, ...others]] of undefinedNamespaces(subject, defined)) {
      const meant = nearest(namespace, [...defined].filter((name) => !ALWAYS.has(name)).sort(), (name) => name);
      const count = others.length + 1;
      yield {
        message: `no manifest defines the namespace ${namespace}, which ${first.value.kind} ${nameOf(refOfWritten(first))}${count > 1 ? ` and ${count - 1} more ${count === 2 ? "object" : "objects"}` : ""} ${count > 1 ? "are" : "is"} in`,
        at: { source: first.source, field: ["metadata", "namespace"] },
        label: meant[0] === undefined ? "no Namespace has this name" : `did you mean ${meant[0]}?`,
        help: "add the Namespace, or list the name under knownNamespaces in ktrace.yaml when something else makes it",
        about: [first, ...others].map(refOfWritten),
      };
    }
  },
};

function definedNamespaces({ of, options }: Subject): ReadonlySet<string> {
  return new Set([...ALWAYS, ...(options.knownNamespaces ?? []), ...of("Namespace").map(({ metadata }) => metadata.name)]);
}

/** Each with its objects. One that a server returned shows that its namespace exists. */
function undefinedNamespaces({ written }: Subject, defined: ReadonlySet<string>) {
  const found = new Map<string, [Written, ...Written[]]>();
  const seen = new Set<string>();
  for (const each of written) {
    const { namespace } = refOfWritten(each);
    if (namespace === undefined || defined.has(namespace)) continue;
    if (fieldAt(each.value, "metadata", "uid") !== undefined) seen.add(namespace);
    const known = found.get(namespace);
    if (known) known.push(each);
    else found.set(namespace, [each]);
  }
  return [...found].filter(([namespace]) => !seen.has(namespace));
}
