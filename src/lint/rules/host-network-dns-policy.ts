/** KT704: on the node's network ClusterFirst means the node's resolv.conf (kubelet/network/dns, getPodDNSType). */
import { calledHosts, meaningOf, nameGround } from "../called-hosts.ts";
import { makerRef, podField, titleOf } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";

export const KT704: Rule = {
  code: "KT704",
  name: "host-network-dns-policy",
  severity: "warning",
  needs: "object",
  fix: "safe",
  title: "a pod on its node's network calls Services by name, and asks the node's DNS",
  why: "With hostNetwork the policy ClusterFirst, which is the default, gives the pod its node's resolv.conf: the name of a Service is NXDOMAIN there.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: agent, labels: {app: agent}}
spec: {hostNetwork: true, containers: [{name: c, image: x, env: [{name: URL, value: "http://tomcat6/"}]}]}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: agent, labels: {app: agent}}
spec: {hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet, containers: [{name: c, image: x, env: [{name: URL, value: "http://tomcat6/"}]}]}
`,
  },
  check: function* (subject) {
    const ground = nameGround(subject);
    const said = new Set<unknown>();
    for (const { maker, host, at, scheme } of calledHosts(subject)) {
      const { hostNetwork, dnsPolicy = "ClusterFirst", hostAliases = [] } = maker.spec;
      if (hostNetwork !== true || dnsPolicy !== "ClusterFirst" || said.has(maker)) continue;
      const isService = meaningOf(host, maker.namespace, ground).kind === "service";
      const isClusterName =
        host.endsWith(".svc") || host.endsWith(`.svc.${ground.domain}`) || (!host.includes(".") && scheme !== undefined);
      if ((!isService && !isClusterName) || hostAliases.some(({ hostnames = [] }) => hostnames.includes(host))) continue;
      said.add(maker);
      const isWritten = maker.spec.dnsPolicy !== undefined;
      const field = podField(maker, "spec", isWritten ? "dnsPolicy" : "hostNetwork");
      yield {
        message: `${titleOf(maker)} calls ${host}, but with hostNetwork and dnsPolicy ClusterFirst it asks its node's DNS, which knows no Services`,
        at: field,
        label: "the node's resolv.conf",
        related: [{ at, label: "the name that it calls" }],
        help: "write `dnsPolicy: ClusterFirstWithHostNet`",
        about: [makerRef(maker)],
        edits: isWritten
          ? [{ kind: "value", at: field, text: "ClusterFirstWithHostNet" }]
          : [{ kind: "insert", at: podField(maker, "spec"), text: "dnsPolicy: ClusterFirstWithHostNet" }],
      };
    }
  },
};
