/** Fields and types of Services on the reference cluster, iptables mode (scenarios S57 to S59, S66 to S74, S82 to S97). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changed, printed, type Row, replace, runRows, seenFrom, traced } from "./rows.ts";

const SERVICE = "tomcat6-service.yaml";
const local = changed({ [SERVICE]: replace("externalTrafficPolicy: Cluster", "externalTrafficPolicy: Local") });
const typo = changed({ [SERVICE]: replace("    app: tomcat6\n  ports", "    app: tomcat\n  ports") });
const pinned = (names: string, port: number) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${names}}
spec: {replicas: 1, selector: {matchLabels: {app: ${names}}}, template: {metadata: {labels: {app: ${names}}}, spec: {nodeName: k8s-node2, containers: [{name: c, image: x, ports: [{containerPort: ${port}}]}]}}}
---
`;
const mysql = changed({
  "mysql.yaml": `${pinned("mysql", 3306)}apiVersion: v1
kind: Service
metadata: {name: mysql}
spec: {type: NodePort, clusterIP: 10.96.0.33, selector: {app: mysql}, ports: [{port: 3306, nodePort: 30001}]}
`,
});
const extDb = changed({
  "db.yaml": `{apiVersion: v1, kind: Service, metadata: {name: ext-db}, spec: {clusterIP: 10.96.0.99, ports: [{port: 3306}]}}
---
{apiVersion: v1, kind: Endpoints, metadata: {name: ext-db}, subsets: [{addresses: [{ip: 10.0.2.100}], ports: [{port: 3306}]}]}
`,
  "topology.yaml": replace(
    "  # In a live cluster",
    "    - {name: db, interfaces: [{name: eth0, addresses: [10.0.2.100/24]}], listens: [{port: 3306}]}\n\n  # In a live cluster",
  ),
});
const outsideName = changed({
  "name.yaml":
    "{kind: Service, apiVersion: v1, metadata: {name: my-service}, spec: {type: ExternalName, externalName: my.database.example.com}}\n",
});
const knownName = changed({
  "name.yaml":
    "{kind: Service, apiVersion: v1, metadata: {name: my-service}, spec: {type: ExternalName, externalName: my.database.example.com}}\n",
  "topology.yaml": replace(
    "  # In a live cluster",
    "  dns: {records: [{name: my.database.example.com, value: 192.168.56.1}]}\n  # In a live cluster",
  ),
});
const EXTERNAL =
  "{kind: Service, apiVersion: v1, metadata: {name: my-service}, spec: {selector: {app: tomcat6}, ports: [{name: http, protocol: TCP, port: 80, targetPort: 8080}], externalIPs: [80.11.12.10]}}\n";
const external = changed({ "external.yaml": EXTERNAL });
const externalRouted = changed({
  "external.yaml": EXTERNAL,
  "topology.yaml": replace(
    "      hostsFile: # its /etc/hosts",
    "      routes: [{to: 80.11.12.10/32, via: 192.168.56.101}]\n      hostsFile: # its /etc/hosts",
  ),
});
const MY_NGINX = `${pinned("my-nginx", 80).replace("[{containerPort: 80}]", "[{containerPort: 80}, {containerPort: 443}]")}apiVersion: v1
kind: Service
metadata: {name: my-nginx}
spec: {type: NodePort, selector: {app: my-nginx}, ports: [{nodePort: 8080, port: 8080, targetPort: 80, protocol: TCP, name: http}, {nodePort: 443, port: 443, protocol: TCP, name: https}]}
`;
const lowPorts = changed({
  "my-nginx.yaml": MY_NGINX,
  "topology.yaml": replace("    serviceCIDRs: [10.96.0.0/12]", "    nodePortRange: 1-65535\n    serviceCIDRs: [10.96.0.0/12]"),
});
const tooLow = changed({ "my-nginx.yaml": MY_NGINX });
const twoTenants = changed({
  "tenants.yaml": ["a", "b"]
    .map(
      (ns) =>
        `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${ns}}\n---\n${pinned("db", 5432).replace("{name: db}", `{name: db, namespace: ${ns}}`)}apiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: ${ns}}\nspec: {selector: {app: db}, ports: [{port: 5432}]}\n`,
    )
    .join("---\n"),
});

const nodePort = { local: 63, remote: 62 };
const rows: readonly Row[] = [
  {
    id: "S67: a node without a pod, policy Local",
    in: local,
    command: "curl node1:31160",
    expect: { verdict: "dropped", exit: 1, paths: ["1 dropped no-local-endpoints"], clientSees: /timed out/ },
  },
  {
    id: "S67: node2's own pod",
    in: local,
    command: "curl node2:31160",
    expect: { verdict: "delivered", exit: 0, paths: ["1 10.244.1.11:8080 sees 192.168.56.1 ttl 63"] },
  },
  {
    id: "S67: node3's own pods",
    in: local,
    command: "curl node3:31160",
    expect: { verdict: "delivered", exit: 0, paths: ["10.244.2.10", "10.244.2.11"].map((ip) => `1/2 ${ip}:8080 sees 192.168.56.1 ttl 63`) },
  },
  {
    id: "S68: the node itself reaches all",
    in: local,
    command: "exec node/k8s-node1 -- curl 10.0.2.4:31160",
    expect: { verdict: "delivered", exit: 0, paths: seenFrom(1, { local: 64, remote: 63 }) },
  },
  {
    id: "S68: a pod of the node too, its address kept",
    in: local,
    command: "exec kube-system/coredns-7f9c544f75-n4z6r -- curl 10.0.2.4:31160",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: ["10.244.1.11", "10.244.2.10", "10.244.2.11"].map((ip) => `1/3 ${ip}:8080 sees 10.244.0.9 ttl 62`),
    },
  },
  {
    id: "S68: a pod of another node does not",
    in: local,
    command: "exec pod/nginx -- curl 10.0.2.4:31160",
    expect: { verdict: "dropped", exit: 28, paths: ["1 dropped no-local-endpoints"] },
  },
  {
    id: "S71: a mistyped selector, from outside",
    in: typo,
    command: "curl node2:31160",
    expect: { verdict: "rejected", exit: 1, paths: ["1 rejected no-endpoints"] },
  },
  {
    id: "S71: from a pod",
    in: typo,
    command: "exec pod/nginx -- curl http://10.96.246.235/",
    expect: { verdict: "rejected", exit: 7, paths: ["1 rejected no-endpoints"] },
  },
  {
    id: "S73: the node port",
    in: mysql,
    command: "nc node2 30001",
    expect: { verdict: "delivered", exit: 0, paths: ["1 10.244.1.2:3306 sees 10.244.1.1 ttl 63"] },
  },
  {
    id: "S73: the Service's port is on no node",
    in: mysql,
    command: "nc node2 3306",
    expect: { verdict: "rejected", exit: 1, paths: ["1 rejected not-listening"] },
  },
  {
    id: "S74: a database outside, through its Service",
    in: extDb,
    command: "exec pod/nginx -- nc ext-db 3306",
    expect: { verdict: "delivered", exit: 0, paths: ["1 10.0.2.100:3306 sees 10.0.2.5 ttl 63"] },
  },
  {
    id: "S74: from a node",
    in: extDb,
    command: "exec node/k8s-node2 -- nc 10.96.0.99 3306",
    expect: { verdict: "delivered", exit: 0, paths: ["1 10.0.2.100:3306 sees 10.0.2.5 ttl 64"] },
  },
  {
    id: "S62, S82: nobody knows the outside name",
    in: outsideName,
    command: "exec pod/nginx -- dig my-service.default.svc.cluster.local",
    expect: { verdict: "unknown", exit: 1, paths: ["1 unknown not-modelled"] },
  },
  {
    id: "S62, S83: straight to that address, masqueraded on the node",
    in: knownName,
    command: "exec pod/nginx -- curl http://my-service/",
    expect: { verdict: "delivered", exit: 0, paths: ["1 192.168.56.1:80 sees 192.168.56.101 ttl 63"] },
  },
  {
    id: "S61, S86: an external IP that is routed to a node",
    in: externalRouted,
    command: "curl http://80.11.12.10/",
    expect: { verdict: "delivered", exit: 0, paths: seenFrom(2, nodePort) },
  },
  {
    id: "S61, S87: and one that is not",
    in: external,
    command: "curl http://80.11.12.10/",
    expect: { verdict: "rejected", exit: 1, paths: ["1 rejected no-route"] },
  },
  {
    id: "S61, S88: inside every node captures it",
    in: external,
    command: "exec pod/nginx -- curl http://80.11.12.10/",
    expect: { verdict: "delivered", exit: 0, paths: seenFrom(2, { local: 64, remote: 62 }) },
  },
  {
    id: "S88: from a node",
    in: external,
    command: "exec node/k8s-node1 -- curl http://80.11.12.10/",
    expect: { verdict: "delivered", exit: 0, paths: seenFrom(1, { local: 64, remote: 63 }) },
  },
  {
    id: "S90: a low node port",
    in: lowPorts,
    command: "curl http://192.168.56.100:8080/",
    expect: { verdict: "delivered", exit: 0, paths: ["1 10.244.1.2:80 sees 10.244.0.0 ttl 62"] },
  },
  {
    id: "S90, S91: DNAT comes before the Ingress controller's own socket",
    in: lowPorts,
    command: "curl -k https://192.168.56.101:443/",
    expect: { verdict: "delivered", exit: 0, paths: ["1 10.244.1.2:443 sees 10.244.1.1 ttl 63"] },
  },
  {
    id: "S89: out of the range there is no such Service",
    in: tooLow,
    command: "curl http://192.168.56.100:8080/",
    expect: { verdict: "rejected", exit: 1, paths: ["1 rejected not-listening"] },
  },
  {
    id: "S97: another tenant's Service",
    in: twoTenants,
    command: "exec pod/nginx -- nc db.b 5432",
    expect: { verdict: "delivered", exit: 0, paths: ["1 10.244.1.3:5432 sees 10.244.1.15 ttl 64"] },
  },
];
runRows(rows);

test("S93: the rules of a low node port", async () => {
  const rules = await printed("exec node/k8s-node1 -- iptables-save -t nat", lowPorts);
  const of = (start: string) => rules.filter((line) => line.startsWith(start));
  assert.match(of("-A KUBE-NODEPORTS -p tcp").join("\n"), /--dport 8080 -j KUBE-EXT-SV7AMNAGZFKZEMQ4/);
  assert.match(of("-A KUBE-NODEPORTS -p tcp").join("\n"), /default\/my-nginx:https.*--dport 443 -j KUBE-EXT-WJQIRF6WKN5OOCTI/);
  assert.deepEqual(
    of("-A KUBE-EXT-SV7AMNAGZFKZEMQ4").map((line) => line.split(" ").at(-1)),
    ["KUBE-MARK-MASQ", "KUBE-SVC-SV7AMNAGZFKZEMQ4"],
  );
});

test("S94: KUBE-POSTROUTING today", async () => {
  const rules = (await printed("exec node/k8s-node1 -- iptables-save -t nat")).filter((line) => line.startsWith("-A KUBE-POSTROUTING"));
  assert.deepEqual(
    rules.map((line) => line.replace(/^.* -j /, "")),
    ["RETURN", "MARK --set-xmark 0x4000/0x0", "MASQUERADE --random-fully"],
  );
});

test("S92: node ports left out come from above the static band", async () => {
  const cwd = changed({ "my-nginx.yaml": MY_NGINX.replaceAll(/nodePort: \d+, /g, "") });
  const ports = (await printed("-q get svc my-nginx", cwd))[1]?.match(/:(\d+)\/TCP/g) ?? [];
  assert.equal(ports.length, 2);
  for (const port of ports) assert.ok(Number(port.slice(1, -4)) >= 30086 && Number(port.slice(1, -4)) <= 32767, port);
});

for (const [id, spec, code] of [
  ["S57: an address outside the range", "clusterIP: 10.0.125.105", "KT111"],
  ["S57: another's address", "clusterIP: 10.96.246.235", "KT110"],
  ["S58: two families on one", 'clusterIPs: [10.96.0.88, "fd00:10:96::1"]', "KT116"],
  ["S59: IPv6 where there is none", "ipFamilies: [IPv6]", "KT116"],
  ["S59: RequireDualStack", "ipFamilyPolicy: RequireDualStack", "KT116"],
  ["S60: only for LoadBalancer", "allocateLoadBalancerNodePorts: false", "KT120"],
  ["S67: the API knows Local only", "type: NodePort, externalTrafficPolicy: local", "KT008"],
  ["S72: mind the capitals", "type: nodeport", "KT008"],
  ["S89: a port is required", "type: NodePort, ports: [{nodePort: 31000}]", "KT008"],
] as const)
  test(`${id}: refused, ${code}`, async () => {
    const ports = spec.includes("ports:") ? "" : ", ports: [{port: 80}]";
    const cwd = changed({
      "zz.yaml": `{apiVersion: v1, kind: Service, metadata: {name: zz}, spec: {${spec}${ports}, selector: {app: tomcat6}}}\n`,
    });
    const { stderr, trace } = await traced("curl node2:31160", cwd);
    assert.match(stderr, new RegExp(code));
    assert.equal(trace.verdict, "delivered", "the others are there");
    assert.ok(!(await printed("-q get svc", cwd)).some((line) => line.startsWith("zz ")));
  });

test("S59: PreferDualStack takes the family that there is", async () => {
  const cwd = changed({
    "zz.yaml":
      "{apiVersion: v1, kind: Service, metadata: {name: zz}, spec: {ipFamilyPolicy: PreferDualStack, selector: {app: tomcat6}, ports: [{port: 80, targetPort: 8080}]}}\n",
  });
  const { trace } = await traced("exec pod/nginx -- curl http://zz/", cwd);
  assert.equal(trace.verdict, "delivered");
});
