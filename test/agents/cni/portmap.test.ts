import assert from "node:assert/strict";
import test from "node:test";
import type { ClusterPod } from "../../../src/cluster/cluster.ts";
import { printIptablesSave } from "../../../src/dialects/iptables-save.ts";
import type { ContainerPort } from "../../../src/objects/api.ts";
import { container, program, samplePod } from "../sample-cluster.ts";

/** The nat lines of node 2 that plugins wrote, with the digests of chain names and container ids cut out. */
function pluginLines(pods: readonly ClusterPod[], cni: Readonly<Record<string, unknown>> = {}): string[] {
  const node = program({ pods, cni: { plugin: "flannel", ...cni } }).netns("node/k8s-node2");
  return printIptablesSave(node.netfilter.tables(4), { only: "nat" })
    .split("\n")
    .filter((line) => line.startsWith("-A") && line.includes("CNI-"))
    .map((line) =>
      line
        .replace(/[0-9a-f]{64}/g, "ID")
        .replace(/CNI-DN-[0-9a-f]{21}\b/g, "CNI-DN-X")
        .replace(/CNI-[0-9a-f]{24}\b/g, "CNI-X"),
    );
}

const withPorts = (ports: readonly ContainerPort[], over: Partial<ClusterPod> = {}): ClusterPod =>
  samplePod("web", 2, "10.244.1.15", { containers: [container("web", "nginx", { ports })], ...over });

test("a hostPort is DNATed after Services, and masqueraded only for the pod network and 127.0.0.1", () => {
  assert.deepEqual(pluginLines([withPorts([{ containerPort: 80, hostPort: 8080 }])]), [
    "-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT",
    "-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT",
    '-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ',
    "-A CNI-DN-X -s 10.244.1.0/24 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK",
    "-A CNI-DN-X -s 127.0.0.1/32 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK",
    "-A CNI-DN-X -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.244.1.15:80",
    '-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"cbr0\\" id: \\"ID\\"" -m multiport --dports 8080 -j CNI-DN-X',
    "-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE",
    '-A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000',
  ]);
});

test("the masquerade jump goes in front of kube-proxy's, the DNAT jump behind", () => {
  const node = program({ pods: [withPorts([{ containerPort: 80, hostPort: 8080 }])] }).netns("node/k8s-node2");
  const nat = node.netfilter.tables(4).find((table) => table.name === "nat");
  const jumps = (chain: string) =>
    nat
      ?.chain(chain)
      ?.rules()
      .flatMap(({ target }) => (target.kind === "jump" ? [target.chain] : []));
  assert.deepEqual(jumps("PREROUTING"), ["KUBE-SERVICES", "CNI-HOSTPORT-DNAT"]);
  assert.deepEqual(jumps("POSTROUTING"), ["CNI-HOSTPORT-MASQ", "KUBE-POSTROUTING", "FLANNEL-POSTRTG"]);
  assert.equal(node.sysctls["net.ipv4.conf.cni0.route_localnet"], "1");
});

test("protocols are apart, hostIP narrows the rule, 0.0.0.0 does not", () => {
  const lines = pluginLines([
    withPorts([
      { containerPort: 53, hostPort: 53, protocol: "UDP", hostIP: "0.0.0.0" },
      { containerPort: 53, hostPort: 53, hostIP: "10.0.2.5" },
      { containerPort: 9153 },
    ]),
  ]);
  assert.deepEqual(
    lines.filter((line) => line.includes("--dports")).map((line) => line.replace(/-m comment .*ID\\"" /, "")),
    [
      "-A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 53 -j CNI-DN-X",
      "-A CNI-HOSTPORT-DNAT -p udp -m multiport --dports 53 -j CNI-DN-X",
    ],
  );
  assert.deepEqual(
    lines.filter((line) => line.includes("-j DNAT")),
    [
      "-A CNI-DN-X -p udp -m udp --dport 53 -j DNAT --to-destination 10.244.1.15:53",
      "-A CNI-DN-X -d 10.0.2.5/32 -p tcp -m tcp --dport 53 -j DNAT --to-destination 10.244.1.15:53",
    ],
  );
});

test("more than fifteen ports need a second multiport match", () => {
  const ports = Array.from({ length: 17 }, (_, i) => ({ containerPort: 80, hostPort: 8000 + i }));
  const dispatch = pluginLines([withPorts(ports)]).filter((line) => line.includes("--dports"));
  assert.deepEqual(
    dispatch.map((line) => line.split("--dports ")[1]?.split(" ")[0]?.split(",").length),
    [15, 2],
  );
});

test("no rules for hostNetwork pods, for a dead pod, or with portmap off", () => {
  const ports = [{ containerPort: 80, hostPort: 8080 }];
  assert.deepEqual(pluginLines([withPorts(ports, { hostNetwork: true, ips: ["10.0.2.5"] })]), []);
  assert.deepEqual(pluginLines([withPorts(ports, { dead: true })]), []);
  assert.deepEqual(pluginLines([withPorts(ports)], { portmap: false }), []);
});

test("the bridge plugin's ipMasq hides a pod behind the node, but not within its subnet", () => {
  assert.deepEqual(pluginLines([withPorts([])], { plugin: "bridge", ipMasq: true }), [
    '-A POSTROUTING -s 10.244.1.15/32 -m comment --comment "name: \\"bridge\\" id: \\"ID\\"" -j CNI-X',
    '-A CNI-X -d 10.244.1.0/24 -m comment --comment "name: \\"bridge\\" id: \\"ID\\"" -j ACCEPT',
    '-A CNI-X ! -d 224.0.0.0/4 -m comment --comment "name: \\"bridge\\" id: \\"ID\\"" -j MASQUERADE',
  ]);
  assert.deepEqual(pluginLines([withPorts([])], { plugin: "bridge" }), []);
});
