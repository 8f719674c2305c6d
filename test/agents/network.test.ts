import assert from "node:assert/strict";
import test from "node:test";
import { netnsOfPod, programNetwork } from "../../src/agents/network.ts";
import { ownRulesParts } from "../../src/agents/own-rules.ts";
import { printBridgeFdb } from "../../src/dialects/bridge-fdb.ts";
import { printIpNeigh } from "../../src/dialects/ip-neigh.ts";
import { printIpRoute } from "../../src/dialects/ip-route.ts";
import { parseIptablesSave, printIptablesSave } from "../../src/dialects/iptables-save.ts";
import { printSs } from "../../src/dialects/ss.ts";
import type { Link, Netns } from "../../src/linux/netns.ts";
import { formatCidr } from "../../src/net/address.ts";
import { createCauseTable } from "../../src/objects/cause.ts";
import { UsageError } from "../../src/objects/diagnostic.ts";
import {
  cidr,
  container,
  nic,
  program,
  sampleCluster,
  sampleHost,
  sampleNode,
  samplePod,
  samplePods,
  sampleService,
} from "./sample-cluster.ts";

/** "eth0 10.0.2.4/24": name and addresses, and what sets a link apart. */
const summary = (link: Link): string =>
  [
    link.name.replace(/^veth[0-9a-f]{8}$/, "veth*"),
    ...link.addresses.map(({ cidr: each }) => formatCidr(each)),
    link.up ? "" : "down",
    link.carrier ? "" : "no-carrier",
  ]
    .filter((word) => word !== "")
    .join(" ");
const linksOf = (netns: Netns): string[] => netns.links.map(summary);

test("interfaces stand in creation order: S14 on the control plane, S15 on a worker", () => {
  const { netns } = program();
  assert.deepEqual(linksOf(netns("node/k8s-node1")), [
    "lo 127.0.0.1/8",
    "eth0 10.0.2.4/24",
    "eth1 192.168.56.100/24",
    "docker0 172.17.0.1/16 no-carrier",
    "flannel.1 10.244.0.0/32",
    "cni0 10.244.0.1/24",
    "veth*",
    "veth*",
  ]);
  assert.deepEqual(linksOf(netns("node/k8s-node2")).slice(4), ["flannel.1 10.244.1.0/32", "cni0 10.244.1.1/24", "veth*", "veth*"]);
});

test("a node that never ran a pod on the pod network has flannel.1 but no cni0: S16", () => {
  const { netns } = program({ pods: samplePods.filter((pod) => pod.node !== "k8s-node3" || pod.hostNetwork) });
  assert.deepEqual(linksOf(netns("node/k8s-node3")).slice(4), ["flannel.1 10.244.2.0/32"]);
});

test("a bridge whose only pod is dead stays, without carrier, and the pod has no netns", () => {
  const { netns, world } = program({ pods: [samplePod("gone", 3, "10.244.2.99", { dead: true })] });
  assert.deepEqual(linksOf(netns("node/k8s-node3")).slice(5), ["cni0 10.244.2.1/24 no-carrier"]);
  assert.equal(world.netns("pod/default/gone"), undefined);
  assert.deepEqual(world.owners("10.244.2.99"), []);
});

test("no interface of any node owns a ClusterIP: S17", () => {
  const { netns } = program();
  for (const node of [1, 2, 3])
    for (const link of netns(`node/k8s-node${node}`).links)
      for (const { cidr: each } of link.addresses) assert.ok(!each.ip.startsWith("10.96."), `${link.name} ${each.ip}`);
});

test("routes, forwarding entries and neighbours of flannel: S18", () => {
  const node = program().netns("node/k8s-node2");
  assert.equal(
    printIpRoute(node),
    `default via 10.0.2.2 dev eth0 
10.0.2.0/24 dev eth0 proto kernel scope link src 10.0.2.5 
10.244.0.0/24 via 10.244.0.0 dev flannel.1 onlink 
10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1 
10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink 
172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1 linkdown 
192.168.56.0/24 dev eth1 proto kernel scope link src 192.168.56.101 
`,
  );
  assert.equal(
    printBridgeFdb(node, { dev: "flannel.1" }),
    "ca:a6:99:19:fb:79 dst 10.0.2.4 self permanent\n4a:b3:98:6b:68:1b dst 10.0.2.15 self permanent\n",
  );
  assert.equal(
    printIpNeigh(node, { dev: "flannel.1" }),
    "10.244.0.0 lladdr ca:a6:99:19:fb:79 PERMANENT \n10.244.2.0 lladdr 4a:b3:98:6b:68:1b PERMANENT \n",
  );
  assert.deepEqual(node.links.find((link) => link.name === "flannel.1")?.type, {
    kind: "vxlan",
    vni: 1,
    local: "10.0.2.5",
    dev: "eth0",
    port: 8472,
  });
});

test("a pod has eth0 towards its node's bridge, and the three routes of the flannel plugin", () => {
  const { netns } = program();
  const pod = netns("pod/default/nginx");
  assert.deepEqual(linksOf(pod), ["lo 127.0.0.1/8", "eth0 10.244.1.15/24"]);
  assert.equal(
    printIpRoute(pod),
    `default via 10.244.1.1 dev eth0 
10.244.0.0/16 via 10.244.1.1 dev eth0 
10.244.1.0/24 dev eth0 proto kernel scope link src 10.244.1.15 
`,
  );
  assert.deepEqual(
    pod.links.map((link) => link.mtu),
    [65536, 1450],
  );
  assert.deepEqual(pod.netfilter.tables(4), []);
});

test("both ends of every veth name each other, and the node's end hangs on the bridge", () => {
  const { netns } = program();
  for (const pod of samplePods.filter((each) => !each.hostNetwork)) {
    const id = `pod/${pod.namespace}/${pod.name}`;
    const eth0 = netns(id).links.find((link) => link.name === "eth0");
    assert.ok(eth0?.type.kind === "veth");
    const { peer } = eth0.type;
    const port = netns(peer.netns).links.find((link) => link.name === peer.link);
    assert.deepEqual(port?.type, { kind: "veth", peer: { netns: id, link: "eth0" } });
    assert.equal(port.master, "cni0");
    assert.equal(port.hairpin, true);
    assert.match(port.name, /^veth[0-9a-f]{8}$/);
  }
});

test("a hostNetwork pod lives in its node's netns: S11", () => {
  const { world } = program();
  assert.equal(world.netns("pod/ingress-nginx/nginx-ingress-controller-jj88x"), undefined);
  assert.deepEqual(
    samplePods.map((pod) => netnsOfPod(pod)),
    [
      "pod/default/nginx",
      "pod/default/tomcat6-5f7ccf4cb9-8jxz7",
      "pod/default/tomcat6-5f7ccf4cb9-gbtt5",
      "pod/default/tomcat6-5f7ccf4cb9-hvxs5",
      "node/k8s-node2",
      "node/k8s-node3",
      "pod/kube-system/coredns-7f9c544f75-n4z6r",
      "pod/kube-system/coredns-7f9c544f75-w4wqm",
    ],
  );
});

test("containers of one pod share its sockets, each under its own process: S12", () => {
  const pod = samplePod("two", 2, "10.244.1.30", {
    containers: [
      container("web", "nginx:1.25", { ports: [{ containerPort: 80 }] }),
      container("app", "tomcat:6", { ports: [{ containerPort: 8080 }] }),
    ],
    listens: [
      { port: 80, protocol: "TCP", assumed: false },
      { port: 8080, protocol: "TCP", assumed: false },
      { port: 8080, protocol: "TCP", assumed: true },
    ],
  });
  const sockets = program({ pods: [pod] }).netns("pod/default/two").sockets;
  assert.deepEqual(
    sockets.map(({ process, port, owner }) => ({ process, port, owner })),
    [
      { process: "nginx", port: 80, owner: "pod/default/two" },
      { process: "java", port: 8080, owner: "pod/default/two" },
    ],
  );
});

test("nginx of the ingress DaemonSet listens on the workers and not on the control plane: S40", () => {
  const { netns } = program();
  const web = (node: string): string[] =>
    printSs(netns(`node/${node}`), { tcp: true, processes: true })
      .split("\n")
      .filter((line) => /:(80|443) /.test(line))
      .map((line) => line.replace(/\s+/g, " ").trim());
  const expected = ['LISTEN 0 4096 0.0.0.0:80 0.0.0.0:* users:(("nginx"))', 'LISTEN 0 4096 0.0.0.0:443 0.0.0.0:* users:(("nginx"))'];
  assert.deepEqual(web("k8s-node2"), expected);
  assert.deepEqual(web("k8s-node3"), expected);
  assert.deepEqual(web("k8s-node1"), []);
});

test("the daemons of a node listen at their ports; the control plane's only where it runs", () => {
  const { netns } = program();
  const ports = (node: string): string[] =>
    netns(`node/${node}`).sockets.map((socket) => `${socket.process} ${socket.protocol} ${socket.ip}:${socket.port}`);
  assert.deepEqual(ports("k8s-node1"), [
    "kubelet tcp *:10250",
    "kube-proxy tcp 127.0.0.1:10249",
    "kube-proxy tcp *:10256",
    "kube-apiserver tcp *:6443",
    "etcd tcp 127.0.0.1:2379",
    "etcd tcp 10.0.2.4:2379",
    "etcd tcp 10.0.2.4:2380",
    "kube-controller tcp 127.0.0.1:10257",
    "kube-scheduler tcp 127.0.0.1:10259",
    "vxlan udp *:8472",
  ]);
  assert.deepEqual(ports("k8s-node2"), [
    "kubelet tcp *:10250",
    "kube-proxy tcp 127.0.0.1:10249",
    "kube-proxy tcp *:10256",
    "nginx tcp *:80",
    "nginx tcp *:443",
    "vxlan udp *:8472",
  ]);
});

test("kube-proxy answers health check node ports on every node, unless there is no kube-proxy", () => {
  const services = [{ ...sampleService("web"), healthCheckNodePort: 32100 }];
  const owners = (mode: "iptables" | "none") =>
    program({ services, kubeProxy: { mode } })
      .netns("node/k8s-node3")
      .sockets.filter(({ port }) => port === 32100);
  assert.deepEqual(
    owners("iptables").map(({ process, owner }) => ({ process, owner })),
    [{ process: "kube-proxy", owner: "node/k8s-node3" }],
  );
  assert.deepEqual(owners("none"), []);
});

const healthPlaces = [
  { name: "iptables mode: every address", kubeProxy: { mode: "iptables" }, at: ["*"] },
  { name: "ipvs mode: every address", kubeProxy: { mode: "ipvs" }, at: ["*"] },
  { name: "nftables mode: the primary address", kubeProxy: { mode: "nftables" }, at: ["10.0.2.15"] },
  {
    name: "nftables mode with ranges: theirs",
    kubeProxy: { mode: "nftables", nodePortAddresses: ["192.168.56.0/24"] },
    at: ["192.168.56.102"],
  },
  {
    name: "nftables mode with 0.0.0.0/0: every address",
    kubeProxy: { mode: "nftables", nodePortAddresses: ["0.0.0.0/0", "::/0"] },
    at: ["*"],
  },
  { name: "primary, written out", kubeProxy: { mode: "iptables", nodePortAddresses: ["primary"] }, at: ["10.0.2.15"] },
] as const;
for (const { name, kubeProxy, at } of healthPlaces)
  test(`health check node ports listen where node ports are taken. ${name}`, () => {
    const services = [{ ...sampleService("web"), healthCheckNodePort: 32100 }];
    const sockets = program({ services, kubeProxy }).netns("node/k8s-node3").sockets;
    assert.deepEqual(
      sockets.filter(({ port, families }) => port === 32100 && families !== 6).map(({ ip }) => ip),
      at,
    );
  });

test("kubelet's, kube-proxy's and flannel's rules stand in the built-in chains as on a real node", () => {
  const tables = program().netns("node/k8s-node2").netfilter.tables(4);
  const lines = printIptablesSave(tables)
    .split("\n")
    .filter((line) => /^-A (INPUT|FORWARD|OUTPUT|PREROUTING|POSTROUTING|FLANNEL-\w+|KUBE-FIREWALL) /.test(line));
  const firewall = '-m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL';
  const external =
    '-m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES';
  const portals = '-m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES';
  assert.deepEqual(lines, [
    `-A INPUT ${firewall}`,
    '-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS',
    `-A INPUT ${external}`,
    "-A INPUT -j KUBE-FIREWALL",
    `-A FORWARD ${firewall}`,
    '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
    `-A FORWARD ${portals}`,
    `-A FORWARD ${external}`,
    '-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD',
    `-A OUTPUT ${firewall}`,
    `-A OUTPUT ${portals}`,
    "-A OUTPUT -j KUBE-FIREWALL",
    '-A FLANNEL-FWD -s 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT',
    '-A FLANNEL-FWD -d 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT',
    '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
    '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
    '-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG',
    '-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN',
    '-A FLANNEL-POSTRTG -s 10.244.1.0/24 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j RETURN',
    '-A FLANNEL-POSTRTG -s 10.244.0.0/16 -d 10.244.1.0/24 -m comment --comment "flanneld masq" -j RETURN',
    '-A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.1.0/24 -m comment --comment "flanneld masq" -j RETURN',
    '-A FLANNEL-POSTRTG -s 10.244.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully',
    '-A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully',
  ]);
});

test("a node's own rules come first and keep their policy; the agents' are put around them", () => {
  const own = parseIptablesSave(
    "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:MINE - [0:0]\n-A FORWARD -j MINE\n-A MINE -p tcp -j ACCEPT\nCOMMIT\n",
    "node2.rules",
  );
  assert.deepEqual(own.problems, []);
  const world = programNetwork(sampleCluster(), createCauseTable(), {
    ownRules: (node) => (node.name === "k8s-node2" ? ownRulesParts(4, own.tables) : []),
  });
  const filter = (node: string) =>
    world
      .netns(node)
      ?.netfilter.tables(4)
      .find((table) => table.name === "filter");
  assert.equal(filter("node/k8s-node2")?.chain("FORWARD")?.policy, "drop");
  assert.equal(filter("node/k8s-node1")?.chain("FORWARD")?.policy, "accept");
  const jumps = filter("node/k8s-node2")
    ?.chain("FORWARD")
    ?.rules()
    .map(({ target }) => (target.kind === "jump" ? target.chain : target.kind));
  assert.deepEqual(jumps, ["KUBE-PROXY-FIREWALL", "KUBE-FORWARD", "KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "MINE", "FLANNEL-FWD"]);
  assert.equal(filter("node/k8s-node2")?.chain("MINE")?.rules().length, 1);
});

test("a kube-proxy mode that is not modelled leaves Services undecided, and nothing else", () => {
  const { netns } = program({ kubeProxy: { mode: "userspace" } });
  const nat = netns("node/k8s-node2")
    .netfilter.tables(4)
    .find((table) => table.name === "nat");
  const undecided =
    nat
      ?.chain("PREROUTING")
      ?.rules()
      .filter(({ target }) => target.kind === "unknown") ?? [];
  assert.deepEqual(undecided[0]?.matches, [{ kind: "dst", cidr: cidr("10.96.0.0/12") }]);
  assert.equal(undecided.length, 4);
});

test("machines whose prefixes meet are on one segment, docker bridges on none", () => {
  const { world, netns } = program();
  assert.deepEqual(
    world.segment("net/192.168.56.0/24").map((end) => end.netns),
    ["node/k8s-node1", "node/k8s-node2", "node/k8s-node3", "host/client"],
  );
  assert.deepEqual(world.segment("net/172.17.0.0/16"), []);
  assert.deepEqual(netns("host/client").links[1]?.type, { kind: "device", segment: "net/192.168.56.0/24" });
});

test("prefixes of different length are one segment only when each side sees the other", () => {
  const wide = sampleHost({ name: "wide", interfaces: [nic("eth0", ["10.0.2.77/16"])] });
  const aside = sampleHost({ name: "aside", interfaces: [nic("eth0", ["10.0.9.77/16"]), nic("eth1", ["198.51.100.7/32"])] });
  const alone = program({ hosts: [aside] });
  assert.deepEqual(alone.world.segment("net/10.0.0.0/16"), [{ netns: "host/aside", link: "eth0" }]);
  assert.deepEqual(alone.world.segment("nic/host/aside/eth1"), [{ netns: "host/aside", link: "eth1" }]);
  const joined = program({ hosts: [wide] });
  assert.equal(joined.world.segment("net/10.0.2.0/24").length, 4);
});

test("owners finds machines, CNI devices and pods; a gateway of nobody leads outside", () => {
  const { world } = program();
  const cases = [
    ["10.0.2.5", ["node/k8s-node2"]],
    ["192.168.56.1", ["host/client"]],
    ["10.244.1.1", ["node/k8s-node2"]],
    ["10.244.2.0", ["node/k8s-node3"]],
    ["10.244.1.15", ["pod/default/nginx"]],
    ["172.17.0.1", ["node/k8s-node1", "node/k8s-node2", "node/k8s-node3"]],
    ["10.0.2.2", []],
  ] as const;
  for (const [ip, ids] of cases) assert.deepEqual(world.owners(ip), ids, ip);
  assert.equal(world.isOutsideGateway("node/k8s-node2", "10.0.2.2"), true);
  assert.equal(world.isOutsideGateway("node/k8s-node2", "10.0.2.15"), false);
});

test("host-gw routes to the node itself, has no tunnel, and pods keep the whole MTU", () => {
  const { netns } = program({ cni: { plugin: "flannel", backend: "host-gw" } });
  const node = netns("node/k8s-node2");
  assert.match(printIpRoute(node), /^10\.244\.2\.0\/24 via 10\.0\.2\.15 dev eth0 $/m);
  assert.ok(!node.links.some((link) => link.type.kind === "vxlan"));
  assert.deepEqual(node.fdb, []);
  assert.ok(!node.sockets.some((socket) => socket.port === 8472));
  assert.equal(netns("pod/default/nginx").links[1]?.mtu, 1500);
});

test("DirectRouting leaves the tunnel to peers behind a router", () => {
  const far = sampleNode(3, {
    interfaces: [nic("eth0", ["172.30.0.15/24"])],
    internalIPs: ["172.30.0.15"],
    routes: [{ to: "default", via: "172.30.0.1" }],
  });
  const { netns } = program({
    cni: { plugin: "flannel", backend: "vxlan", DirectRouting: true },
    nodes: [sampleNode(1), sampleNode(2), far],
  });
  const text = printIpRoute(netns("node/k8s-node2"));
  assert.match(text, /^10\.244\.0\.0\/24 via 10\.0\.2\.4 dev eth0 $/m);
  assert.match(text, /^10\.244\.2\.0\/24 via 10\.244\.2\.0 dev flannel\.1 onlink $/m);
  assert.equal(netns("node/k8s-node2").fdb.length, 1);
});

test("flannel's iface key moves the tunnel to another NIC", () => {
  for (const iface of ["eth1", "192.168.56.101"]) {
    const node = program({ cni: { plugin: "flannel", iface } }).netns("node/k8s-node2");
    assert.deepEqual(node.links.find((link) => link.name === "flannel.1")?.type, {
      kind: "vxlan",
      vni: 1,
      local: "192.168.56.101",
      dev: "eth1",
      port: 8472,
    });
  }
});

test("dual stack: flannel-v6.1, a second gateway on cni0, IPv6 rules and forwarding", () => {
  const nodes = [1, 2].map((index) =>
    sampleNode(index, {
      interfaces: [nic("eth0", [`10.0.2.${index + 3}/24`, `fd00:10:0:2::${index}/64`])],
      podCIDRs: [cidr(`10.244.${index - 1}.0/24`), cidr(`fd00:10:244:${index}::/64`)],
      internalIPs: [`10.0.2.${index + 3}`, `fd00:10:0:2::${index}`],
    }),
  );
  const pods = [samplePod("dual", 2, "10.244.1.15", { ips: ["10.244.1.15", "fd00:10:244:2::f"] })];
  const { netns } = program({ nodes, pods, podCIDRs: [cidr("10.244.0.0/16"), cidr("fd00:10:244::/48")] });
  const node = netns("node/k8s-node2");
  assert.deepEqual(linksOf(node), [
    "lo 127.0.0.1/8 ::1/128",
    "eth0 10.0.2.5/24 fd00:10:0:2::2/64",
    "flannel.1 10.244.1.0/32",
    "flannel-v6.1 fd00:10:244:2::/128",
    "cni0 10.244.1.1/24 fd00:10:244:2::1/64",
    "veth*",
  ]);
  assert.equal(
    printIpRoute(node, { family: 6 }),
    `fd00:10:0:2::/64 dev eth0 proto kernel metric 256 pref medium
fd00:10:244:1::/64 via fd00:10:244:1:: dev flannel-v6.1 metric 1024 onlink pref medium
fd00:10:244:2::/64 dev cni0 proto kernel metric 256 pref medium
`,
  );
  assert.match(
    printIptablesSave(node.netfilter.tables(6), { family: 6 }),
    /-A FLANNEL-POSTRTG -s fd00:10:244::\/48 ! -d ff00::\/8 .* -j MASQUERADE --random-fully/,
  );
  assert.equal(node.sysctls["net.ipv6.conf.all.forwarding"], "1");
  assert.match(printIpRoute(netns("pod/default/dual"), { family: 6 }), /^default via fd00:10:244:2::1 dev eth0 metric 1024 pref medium$/m);
});

test("the topology's sysctls win over those of kubeadm", () => {
  const { netns } = program({ nodes: [sampleNode(1, { sysctls: { "net.ipv4.ip_forward": "0" } }), sampleNode(2)] });
  assert.equal(netns("node/k8s-node1").sysctls["net.ipv4.ip_forward"], "0");
  assert.equal(netns("node/k8s-node2").sysctls["net.ipv4.ip_forward"], "1");
  assert.equal(netns("node/k8s-node2").sysctls["net.bridge.bridge-nf-call-iptables"], "1");
});

test("cni.bridge names another bridge, and a listed docker0 is then that one", () => {
  const { netns } = program({ cni: { plugin: "flannel", bridge: "docker0" } });
  assert.deepEqual(linksOf(netns("node/k8s-node2")).slice(3), ["flannel.1 10.244.1.0/32", "docker0 10.244.1.1/24", "veth*", "veth*"]);
});

test("plugin none gives a pod nothing but lo; an unknown plugin or backend is refused by name", () => {
  const { netns } = program({ cni: { plugin: "none" } });
  assert.deepEqual(linksOf(netns("pod/default/nginx")), ["lo 127.0.0.1/8"]);
  assert.ok(!netns("node/k8s-node2").links.some((link) => link.name === "cni0"));
  assert.throws(() => program({ cni: { plugin: "toString" } }), UsageError);
  assert.throws(() => program({ cni: { plugin: "flannel", backend: "vxlann" } }), UsageError);
});

test("a link, a veth and a socket lead back to what the input says of them", () => {
  const { netns, causes } = program();
  const eth0 = netns("node/k8s-node2").links[1];
  assert.deepEqual(eth0 && causes.lookup(eth0.cause), {
    role: "interface",
    object: { kind: "Node", name: "k8s-node2" },
    source: { file: "topology.yaml", offset: 0, path: [] },
    field: ["spec", "nodes", 0, "interfaces", "eth0"],
  });
  const socket = netns("pod/default/nginx").sockets[0];
  assert.deepEqual(socket && causes.lookup(socket.cause)?.object, { kind: "Pod", namespace: "default", name: "nginx" });
});

test("netns are made once, and two worlds of one cluster are equal", () => {
  const first = program();
  assert.equal(first.world.netns("node/k8s-node2"), first.world.netns("node/k8s-node2"));
  const plain = (netns: Netns) => ({ ...netns, netfilter: printIptablesSave(netns.netfilter.tables(4)) });
  assert.deepEqual(plain(first.netns("node/k8s-node2")), plain(program().netns("node/k8s-node2")));
  assert.equal(first.world.netns("node/__proto__"), undefined);
  assert.equal(first.world.netns("__proto__"), undefined);
});
