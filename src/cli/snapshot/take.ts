/**
 * A dump of what ktrace reads, by three questions to kubectl: which kinds the server has, the objects of those, and the
 * ConfigMaps that say how the network is set up. Nobody's own ConfigMaps and no Secret are ever asked for.
 */
import { type Diagnostic, UsageError } from "../../objects/diagnostic.ts";
import type { Fields } from "../../objects/record.ts";
import { cleanItems } from "./clean.ts";
import { type Answer, complaintOf, type Kubectl } from "./kubectl.ts";

/** By their full names, so that no custom resource of the same short name comes instead. In the order of the dump. */
const CLUSTER_KINDS = [
  "nodes",
  "namespaces",
  "ingressclasses.networking.k8s.io",
  "servicecidrs.networking.k8s.io",
  "ippools.crd.projectcalico.org",
  "felixconfigurations.crd.projectcalico.org",
];
const NAMESPACED_KINDS = [
  "pods",
  "services",
  "endpoints",
  "endpointslices.discovery.k8s.io",
  "ingresses.networking.k8s.io",
  "networkpolicies.networking.k8s.io",
  "deployments.apps",
  "replicasets.apps",
  "statefulsets.apps",
  "daemonsets.apps",
  "replicationcontrollers",
  "jobs.batch",
  "cronjobs.batch",
  "resourcequotas",
  "limitranges",
];
const CONFIG_MAPS: Readonly<Record<string, readonly string[]>> = {
  "kube-system": [
    "kube-proxy",
    "kube-proxy-config",
    "kubeadm-config",
    "kubelet-config",
    "coredns",
    "kube-flannel-cfg",
    "calico-config",
    "canal-config",
    "cilium-config",
  ],
  "kube-flannel": ["kube-flannel-cfg"],
};
/** What a dump of one namespace needs besides: the DNS, kube-proxy and the network plugin live there. */
const SYSTEM = ["kube-system", "kube-flannel", "calico-system"];

export type Snapshot = { readonly items: readonly Fields[]; readonly missing: readonly Diagnostic[] };

/** The objects of all namespaces, or of one and the system's. Fails when the cluster does not answer at all. */
export function takeSnapshot(kubectl: Kubectl, namespace: string | undefined): Snapshot {
  const served = servedKinds(kubectl);
  const [cluster, namespaced] = [CLUSTER_KINDS, NAMESPACED_KINDS].map((kinds) => kinds.filter((kind) => served.has(kind)).join(","));
  const scopes =
    namespace === undefined ? [["--all-namespaces"]] : [...new Set([namespace, ...SYSTEM])].map((name) => ["--namespace", name]);
  const answers = [
    ...(cluster ? [get(kubectl, [cluster])] : []),
    ...scopes.map((scope) => get(kubectl, [namespaced ?? "", ...scope])),
    ...Object.entries(CONFIG_MAPS).map(([name, maps]) => get(kubectl, ["configmaps", ...maps, "--namespace", name])),
  ];
  const items = answers.flatMap(({ list }) => cleanItems(list)).filter((item) => typeof item.kind === "string");
  const complaints = [...new Set(answers.flatMap(({ answer }) => (answer.ok ? [] : [complaintOf(answer.stderr)])))];
  if (items.length === 0) throw new UsageError(`kubectl got nothing from the cluster: ${complaints[0] ?? "it has no objects"}`);
  return {
    items,
    missing: complaints.map((message) => ({ code: "snapshot-incomplete", severity: "warning", message: `kubectl: ${message}` })),
  };
}

/** `kubectl api-resources -o name`: newer and older servers have other kinds, and one unknown kind spoils a whole `get`. */
function servedKinds(kubectl: Kubectl): ReadonlySet<string> {
  const { stdout, stderr, ok } = kubectl(["api-resources", "--verbs=list", "--output=name"]);
  const names = stdout.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
  // A broken aggregated API makes it fail, and the others are listed all the same.
  if (names.length === 0)
    throw new UsageError(
      `kubectl cannot list what the cluster has: ${complaintOf(stderr)}`,
      ok ? undefined : "is the cluster there, and the context the right one? `kubectl config get-contexts`",
    );
  return new Set(names);
}

type Got = { readonly list: unknown; readonly answer: Answer };

/** What one kind is forbidden or unknown to, the others are still printed. */
function get(kubectl: Kubectl, words: readonly string[]): Got {
  const answer = kubectl(["get", ...words, "--ignore-not-found", "--output=json"]);
  return { list: parsed(answer.stdout), answer };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // nothing found, or nothing allowed
  }
}
