/** KT801: a route of the Gateway API that no Gateway takes. The objects of that API are not read yet. */
import type { PlannedRule } from "../rule.ts";

export const KT801: PlannedRule = {
  code: "KT801",
  name: "gateway-route-not-attached",
  severity: "error",
  needs: "graph",
  fix: "suggest",
  title: "an HTTPRoute that no Gateway takes",
  why: "A route whose parent is not there, or does not want it, is ignored: the gateway answers 404.",
  bad: {
    manifests: `kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1
metadata: {name: r}
spec: {parentRefs: [{name: gwx}], rules: [{backendRefs: [{name: web, port: 80}]}]}
`,
  },
  good: {
    manifests: `kind: Gateway
apiVersion: gateway.networking.k8s.io/v1
metadata: {name: gw}
spec: {gatewayClassName: nginx, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1
metadata: {name: r}
spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: web, port: 80}]}]}
`,
  },
  planned: "objects of the Gateway API are passed over when manifests are read",
};
