/** KT607: modes of kube-proxy that came, go or are gone: userspace (removed in 1.26), ipvs (KEP-5495), nftables (KEP-3866). */
import type { Version } from "../../cluster/cluster.ts";
import { atLeast } from "../../cluster/version.ts";
import type { KubeProxyMode } from "../../objects/topology.ts";
import type { Mark } from "../finding.ts";
import { targetVersion } from "../refusals.ts";
import type { Rule } from "../rule.ts";
import type { Subject } from "../subject.ts";
import { topologyMark, topologyRef } from "../topology-faults.ts";

export const KT607: Rule = {
  code: "KT607",
  name: "kube-proxy-mode-deprecated",
  severity: "warning",
  needs: "object",
  fix: "suggest",
  title: "a kube-proxy mode that this release does not have, or will lose",
  why: "kube-proxy does not start in a mode that it does not know, and then no Service works on that node. One that is deprecated goes with an upgrade.",
  bad: {
    manifests: `kind: KubeProxyConfiguration
apiVersion: kubeproxy.config.k8s.io/v1alpha1
mode: ipvs
`,
  },
  good: {
    manifests: `kind: KubeProxyConfiguration
apiVersion: kubeproxy.config.k8s.io/v1alpha1
mode: nftables
`,
  },
  check: function* (subject) {
    const mode = subject.topology.kubeProxy?.mode;
    const at = modeMark(subject);
    const said = mode && advice(mode, targetVersion(subject.topology));
    if (!mode || !at || !said) return;
    yield {
      message: `kube-proxy: ${said.message}`,
      at,
      label: `this is Kubernetes ${targetVersion(subject.topology).text}`,
      help: `use mode ${said.instead}`,
      about: [topologyRef(subject)],
      ...(said.isGone ? { severity: "error" as const } : {}),
      ...(isInText(subject) ? {} : { edits: [{ kind: "value" as const, at, text: said.instead }] }),
    };
  },
};

type Said = { readonly message: string; readonly instead: "nftables" | "iptables"; readonly isGone: boolean };

function advice(mode: KubeProxyMode, version: Version): Said | undefined {
  const instead = atLeast(version, 1, 33) ? "nftables" : "iptables";
  const gone = (message: string): Said => ({ message, instead, isGone: true });
  if (mode === "userspace" && atLeast(version, 1, 26)) return gone("mode userspace was removed in 1.26");
  if (mode === "nftables" && !atLeast(version, 1, 29)) return gone("mode nftables came with 1.29");
  if (mode === "nftables" && !atLeast(version, 1, 31))
    return { message: "mode nftables is alpha before 1.31, behind the gate NFTablesProxyMode", instead, isGone: false };
  if (mode === "ipvs" && atLeast(version, 1, 35))
    return { message: "mode ipvs is deprecated since 1.35, and planned to be off from 1.40", instead, isGone: false };
  return undefined;
}

/** In the configuration that was read, or in the topology. A ConfigMap holds the whole as one text. */
function modeMark(subject: Subject): Mark | undefined {
  const { kubeProxySource: from } = subject.topology;
  if (!from) return topologyMark(subject, "kubeProxy", "mode");
  return from.field.length > 0 ? from : { source: from.source, field: ["mode"] };
}

const isInText = ({ topology: { kubeProxySource: from } }: Subject): boolean => (from?.field.length ?? 0) > 0;
