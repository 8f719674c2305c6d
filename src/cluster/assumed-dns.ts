/**
 * The cluster's DNS where the input is silent about it: kubeadm's CoreDNS, two replicas behind the Service kube-dns
 * (kubeadm/app/phases/addons/dns/manifests.go). People bring their application's manifests, and every cluster has a DNS. It
 * is laid over the decided cluster, so that no other pod moves. Where a live dump lists kube-system, what is not there is not.
 */
import { type Cidr, cidrContains, cidrSize, type Ip, nthAddress } from "../net/address.ts";
import type { ApiObject, Labels } from "../objects/api.ts";
import type { Cluster, ClusterEndpoint, ClusterNode, ClusterPod, ClusterService, ClusterSlice, Origin } from "./cluster.ts";
import { byNamespaceAndName } from "./order.ts";
import { drawSuffix, templateHash } from "./synthetic.ts";

const ABOUT = "the cluster's DNS";
const LABELS: Labels = { "k8s-app": "kube-dns" };
const PORTS = [
  { name: "dns", protocol: "UDP", port: 53 },
  { name: "dns-tcp", protocol: "TCP", port: 53 },
  { name: "metrics", protocol: "TCP", port: 9153 },
] as const;
/** Nothing in the input says any of it. */
const NOWHERE: Origin = { source: { file: "", offset: 0, path: [] }, field: [] };

/** The cluster with an assumed DNS, or as it is. `objects`: the input's. */
export function withAssumedDns(cluster: Cluster, objects: readonly ApiObject[]): Cluster {
  const [address] = cluster.clusterDNS;
  if (address === undefined || !isFree(cluster, address) || listsKubeSystem(objects) || mentionsDns(objects)) return cluster;
  const nodes = cluster.nodes.filter((node) => node.ready && node.podCIDRs.length > 0);
  if (nodes.length === 0) return cluster;
  const taken = new Set(cluster.pods.flatMap((pod) => pod.ips));
  const pods = [0, 1].flatMap((i) => coreDnsPod(nodes[i % nodes.length], i, taken));
  const what = `kubeadm's CoreDNS, two pods behind Service kube-system/kube-dns ${address}: kube-system is not in the input`;
  return {
    ...cluster,
    pods: [...cluster.pods, ...pods].sort(byNamespaceAndName),
    services: [...cluster.services, kubeDns(address)].sort(byNamespaceAndName),
    slices: [...cluster.slices, sliceOf(pods)].sort(byNamespaceAndName),
    endpoints: [...cluster.endpoints, endpointsOf(pods)].sort(byNamespaceAndName),
    assumptions: [...cluster.assumptions, { about: ABOUT, what, key: "spec.kubernetes.clusterDNS" }],
  };
}

/** Whether the DNS of this cluster is an assumed one. */
export const hasAssumedDns = ({ assumptions }: Cluster): boolean => assumptions.some(({ about }) => about === ABOUT);

/** An address of the Service range that no Service of the input has: that of a node-local cache is not ours to give. */
const isFree = (cluster: Cluster, address: Ip): boolean =>
  cluster.serviceCIDRs.some((cidr) => cidrContains(cidr, address)) &&
  !cluster.services.some(
    ({ namespace, name, clusterIPs }) => clusterIPs.includes(address) || (namespace === "kube-system" && name === "kube-dns"),
  );

/** A running pod of kube-system is from a live cluster; then its DNS would be listed too. */
const listsKubeSystem = (objects: readonly ApiObject[]): boolean =>
  objects.some(
    (object) =>
      object.kind === "Pod" &&
      object.metadata.namespace === "kube-system" &&
      (object.metadata.uid !== undefined || object.status?.podIP !== undefined),
  );

/** Someone wrote the DNS down: what there is of it is all there is. */
const mentionsDns = (objects: readonly ApiObject[]): boolean =>
  objects.some((object) => {
    if (object.metadata.namespace !== "kube-system" || object.kind === "ConfigMap") return false;
    return object.metadata.labels?.["k8s-app"] === "kube-dns" || object.metadata.name === "coredns" || object.metadata.name === "kube-dns";
  });

function coreDnsPod(node: ClusterNode | undefined, index: number, taken: Set<Ip>): ClusterPod[] {
  if (!node) return [];
  const hash = templateHash("kube-system/coredns");
  const ips = node.podCIDRs.flatMap((cidr) => freeAddress(cidr, taken));
  const listens = [...PORTS, { protocol: "TCP", port: 8080 } as const, { protocol: "TCP", port: 8181 } as const];
  return [
    {
      namespace: "kube-system",
      name: `coredns-${hash}-${drawSuffix(`kube-system/coredns/${index}`)}`,
      labels: { ...LABELS, "pod-template-hash": hash },
      annotations: {},
      spec: { containers: [CONTAINER], dnsPolicy: "Default" },
      containers: [CONTAINER],
      node: node.name,
      ips,
      hostNetwork: false,
      phase: "Running",
      ready: true,
      terminating: false,
      dead: false,
      listens: listens.map(({ port, protocol }) => ({ port, protocol, assumed: false })),
      owner: { kind: "ReplicaSet", name: `coredns-${hash}` },
      workload: { kind: "Deployment", name: "coredns" },
      origin: NOWHERE,
      restarts: 0,
    },
  ];
}

const CONTAINER = {
  name: "coredns",
  image: "coredns",
  ports: PORTS.map(({ name, protocol, port }) => ({ name, protocol, containerPort: port })),
};

/** The next address that nobody has, from .2 up as host-local counts; it is then taken. */
function freeAddress(cidr: Cidr, taken: Set<Ip>): Ip[] {
  for (let n = 2n; n < cidrSize(cidr) - 1n; n++) {
    const ip = nthAddress(cidr, n);
    if (taken.has(ip)) continue;
    taken.add(ip);
    return [ip];
  }
  return [];
}

function kubeDns(address: Ip): ClusterService {
  return {
    namespace: "kube-system",
    name: "kube-dns",
    labels: { ...LABELS, "kubernetes.io/name": "CoreDNS" },
    annotations: {},
    type: "ClusterIP",
    selector: LABELS,
    clusterIPs: [address],
    ipFamilies: [address.includes(":") ? "IPv6" : "IPv4"],
    ipFamilyPolicy: "SingleStack",
    ports: PORTS.map((port, index) => ({ ...port, index, targetPort: port.port })),
    externalIPs: [],
    internalTrafficPolicy: "Cluster",
    sessionAffinity: "None",
    affinityTimeoutSeconds: 10800,
    loadBalancerSourceRanges: [],
    loadBalancerIngress: [],
    publishNotReadyAddresses: false,
  };
}

const familyOfPods = (pods: readonly ClusterPod[]): "IPv4" | "IPv6" => (pods[0]?.ips[0]?.includes(":") ? "IPv6" : "IPv4");

function sliceOf(pods: readonly ClusterPod[]): ClusterSlice {
  return {
    namespace: "kube-system",
    name: `kube-dns-${drawSuffix("kube-system/kube-dns")}`,
    service: "kube-dns",
    labels: { "kubernetes.io/service-name": "kube-dns", "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io" },
    addressType: familyOfPods(pods),
    ports: [...PORTS],
    endpoints: pods.map(
      ({ namespace, name, node, ips }): ClusterEndpoint => ({
        addresses: ips.slice(0, 1),
        ready: true,
        serving: true,
        terminating: false,
        ...(node === undefined ? {} : { nodeName: node }),
        pod: { namespace, name },
      }),
    ),
  };
}

function endpointsOf(pods: readonly ClusterPod[]): Cluster["endpoints"][number] {
  return {
    namespace: "kube-system",
    name: "kube-dns",
    subsets: [
      {
        addresses: pods.flatMap(({ namespace, name, node, ips: [ip] }) =>
          ip === undefined ? [] : [{ ip, ...(node === undefined ? {} : { nodeName: node }), pod: { namespace, name } }],
        ),
        notReadyAddresses: [],
        ports: [...PORTS],
      },
    ],
  };
}
