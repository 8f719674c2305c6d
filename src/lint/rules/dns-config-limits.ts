/** KT705: dnsPolicy and dnsConfig as the API server limits them (validatePodDNSConfig). */
import { refusalFinding } from "../refusal-findings.ts";
import type { Rule } from "../rule.ts";

export const KT705: Rule = {
  code: "KT705",
  name: "dns-config-limits",
  severity: "error",
  needs: "object",
  fix: "no",
  title: "a pod's DNS settings that the API server refuses",
  why: "The pod is not created. The limits are those of resolv.conf: three name servers, 32 search domains, 2048 characters; and dnsPolicy None needs a server of its own.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: d, labels: {app: d}}
spec: {dnsPolicy: None, containers: [{name: c, image: x}]}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: d, labels: {app: d}}
spec: {dnsPolicy: None, dnsConfig: {nameservers: [10.96.0.10]}, containers: [{name: c, image: x}]}
`,
  },
  check: function* (subject) {
    for (const refusal of subject.refusals()) if (refusal.violation.code === "KT705") yield refusalFinding(refusal);
  },
};
