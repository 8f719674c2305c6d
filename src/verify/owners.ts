/**
 * Whose chain a name is, and what usually happened when something of it is missing or should not be there. Sources of the
 * names: kubernetes pkg/proxy and pkg/kubelet, flannel, the CNI plugins portmap and bridge, libnetwork, firewalld, ufw, Calico.
 */
import type { Target } from "../linux/netfilter/rule.ts";

export type Agent = "kube-proxy" | "kubelet" | "flanneld" | "the CNI plugin";

/** The daemon of the prediction that writes the chain. */
export function agentOfChain(chain: string): Agent | undefined {
  if (/^KUBE-(KUBELET-|FIREWALL$|MARK-DROP$|IPTABLES-HINT$)/.test(chain)) return "kubelet";
  if (chain.startsWith("KUBE-")) return "kube-proxy";
  if (chain.startsWith("FLANNEL-")) return "flanneld";
  if (chain.startsWith("CNI-")) return "the CNI plugin";
  return undefined;
}

const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/^DOCKER/, "Docker"],
  [/^(cali-|cali)/, "Calico"],
  [/^CILIUM/, "Cilium"],
  [/^WEAVE/, "Weave"],
  [/^ufw6?-/, "ufw"],
  [/^(IN|FWD|FWDI|FWDO|PRE|POST|OUTPUT|FORWARD|INPUT)_(direct|public|trusted|internal|ZONES|POLICIES|docker)/, "firewalld"],
  [/^(LIBVIRT|BRIDGE-VIRT)/, "libvirt"],
  [/^f2b-/, "fail2ban"],
  [/^(ISTIO|PROXY_INIT)/, "a service mesh"],
];

export const ownerOfForeign = (chain: string): string | undefined => FOREIGN.find(([pattern]) => pattern.test(chain))?.[1];

/** Chains in which kube-proxy has one rule a Service: their order among each other carries no meaning. */
export const isDispatch = (chain: string): boolean =>
  /^(KUBE-(SERVICES|NODEPORTS|EXTERNAL-SERVICES|PROXY-FIREWALL)|CNI-HOSTPORT-(DNAT|SETMARK))$/.test(chain);
/** Chains that choose an endpoint evenly, so that the order of the endpoints carries none. */
export const isBalancer = (chain: string): boolean => /^KUBE-(SVC|SVL|XLB)-/.test(chain);
/** Chains whose only purpose is to be noticed when they vanish; packets never see them. */
export const isCanary = (chain: string): boolean => /-CANARY$/.test(chain) || chain === "KUBE-IPTABLES-HINT";

const RUNNING: Readonly<Record<Agent, string>> = {
  "kube-proxy": "is kube-proxy running on this node, and does it reach the API server? kubectl -n kube-system logs -l k8s-app=kube-proxy",
  kubelet: "is the kubelet running on this node? systemctl status kubelet",
  flanneld: "is flanneld running on this node? kubectl -n kube-flannel logs -l app=flannel",
  "the CNI plugin": "did the CNI plugin set up this pod? See the kubelet's log for CNI errors",
};

/** Why a predicted rule may be missing. `target`: where it leads. */
export function whyRuleMissing(chain: string, target: Target): string {
  const leads = target.kind === "jump" || target.kind === "goto" ? target.chain : "";
  if (isBalancer(chain) && leads.startsWith("KUBE-SEP-"))
    return "this endpoint is missing: is the pod ready (kubectl get endpointslices), and is kube-proxy up to date?";
  if (isDispatch(chain) && /^KUBE-(SVC|SVL|EXT|FW|XLB)-/.test(leads))
    return `this Service's rule is missing: kube-proxy has not seen it; ${RUNNING["kube-proxy"]}`;
  const agent = agentOfChain(chain) ?? agentOfChain(leads);
  if (agent === undefined) return "it is one of the node's own rules in the topology (nodes[].iptables), and this node does not have it";
  const flushed = agentOfChain(chain) === undefined ? "; or something flushed the chain (iptables -F, a firewall's reload)" : "";
  return `this rule is missing: ${RUNNING[agent]}${flushed}`;
}

/** Why a whole chain of an agent may be missing. */
export const whyChainMissing = (chain: string): string => {
  const agent = agentOfChain(chain);
  return agent === undefined
    ? "it is one of the node's own chains in the topology (nodes[].iptables)"
    : `this chain is missing: ${RUNNING[agent]}`;
};

/** Why a rule or chain of an agent may be there although it was not predicted. */
export function whyUnexpected(chain: string, target?: Target): string {
  const leads = target && (target.kind === "jump" || target.kind === "goto") ? target.chain : "";
  if (chain.startsWith("KUBE-SEP-") || leads.startsWith("KUBE-SEP-"))
    return "a stale endpoint: the manifests have no such pod, or its pod is gone and kube-proxy has not noticed (is it running?)";
  if (/^KUBE-(SVC|SVL|EXT|FW|XLB)-/.test(chain) || /^KUBE-(SVC|SVL|EXT|FW|XLB)-/.test(leads))
    return "a Service that the manifests do not have, or one that was deleted and kube-proxy has not noticed (is it running?)";
  const agent = agentOfChain(chain) ?? agentOfChain(leads);
  return agent === undefined
    ? "a rule of the node's own: give the node's rules in the topology (nodes[].iptables) and the prediction has them too"
    : `${agent} of another version or with other settings: check kubernetes.version, kubeProxy and cni in the topology`;
}

export const whyPolicy = (found: string): string =>
  found === "DROP"
    ? "dockerd sets FORWARD to DROP when it starts, and so do firewalls; what no rule accepts is then dropped"
    : "the topology gives the node a policy (nodes[].iptables) that it does not have";
