/** What a person sees who looks around on the machines (rows S11, S14, S15, S17, S18, S26, S34, S40). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { printed } from "./rows.ts";

const NODES = [1, 2, 3] as const;

/** Names of `ip a`, with the addresses of each and whether it has a carrier. */
async function interfaces(
  source: string,
): Promise<{ readonly name: string; readonly addresses: readonly string[]; readonly carrier: boolean }[]> {
  const blocks = (await printed(`exec ${source} -- ip a`)).join("\n").split(/^(?=\d+: )/m);
  return blocks.map((block) => ({
    name: /^\d+: ([^:@]+)/.exec(block)?.[1]?.replace(/^veth.*/, "veth") ?? "",
    addresses: [...block.matchAll(/inet (\S+)/g)].map(([, address]) => address ?? ""),
    carrier: !block.includes("NO-CARRIER"),
  }));
}

const expected = (eth0: string, eth1: string, podNet: string, veths: number) => [
  { name: "lo", addresses: ["127.0.0.1/8"], carrier: true },
  { name: "eth0", addresses: [eth0], carrier: true },
  { name: "eth1", addresses: [eth1], carrier: true },
  { name: "docker0", addresses: ["172.17.0.1/16"], carrier: false },
  { name: "flannel.1", addresses: [`${podNet}.0/32`], carrier: true },
  { name: "cni0", addresses: [`${podNet}.1/24`], carrier: true },
  ...Array.from({ length: veths }, () => ({ name: "veth", addresses: [], carrier: true })),
];

test("S14: ip a of k8s-node1, in the order in which the devices were made", async () => {
  assert.deepEqual(await interfaces("node/k8s-node1"), expected("10.0.2.4/24", "192.168.56.100/24", "10.244.0", 2));
});
test("S15: ip a of k8s-node2 has one veth for each pod on the pod network", async () => {
  assert.deepEqual(await interfaces("node/k8s-node2"), expected("10.0.2.5/24", "192.168.56.101/24", "10.244.1", 3)); // nginx, tomcat6, echo-udp
});
test("S14: ifconfig names the same devices", async () => {
  const names = (await printed("exec node/k8s-node1 -- ifconfig")).flatMap((line) => /^(\S+): flags/.exec(line)?.[1] ?? []);
  const wanted = (await interfaces("node/k8s-node1")).map(({ name }) => name);
  assert.deepEqual(names.map((name) => name.replace(/^veth.*/, "veth")).sort(), wanted.sort());
});
test("S11: a hostNetwork pod is in its node's network stack", async () => {
  assert.deepEqual(await printed("exec kube-system/kube-proxy-7dhbm -- ip a"), await printed("exec node/k8s-node1 -- ip a"));
});
for (const n of NODES) {
  test(`S17: no interface of k8s-node${n} owns a cluster address`, async () => {
    assert.deepEqual(
      (await interfaces(`node/k8s-node${n}`)).flatMap(({ addresses }) => addresses).filter((address) => address.startsWith("10.96.")),
      [],
    );
  });
}
test("S18: routes, forwarding entries and neighbours of flannel.1 on k8s-node2", async () => {
  const trimmed = async (command: string) => (await printed(`exec node/k8s-node2 -- ${command}`)).map((line) => line.trim());
  const routes = await trimmed("ip route");
  assert.ok(routes.includes("10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink"));
  assert.ok(routes.includes("10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1"));
  assert.deepEqual(await trimmed("bridge fdb show dev flannel.1"), [
    "ca:a6:99:19:fb:79 dst 10.0.2.4 self permanent",
    "4a:b3:98:6b:68:1b dst 10.0.2.15 self permanent",
  ]);
  assert.deepEqual(await trimmed("ip neigh show dev flannel.1"), [
    "10.244.0.0 lladdr ca:a6:99:19:fb:79 PERMANENT",
    "10.244.2.0 lladdr 4a:b3:98:6b:68:1b PERMANENT",
  ]);
});
for (const n of NODES) {
  test(`S26: the Service's rules on k8s-node${n}`, async () => {
    const rules = (await printed(`exec node/k8s-node${n} -- iptables-save -t nat`)).map((line) =>
      line.replace(/ -m comment --comment ("[^"]*"|\S+)/, ""),
    );
    const dispatch = rules.filter((line) => line.startsWith("-A KUBE-SERVICES -d 10.96.246.235/32"));
    assert.deepEqual(dispatch, ["-A KUBE-SERVICES -d 10.96.246.235/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-74O5I7DKKBRLVTFF"]);
    const balanced = rules.filter((line) => line.startsWith("-A KUBE-SVC-74O5I7DKKBRLVTFF") && line.includes("KUBE-SEP"));
    const shares = balanced.map((line) => /--probability (\S+)/.exec(line)?.[1] ?? "none");
    assert.deepEqual(shares, ["0.33333333349", "0.50000000000", "none"]);
    const endpoints = balanced.map((line) => line.split(" ").at(-1) ?? "");
    const targets = endpoints.map(
      (chain) => /--to-destination (\S+)/.exec(rules.find((line) => line.startsWith(`-A ${chain} `) && line.includes("DNAT")) ?? "")?.[1],
    );
    assert.deepEqual(targets, ["10.244.1.11:8080", "10.244.2.10:8080", "10.244.2.11:8080"]);
  });
}
/** Local addresses and processes of `ss -ltnp`. */
const listeners = async (n: number): Promise<string[]> =>
  (await printed(`exec node/k8s-node${n} -- ss -ltnp`))
    .slice(1)
    .map((line) => `${line.split(/ +/)[3]} ${/\(\("([^"]+)/.exec(line)?.[1] ?? ""}`.trim());

for (const n of NODES) {
  test(`S34: nothing listens on the node port of k8s-node${n}`, async () => {
    assert.deepEqual(
      (await listeners(n)).filter((line) => line.includes(":31160")),
      [],
    );
  });
  test(`S40: who listens on 80 and 443 of k8s-node${n}`, async () => {
    const web = (await listeners(n)).filter((line) => /:(80|443) /.test(`${line} `));
    assert.deepEqual(web, n === 1 ? [] : ["0.0.0.0:80 nginx", "0.0.0.0:443 nginx"]);
  });
}
