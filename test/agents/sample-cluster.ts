/**
 * The reference cluster of fixtures/tomcat6 as a decided value, written by hand: three nodes with two NICs each, flannel, four
 * pods on the pod network, two with hostNetwork. Tests change what they are about.
 */
import { programNetwork } from "../../src/agents/network.ts";
import type {
  Cluster,
  ClusterNode,
  ClusterPod,
  ClusterService,
  MachineInterface,
  OutsideHost,
  PodListen,
} from "../../src/cluster/cluster.ts";
import type { Netns, World } from "../../src/linux/netns.ts";
import { type Cidr, parseCidr } from "../../src/net/address.ts";
import type { Container } from "../../src/objects/api.ts";
import { type CauseTable, createCauseTable } from "../../src/objects/cause.ts";
import { invariant } from "../../src/objects/diagnostic.ts";
import type { Source } from "../../src/objects/source.ts";

export const TOPOLOGY: Source = { file: "topology.yaml", offset: 0, path: [] };
export const MANIFEST: Source = { file: "pods.yaml", offset: 0, path: [] };

export function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  invariant(parsed, `${text} is a prefix`);
  return parsed;
}

export const nic = (name: string, addresses: readonly string[], mac = "08:00:27:00:00:01", up = true): MachineInterface => ({
  name,
  mac,
  mtu: 1500,
  up,
  addresses: addresses.map(cidr),
  origin: { source: TOPOLOGY, field: ["spec", "nodes", 0, "interfaces", name] },
});

export function sampleNode(index: number, over: Partial<ClusterNode> = {}): ClusterNode {
  const [last, tunnelMac] = (
    [
      [4, "ca:a6:99:19:fb:79"],
      [5, "ae:94:26:72:29:07"],
      [15, "4a:b3:98:6b:68:1b"],
    ] as const
  )[index - 1] ?? [50 + index, "02:00:00:00:00:01"];
  return {
    kind: "node",
    name: `k8s-node${index}`,
    aliases: [`node${index}`],
    interfaces: [
      nic("eth0", [`10.0.2.${last}/24`], `08:00:27:00:00:0${index}`),
      nic("eth1", [`192.168.56.${99 + index}/24`], `08:00:27:00:01:0${index}`),
      nic("docker0", ["172.17.0.1/16"], "02:42:00:00:00:01", false),
      nic("flannel.1", [], tunnelMac),
    ],
    routes: [{ to: "default", via: "10.0.2.2" }],
    hostsFile: [],
    listens: [],
    sysctls: {},
    internalIPs: [`10.0.2.${last}`],
    podCIDRs: [cidr(`10.244.${index - 1}.0/24`)],
    labels: {},
    taints: [],
    unschedulable: false,
    ready: true,
    nodeInfo: {},
    roles: index === 1 ? ["control-plane"] : [],
    ...over,
  };
}

export const sampleHost = (over: Partial<OutsideHost> = {}): OutsideHost => ({
  kind: "host",
  name: "client",
  aliases: [],
  interfaces: [nic("eth0", ["192.168.56.1/24"])],
  routes: [],
  hostsFile: [],
  listens: [{ port: 80, protocol: "TCP" }],
  sysctls: {},
  ...over,
});

export const container = (name: string, image: string, over: Partial<Container> = {}): Container => ({ name, image, ...over });
export const listen = (port: number, assumed = false): PodListen => ({ port, protocol: "TCP", assumed });

export function samplePod(name: string, node: number, ip: string, over: Partial<ClusterPod> = {}): ClusterPod {
  const containers = over.containers ?? [container("tomcat", "tomcat:6.0.53-jre8")];
  return {
    namespace: "default",
    name,
    labels: {},
    annotations: {},
    spec: { containers },
    containers,
    node: `k8s-node${node}`,
    ips: [ip],
    hostNetwork: false,
    phase: "Running",
    ready: true,
    terminating: false,
    dead: false,
    listens: [listen(8080, true)],
    origin: { source: MANIFEST, field: [] },
    restarts: 0,
    ...over,
  };
}

const ingress = (name: string, node: number, ip: string): ClusterPod =>
  samplePod(name, node, ip, {
    namespace: "ingress-nginx",
    hostNetwork: true,
    containers: [
      container("nginx-ingress-controller", "siriuszg/nginx-ingress-controller:0.20.0", {
        ports: [{ containerPort: 80 }, { containerPort: 443 }],
      }),
    ],
    listens: [listen(80), listen(443)],
  });

/** The pods of the reference cluster; coredns is on the control-plane node. */
export const samplePods: readonly ClusterPod[] = [
  samplePod("nginx", 2, "10.244.1.15", { containers: [container("nginx", "nginx")], listens: [listen(80, true)] }),
  samplePod("tomcat6-5f7ccf4cb9-8jxz7", 2, "10.244.1.11"),
  samplePod("tomcat6-5f7ccf4cb9-gbtt5", 3, "10.244.2.10"),
  samplePod("tomcat6-5f7ccf4cb9-hvxs5", 3, "10.244.2.11"),
  ingress("nginx-ingress-controller-jj88x", 2, "10.0.2.5"),
  ingress("nginx-ingress-controller-k2d4n", 3, "10.0.2.15"),
  samplePod("coredns-7f9c544f75-n4z6r", 1, "10.244.0.9", {
    namespace: "kube-system",
    containers: [container("coredns", "coredns:1.6.5")],
    listens: [listen(53)],
  }),
  samplePod("coredns-7f9c544f75-w4wqm", 1, "10.244.0.8", {
    namespace: "kube-system",
    containers: [container("coredns", "coredns:1.6.5")],
    listens: [listen(53)],
  }),
];

export const sampleService = (name: string, over: Partial<ClusterService> = {}): ClusterService => ({
  namespace: "default",
  name,
  labels: {},
  annotations: {},
  type: "ClusterIP",
  clusterIPs: ["10.96.0.7"],
  ipFamilies: ["IPv4"],
  ports: [{ index: 0, name: "", protocol: "TCP", port: 80, targetPort: 8080 }],
  externalIPs: [],
  internalTrafficPolicy: "Cluster",
  sessionAffinity: "None",
  affinityTimeoutSeconds: 10800,
  loadBalancerSourceRanges: [],
  loadBalancerIngress: [],
  publishNotReadyAddresses: false,
  ...over,
});

export const sampleCluster = (over: Partial<Cluster> = {}): Cluster => ({
  version: { major: 1, minor: 36, text: "1.36" },
  clusterDomain: "cluster.local",
  podCIDRs: [cidr("10.244.0.0/16")],
  serviceCIDRs: [cidr("10.96.0.0/12")],
  nodePortRange: { from: 30000, to: 32767 },
  clusterDNS: ["10.96.0.10"],
  kubeProxy: { mode: "iptables", clusterCIDR: "10.244.0.0/16" },
  cni: { plugin: "flannel", backend: "vxlan" },
  ingressControllers: [],
  dnsRecords: [],
  nodes: [sampleNode(1), sampleNode(2), sampleNode(3)],
  hosts: [sampleHost()],
  namespaces: [],
  workloads: [],
  pods: samplePods,
  services: [],
  slices: [],
  endpoints: [],
  ingresses: [],
  ingressClasses: [],
  configMaps: [],
  events: [],
  assumptions: [],
  diagnostics: [],
  ...over,
});

/** The cluster's world, and a lookup that must succeed. */
export function program(over: Partial<Cluster> = {}): {
  readonly world: World;
  readonly causes: CauseTable;
  readonly netns: (id: string) => Netns;
} {
  const causes = createCauseTable();
  const world = programNetwork(sampleCluster(over), causes);
  return {
    world,
    causes,
    netns: (id) => {
      const found = world.netns(id);
      invariant(found, `there is a netns ${id}`);
      return found;
    },
  };
}
