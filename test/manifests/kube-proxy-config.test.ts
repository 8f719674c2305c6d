/** kube-proxy's configuration out of the input: kubeadm's ConfigMap, a KubeProxyConfiguration, and what the topology says over both. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { decideCluster } from "../../src/cluster/decide.ts";
import { readInput } from "../../src/manifests/input.ts";

const made: string[] = [];
after(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

function read(files: Readonly<Record<string, string>>, topology?: string) {
  const cwd = mkdtempSync(join(tmpdir(), "ktrace-kube-proxy-"));
  made.push(cwd);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  if (topology !== undefined) writeFileSync(join(cwd, "topo.yaml"), `apiVersion: ktrace.dev/v1alpha1\nkind: Topology\nspec:\n${topology}`);
  const input = readInput({ files: Object.keys(files), cwd, ...(topology === undefined ? {} : { topology: "topo.yaml" }) });
  const cluster = decideCluster(input.objects, input.topology);
  return { input, cluster, said: [...input.diagnostics, ...cluster.diagnostics].map(({ code, message }) => `${code} ${message}`) };
}

const configMap = (config: string) => `apiVersion: v1
kind: ConfigMap
metadata: {name: kube-proxy, namespace: kube-system}
data:
  config.conf: |-
    apiVersion: kubeproxy.config.k8s.io/v1alpha1
    kind: KubeProxyConfiguration
${config.replace(/^/gm, "    ")}
  kubeconfig.conf: |-
    apiVersion: v1
`;

/** As kubeadm writes it: every key is there, most of them unset. */
const KUBEADM = `bindAddress: 0.0.0.0
bindAddressHardFail: false
clientConnection: {acceptContentTypes: "", burst: 0, contentType: "", kubeconfig: /var/lib/kube-proxy/kubeconfig.conf, qps: 0}
clusterCIDR: 10.244.0.0/16
configSyncPeriod: 0s
conntrack: {maxPerCore: null, min: null, tcpBeLiberal: false, tcpCloseWaitTimeout: null, tcpEstablishedTimeout: null, udpStreamTimeout: 0s, udpTimeout: 0s}
detectLocal: {bridgeInterface: "", interfaceNamePrefix: ""}
detectLocalMode: ""
enableProfiling: false
healthzBindAddress: ""
hostnameOverride: ""
iptables: {localhostNodePorts: null, masqueradeAll: false, masqueradeBit: null, minSyncPeriod: 0s, syncPeriod: 0s}
ipvs: {excludeCIDRs: null, minSyncPeriod: 0s, scheduler: "", strictARP: false, syncPeriod: 0s, tcpFinTimeout: 0s, tcpTimeout: 0s, udpTimeout: 0s}
logging: {flushFrequency: 0, options: {json: {infoBufferSize: "0"}}, verbosity: 0}
metricsBindAddress: ""
mode: ""
nftables: {masqueradeAll: false, masqueradeBit: null, minSyncPeriod: 0s, syncPeriod: 0s}
nodePortAddresses: null
oomScoreAdj: null
portRange: ""
showHiddenMetricsForVersion: ""
winkernel: {enableDSR: false, forwardHealthCheckVip: false, networkName: "", rootHnsEndpointName: "", sourceVip: ""}`;

test("kubeadm's own changes nothing but clusterCIDR", () => {
  const { cluster, said } = read({ "cm.yaml": configMap(KUBEADM) });
  assert.deepEqual(said, []);
  assert.deepEqual(
    [cluster.kubeProxy.mode, cluster.kubeProxy.clusterCIDR, cluster.kubeProxy.hostnameOverride],
    ["iptables", "10.244.0.0/16", undefined],
  );
});

test("what it sets is in force", () => {
  const set = `mode: ipvs\nclusterCIDR: 10.32.0.0/12\nipvs: {scheduler: sh, strictARP: true}\nnodePortAddresses: [10.0.2.0/24]`;
  for (const text of [configMap(set), `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n${set}\n`]) {
    const { cluster, said } = read({ "config.yaml": text });
    assert.deepEqual(said, []);
    const { mode, clusterCIDR, ipvs, nodePortAddresses } = cluster.kubeProxy;
    assert.deepEqual(
      { mode, clusterCIDR, ipvs, nodePortAddresses },
      { mode: "ipvs", clusterCIDR: "10.32.0.0/12", ipvs: { scheduler: "sh", strictARP: true }, nodePortAddresses: ["10.0.2.0/24"] },
    );
  }
});

test("the topology wins, key by key", () => {
  const { cluster } = read(
    { "cm.yaml": configMap("mode: ipvs\nipvs: {scheduler: sh, strictARP: true}") },
    "  kubeProxy: {ipvs: {scheduler: rr}}\n",
  );
  assert.equal(cluster.kubeProxy.mode, "ipvs");
  assert.deepEqual(cluster.kubeProxy.ipvs, { scheduler: "rr", strictARP: true });
});

const rows: readonly { readonly why: string; readonly config: string; readonly says: RegExp; readonly version?: string }[] = [
  { why: "a mode that does not exist", config: "mode: nftable", says: /^KT008 KubeProxyConfiguration: mode is the text "nftable"/ },
  { why: "a bit beyond the mark", config: "iptables: {masqueradeBit: 32}", says: /^KT008 .*masqueradeBit is .*32/ },
  { why: "text that is no YAML", config: "mode: [", says: /^KT008 ConfigMap kube-system\/kube-proxy: config.conf cannot be read/ },
  { why: "clusterCIDR has a length", config: "clusterCIDR: 10.244.0.1", says: /clusterCIDR "10.244.0.1" is no prefix/ },
  { why: "clusterCIDR is no name", config: "clusterCIDR: pods", says: /clusterCIDR "pods" is no prefix/ },
  { why: "one prefix a family", config: "clusterCIDR: 10.0.0.0/16,10.1.0.0/16", says: /one prefix, or one of each family/ },
  { why: "a bridge has a name", config: "detectLocalMode: BridgeInterface", says: /needs detectLocal.bridgeInterface/ },
  { why: "a prefix too", config: "detectLocalMode: InterfaceNamePrefix", says: /needs detectLocal.interfaceNamePrefix/ },
  { why: "node port addresses are prefixes", config: "nodePortAddresses: [10.0.2.5]", says: /"10.0.2.5" is no prefix/ },
  { why: "primary stands alone", config: "nodePortAddresses: [primary, 10.0.0.0/8]", says: /"primary" stands alone/ },
  { why: "primary is young", config: "nodePortAddresses: [primary]", says: /known from 1.31/, version: "1.30" },
  { why: "a scheduler that the kernel lacks", config: "ipvs: {scheduler: random}", says: /ipvs has no scheduler "random"/ },
  { why: "userspace is gone", config: "mode: userspace", says: /^KT607 .*removed in 1.26/ },
  { why: "nftables was not there yet", config: "mode: nftables", says: /^KT607 .*came with 1.29/, version: "1.28" },
  { why: "keys of a newer release", config: "linux: {x: 1}\nmode: iptables", says: /^$/ },
];
for (const { why, config, says, version } of rows)
  test(why, () => {
    const topology = version === undefined ? undefined : `  kubernetes: {version: "${version}"}\n`;
    assert.match(read({ "cm.yaml": configMap(config) }, topology).said.join("\n"), says);
  });

test("a place in the ConfigMap", () => {
  const { input } = read({ "cm.yaml": configMap("mode: nftable") });
  const at = input.diagnostics[0]?.at;
  assert.deepEqual(at && "line" in at ? [at.file, at.line] : undefined, ["cm.yaml", 6]);
});

const slice = `apiVersion: v1
kind: Node
metadata: {name: a}
---
apiVersion: v1
kind: Node
metadata: {name: b}
`;

test("hostnameOverride holds unless the DaemonSet's flag beats it", () => {
  const daemonSet = (args: string) => `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: kube-proxy, namespace: kube-system}
spec: {selector: {matchLabels: {k: p}}, template: {metadata: {labels: {k: p}}, spec: {hostNetwork: true, containers: [{name: kube-proxy, image: kube-proxy, command: [kube-proxy${args}]}]}}}
`;
  const config = configMap("hostnameOverride: ' B '");
  const named = (args: string) =>
    read({ "cm.yaml": config, "nodes.yaml": slice, "ds.yaml": daemonSet(args) }).cluster.kubeProxy.hostnameOverride;
  assert.equal(named(", --config=/var/lib/kube-proxy/config.conf"), "b");
  assert.equal(named(", --hostname-override=$(NODE_NAME)"), undefined);
});
