/** What a dump's ConfigMaps, flags, annotations and custom resources say of the cluster, as topology keys. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readInput } from "../../src/manifests/input.ts";

const read = (text: string) => readInput({ files: ["-"], cwd: ".", stdin: () => text });

const config = (namespace: string, name: string, key: string, text: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: ${namespace}}\ndata:\n  ${key}: |\n${indent(text)}\n`;
const indent = (text: string): string =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
const daemonSet = (name: string, container = "{name: c, image: x}"): string =>
  `apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: ${name}, namespace: kube-system}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [${container}]}}}\n`;
const daemonPod = (set: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${set}-x7k2p, namespace: kube-system, ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: ${set}, controller: true}]}\nspec: {containers: [{name: c}]}\nstatus: {hostIP: 10.0.0.1, podIP: 10.0.0.1}\n`;
const component = (name: string, flags: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}-n1, namespace: kube-system, labels: {component: ${name}}}\nspec: {hostNetwork: true, nodeName: n1, containers: [{name: c, image: "registry.example:5000/${name}:v1.29.4", command: [${name}, ${flags}]}]}\n`;
const node = (name: string, rest: string, annotations = ""): string =>
  `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}${annotations && `, annotations: {${annotations}}`}}\n${rest}\n`;
const all = (...documents: readonly string[]): string => documents.join("---\n");

const CLUSTER = `apiServer:
  extraArgs: ARGS
kind: ClusterConfiguration
kubernetesVersion: v1.34.2
networking: {dnsDomain: corp.test, podSubnet: "10.1.0.0/16,fd01::/48", serviceSubnet: 10.2.0.0/16}
`;
const KUBERNETES: readonly { readonly name: string; readonly input: string; readonly says: Readonly<Record<string, unknown>> }[] = [
  {
    name: "kubeadm's ClusterConfiguration, extraArgs as a list (v1beta4)",
    input: config(
      "kube-system",
      "kubeadm-config",
      "ClusterConfiguration",
      CLUSTER.replace("ARGS", "[{name: service-node-port-range, value: 80-32767}]"),
    ),
    says: {
      version: "1.34.2",
      clusterDomain: "corp.test",
      podCIDRs: ["10.1.0.0/16", "fd01::/48"],
      serviceCIDRs: ["10.2.0.0/16"],
      nodePortRange: "80-32767",
    },
  },
  {
    name: "the same with extraArgs as a map (v1beta3)",
    input: config("kube-system", "kubeadm-config", "ClusterConfiguration", CLUSTER.replace("ARGS", "{service-node-port-range: 8000-9000}")),
    says: {
      version: "1.34.2",
      clusterDomain: "corp.test",
      podCIDRs: ["10.1.0.0/16", "fd01::/48"],
      serviceCIDRs: ["10.2.0.0/16"],
      nodePortRange: "8000-9000",
    },
  },
  {
    name: "the flags of the control plane's static pods, where kubeadm's ConfigMap is not in the input",
    input: all(
      component("kube-apiserver", "--service-cluster-ip-range=10.3.0.0/16, --service-node-port-range=30000-31000"),
      component("kube-controller-manager", "--cluster-cidr, 10.4.0.0/16"),
    ),
    says: { version: "1.29.4", podCIDRs: ["10.4.0.0/16"], serviceCIDRs: ["10.3.0.0/16"], nodePortRange: "30000-31000" },
  },
  {
    name: "kubelets' configuration, under its name of before 1.24 too",
    input: config("kube-system", "kubelet-config-1.21", "kubelet", "clusterDNS: [10.3.0.10]\nclusterDomain: old.test\n"),
    says: { clusterDomain: "old.test", clusterDNS: ["10.3.0.10"] },
  },
  {
    name: "the address of a live cluster's Service kube-dns",
    input:
      "apiVersion: v1\nkind: Service\nmetadata: {name: kube-dns, namespace: kube-system, uid: x}\nspec: {clusterIP: 10.43.0.10, ports: [{port: 53}]}\n",
    says: { clusterDNS: ["10.43.0.10"] },
  },
  {
    name: "a ServiceCIDR object",
    input: "apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: kubernetes}\nspec: {cidrs: [10.9.0.0/16]}\n",
    says: { serviceCIDRs: ["10.9.0.0/16"] },
  },
  {
    name: "the oldest kubelet's release, as numbers",
    input: all(node("n1", "status: {nodeInfo: {kubeletVersion: v1.30.2}}"), node("n2", "status: {nodeInfo: {kubeletVersion: v1.9.11}}")),
    says: { version: "1.9.11" },
  },
  {
    name: "nothing of what is no address or range",
    input: all(
      config("kube-system", "kubelet-config", "kubelet", "clusterDNS: [here]\n"),
      config("kube-system", "kubeadm-config", "ClusterConfiguration", "networking: {podSubnet: everywhere}\nkubernetesVersion: stable\n"),
    ),
    says: {},
  },
];
for (const { name, input, says } of KUBERNETES) {
  test(`kubernetes: ${name}`, () => assert.deepEqual(read(input).topology.kubernetes ?? {}, says));
}

const FLANNEL = '{"Network": "10.5.0.0/16", "Backend": {"Type": "vxlan", "VNI": 7, "Port": 4789, "DirectRouting": true, "Other": 1}}';
const CNIS: readonly {
  readonly name: string;
  readonly input: string;
  readonly cni: Readonly<Record<string, unknown>>;
  readonly podCIDRs?: readonly string[];
  readonly mode?: string;
  readonly warns?: readonly string[];
}[] = [
  {
    name: "flannel: net-conf.json and the conflist",
    input: all(
      daemonSet("kube-flannel-ds", '{name: kube-flannel, image: flannel, args: [--ip-masq, "--iface=eth1"]}'),
      config("kube-flannel", "kube-flannel-cfg", "net-conf.json", FLANNEL).replace(
        /$/,
        '  cni-conf.json: \'{"plugins": [{"type": "flannel", "delegate": {"hairpinMode": false}}]}\'\n',
      ),
    ),
    cni: {
      plugin: "flannel",
      backend: "vxlan",
      VNI: 7,
      Port: 4789,
      DirectRouting: true,
      hairpinMode: false,
      portmap: false,
      iface: "eth1",
    },
    podCIDRs: ["10.5.0.0/16"],
  },
  {
    name: "flannel inside another process: its nodes' annotations",
    input: node("n1", "spec: {}", "flannel.alpha.coreos.com/backend-type: host-gw"),
    cni: { plugin: "flannel", backend: "host-gw" },
  },
  {
    name: "Calico: the enabled pools and Felix",
    input: all(
      daemonPod("calico-node"),
      "apiVersion: crd.projectcalico.org/v1\nkind: IPPool\nmetadata: {name: old}\nspec: {cidr: 10.7.0.0/16, disabled: true}\n",
      "apiVersion: crd.projectcalico.org/v1\nkind: IPPool\nmetadata: {name: pool}\nspec: {cidr: 10.6.0.0/16, ipipMode: CrossSubnet, blockSize: 26, natOutgoing: true}\n",
      "apiVersion: crd.projectcalico.org/v1\nkind: FelixConfiguration\nmetadata: {name: default}\nspec: {bpfEnabled: false, logSeverityScreen: Info}\n",
    ),
    cni: { plugin: "calico", ipipMode: "CrossSubnet", blockSize: 26, natOutgoing: true, bpfEnabled: false },
    podCIDRs: ["10.6.0.0/16"],
  },
  {
    name: "Calico's eBPF data plane serves Services itself",
    input: all(
      daemonSet("calico-node"),
      "apiVersion: projectcalico.org/v3\nkind: FelixConfiguration\nmetadata: {name: default}\nspec: {bpfEnabled: true}\n",
    ),
    cni: { plugin: "calico", bpfEnabled: true, replacesKubeProxy: true },
    mode: "none",
  },
  {
    name: "Cilium beside kube-proxy",
    input: all(
      daemonSet("cilium"),
      daemonSet("kube-proxy"),
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config, namespace: kube-system}\ndata: {routing-mode: tunnel, tunnel-protocol: geneve, kube-proxy-replacement: 'false', cluster-pool-ipv4-cidr: 10.0.0.0/8}\n",
    ),
    cni: { plugin: "cilium", "routing-mode": "tunnel", "tunnel-protocol": "geneve", "kube-proxy-replacement": "false" },
    podCIDRs: ["10.0.0.0/8"],
  },
  {
    name: "Cilium in kube-proxy's place",
    input: all(
      daemonSet("cilium"),
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config, namespace: kube-system}\ndata: {kube-proxy-replacement: 'true'}\n",
    ),
    cni: { plugin: "cilium", "kube-proxy-replacement": "true", replacesKubeProxy: true },
    mode: "none",
  },
  {
    name: "kindnet",
    input: daemonSet("kindnet", "{name: kindnet-cni, image: x, env: [{name: POD_SUBNET, value: 10.244.0.0/16}]}"),
    cni: { plugin: "kindnet" },
    podCIDRs: ["10.244.0.0/16"],
  },
  ...["weave-net weave", "kube-router kube-router", "aws-node aws-vpc-cni", "antrea-agent antrea", "canal canal"].map((line) => {
    const [daemon = "", plugin = ""] = line.split(" ");
    return { name: `DaemonSet ${daemon}`, input: daemonPod(daemon), cni: { plugin } };
  }),
  {
    name: "two at once: none is believed",
    input: all(daemonSet("calico-node"), daemonSet("kube-flannel-ds")),
    cni: { plugin: "calico+flannel" },
    warns: ["several-network-plugins"],
  },
  {
    name: "pods of kube-system without any",
    input: daemonPod("node-exporter"),
    cni: { plugin: "unrecognised" },
    warns: ["network-plugin-unknown"],
  },
  { name: "no word of it", input: node("n1", "spec: {}"), cni: {} },
];
for (const { name, input, cni, podCIDRs, mode, warns = [] } of CNIS) {
  test(`network plugin: ${name}`, () => {
    const { topology, diagnostics } = read(input);
    assert.deepEqual(topology.cni ?? {}, cni);
    assert.deepEqual(topology.kubernetes?.podCIDRs, podCIDRs);
    assert.deepEqual(topology.kubeProxy?.mode, mode);
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity === "warning").map(({ code }) => code),
      warns,
    );
  });
}

test("what the topology says wins, key by key", () => {
  const { topology } = read(
    all(
      "apiVersion: ktrace.dev/v1alpha1\nkind: Topology\nspec: {kubernetes: {version: '1.30'}, cni: {plugin: flannel, VNI: 3}}\n",
      config("kube-system", "kubeadm-config", "ClusterConfiguration", CLUSTER.replace("ARGS", "[]")),
      daemonSet("calico-node"),
    ),
  );
  assert.deepEqual([topology.kubernetes?.version, topology.kubernetes?.clusterDomain], ["1.30", "corp.test"]);
  assert.deepEqual(topology.cni, { plugin: "flannel", VNI: 3 });
});
