/** KT802: a backend of a Gateway API route that is not there. The objects of that API are not read yet. */
import type { PlannedRule } from "../rule.ts";

export const KT802: PlannedRule = {
  code: "KT802",
  name: "gateway-backend-invalid",
  severity: "error",
  needs: "graph",
  fix: "suggest",
  title: "an HTTPRoute's backend that is not there, or may not be used",
  why: "The gateway answers 500 for every request that falls to that backend, as the Gateway API demands.",
  bad: {
    manifests: `kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1
metadata: {name: r}
spec: {rules: [{backendRefs: [{name: web, port: 8080}]}]}
`,
  },
  good: {
    manifests: `kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1
metadata: {name: r}
spec: {rules: [{backendRefs: [{name: web, port: 80}]}]}
`,
  },
  planned: "objects of the Gateway API are passed over when manifests are read",
};
