/** The cluster in kubectl's columns (rows S01, S04, S06, S10, S31, S39). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changed, printed, type Row, replace, runRows } from "./rows.ts";

/** The rows of a kubectl table by their column titles; several tables stand apart by an empty line. */
async function tables(command: string, cwd?: string): Promise<Record<string, string>[][]> {
  const blocks = (await printed(command, cwd)).join("\n").split("\n\n");
  return blocks.map((block) => {
    const [titles = "", ...lines] = block.split("\n");
    const starts = [...titles.matchAll(/\S+( \S+)*/g)].map((match) => ({ title: match[0], at: match.index }));
    return lines.map((line) =>
      Object.fromEntries(starts.map(({ title, at }, index) => [title, line.slice(at, starts[index + 1]?.at).trim()])),
    );
  });
}
const columns = (row: Record<string, string> | undefined, ...titles: readonly string[]): string =>
  titles.map((title) => row?.[title]).join(" ");

test("S01: nodes, with nothing guessed", async () => {
  const [nodes = []] = await tables("get nodes -o wide");
  assert.deepEqual(Object.keys(nodes[0] ?? {}), [
    "NAME",
    "STATUS",
    "ROLES",
    "AGE",
    "VERSION",
    "INTERNAL-IP",
    "EXTERNAL-IP",
    "OS-IMAGE",
    "KERNEL-VERSION",
    "CONTAINER-RUNTIME",
  ]);
  assert.deepEqual(
    nodes.map((row) => columns(row, "NAME", "STATUS", "ROLES", "INTERNAL-IP", "EXTERNAL-IP")),
    ["k8s-node1 Ready control-plane 10.0.2.4 <none>", "k8s-node2 Ready <none> 10.0.2.5 <none>", "k8s-node3 Ready <none> 10.0.2.15 <none>"],
  );
  for (const row of nodes) assert.equal(columns(row, "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME"), "<unknown> <unknown> <unknown>");
});

test("S01: the role is the label's name, `master` in older clusters", async () => {
  const [nodes = []] = await tables(
    "get nodes",
    changed({ "topology.yaml": replace('node-role.kubernetes.io/control-plane: ""', 'node-role.kubernetes.io/master: ""') }),
  );
  assert.equal(nodes[0]?.ROLES, "master");
});

test("S01: what a Node object states is shown", async () => {
  const nodeInfo = {
    kubeletVersion: "v1.17.3",
    osImage: "CentOS Linux 7 (Core)",
    kernelVersion: "3.10.0-1127.el7.x86_64",
    containerRuntimeVersion: "docker://20.10.2",
  };
  const stated = changed({
    "node.yaml": JSON.stringify({ apiVersion: "v1", kind: "Node", metadata: { name: "k8s-node2" }, status: { nodeInfo } }),
  });
  const [nodes = []] = await tables("get nodes -o wide", stated);
  assert.equal(
    columns(nodes[1], "VERSION", "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME"),
    "v1.17.3 CentOS Linux 7 (Core) 3.10.0-1127.el7.x86_64 docker://20.10.2",
  );
});

test("S04: endpoints are the pods that the selector finds; nginx is none", async () => {
  const [rows = []] = await tables("get endpoints tomcat6");
  assert.deepEqual(
    rows.map(({ ENDPOINTS }) => ENDPOINTS),
    ["10.244.1.11:8080,10.244.2.10:8080,10.244.2.11:8080"],
  );
});

test("S10: what runs in kube-system", async () => {
  const [pods = []] = await tables("get pods -n kube-system -o wide");
  assert.deepEqual(
    pods.map((row) => columns(row, "NAME", "IP", "NODE")),
    [
      "coredns-7f9c544f75-n4z6r 10.244.0.9 k8s-node1",
      "coredns-7f9c544f75-w4wqm 10.244.0.8 k8s-node1",
      "kube-proxy-7dhbm 10.0.2.4 k8s-node1",
      "kube-proxy-q6vxt 10.0.2.5 k8s-node2",
      "kube-proxy-z8m5d 10.0.2.15 k8s-node3",
    ],
  );
});

test("S31: the Service", async () => {
  const [rows = []] = await tables("get svc tomcat6");
  assert.deepEqual(
    rows.map((row) => columns(row, "NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)")),
    ["tomcat6 NodePort 10.96.246.235 <none> 80:31160/TCP"],
  );
});

test("S39: the ingress controller runs on the nodes that it tolerates", async () => {
  const [pods = [], services = [], sets = []] = await tables("get all -n ingress-nginx -o wide");
  assert.deepEqual(
    pods.map((row) => columns(row, "NAME", "IP", "NODE")),
    ["pod/nginx-ingress-controller-jj88x 10.0.2.5 k8s-node2", "pod/nginx-ingress-controller-k2d4n 10.0.2.15 k8s-node3"],
  );
  assert.deepEqual(
    services.map((row) => columns(row, "NAME", "CLUSTER-IP", "PORT(S)")),
    ["service/ingress-nginx 10.96.38.18 80/TCP,443/TCP"],
  );
  assert.deepEqual(
    sets.map((row) => columns(row, "NAME", "DESIRED", "READY")),
    ["daemonset.apps/nginx-ingress-controller 2 2"],
  );
});

const kept = [
  "1/3 10.244.1.11:8080 sees 10.244.1.15 ttl 64",
  "1/3 10.244.2.10:8080 sees 10.244.1.15 ttl 62",
  "1/3 10.244.2.11:8080 sees 10.244.1.15 ttl 62",
];
for (const ip of ["10.96.130.163", "10.96.73.198", "10.96.9.14"]) {
  const pinned = changed({ "tomcat6-service.yaml": replace("clusterIP: 10.96.246.235", `clusterIP: ${ip}`) });
  test(`S06: the Service pinned at ${ip}`, async () => {
    const [rows = []] = await tables("get svc tomcat6", pinned);
    assert.equal(rows[0]?.["CLUSTER-IP"], ip);
  });
  const rows: readonly Row[] = [
    {
      id: `S06: ${ip} is served`,
      command: `exec pod/nginx -- curl http://${ip}/`,
      in: pinned,
      expect: { verdict: "delivered", exit: 0, paths: kept },
    },
    {
      id: `S06: ${ip} is the name's`,
      command: "exec pod/nginx -- curl http://tomcat6/",
      in: pinned,
      expect: {
        verdict: "delivered",
        exit: 0,
        paths: kept,
        legs: [`dns pod 10.96.0.10:53 tomcat6.default.svc.cluster.local A ${ip}`, `transport pod ${ip}:80`],
      },
    },
    {
      id: "S06: the other address is nobody's",
      command: "exec pod/nginx -- curl http://10.96.246.235/",
      in: pinned,
      expect: { verdict: "exits", exit: 1, paths: ["1 exits left-topology"] },
    },
  ];
  runRows(rows);
}
