/** Scenario rows about names: Services without endpoints, external names, namespaces, the old short form, the search list. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changed, printed, type Row, replace, runRows } from "./rows.ts";

const service = (name: string, spec: string, namespace = "default"): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n`;
const pod = (name: string, namespace: string, spec = ""): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {nodeName: k8s-node2, ${spec}containers: [{name: c, image: curl}]}\n`;

const extra = [
  service("ext-db", "{ports: [{port: 3306}]}"),
  service("my-service", "{type: ExternalName, externalName: my.database.example.com}"),
  service("tomcat6-alias", "{type: ExternalName, externalName: tomcat6.default.svc.cluster.local}", "test"),
  "apiVersion: v1\nkind: Namespace\nmetadata: {name: test}\n",
  pod("utility", "test"),
].join("---\n");
const cluster = changed({ "extra.yaml": extra });
const described = changed({
  "extra.yaml": extra,
  "topology.yaml": replace(
    "  ingressControllers:",
    "  dns: {records: [{name: my.database.example.com, value: 192.168.56.1}]}\n  ingressControllers:",
  ),
});

const endpoints = (sees: string): string[] => [
  `1/3 10.244.1.11:8080 sees ${sees} ttl 64`,
  `1/3 10.244.2.10:8080 sees ${sees} ttl 62`,
  `1/3 10.244.2.11:8080 sees ${sees} ttl 62`,
];
const notFound = {
  verdict: "unresolved",
  exit: 6,
  paths: ["1 unresolved name-not-found"],
  clientSees: /^curl: \(6\) Could not resolve host/,
};

const rows: readonly Row[] = [
  {
    id: "S28",
    command: "exec pod/nginx -- nc ext-db 3306",
    in: cluster,
    expect: { verdict: "rejected", exit: 1, paths: ["1 rejected no-endpoints"], clientSees: /Connection refused/ },
  },
  { id: "S53", command: "curl http://tomcat6/", in: cluster, expect: { ...notFound, exit: 1 } },
  { id: "S53", command: "curl http://tomcat6.default.svc.cluster.local/", in: cluster, expect: { ...notFound, exit: 1 } },
  {
    id: "S82",
    command: "exec pod/nginx -- dig my-service.default.svc.cluster.local",
    in: cluster,
    expect: {
      verdict: "unknown",
      exit: 1,
      paths: ["1 unknown not-modelled"],
      clientSees: /^my-service\.default\.svc\.cluster\.local\. 30 IN CNAME\smy\.database\.example\.com\.$/m,
    },
  },
  {
    id: "S83",
    command: "exec pod/nginx -- curl http://my-service/",
    in: described,
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: ["1 192.168.56.1:80 sees 192.168.56.101 ttl 63"],
      legs: ["dns pod 10.96.0.10:53 my-service.default.svc.cluster.local A 192.168.56.1", "transport pod 192.168.56.1:80"],
    },
  },
  {
    id: "S84",
    command: "exec test/utility -- curl http://tomcat6-alias/",
    in: cluster,
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: endpoints("10.244.1.2"),
      legs: ["dns pod 10.96.0.10:53 tomcat6-alias.test.svc.cluster.local A 10.96.246.235", "transport pod 10.96.246.235:80"],
    },
  },
  { id: "S117", command: "exec pod/nginx -- curl http://tomcat6.default.cluster.local/", in: cluster, expect: notFound },
  { id: "S123", command: "exec test/utility -- curl http://tomcat6/", in: cluster, expect: notFound },
  ...["tomcat6.default", "tomcat6.default.svc.cluster.local"].map(
    (host): Row => ({
      id: "S123",
      command: `exec test/utility -- curl http://${host}/`,
      in: cluster,
      expect: { verdict: "delivered", exit: 0, paths: endpoints("10.244.1.2") },
    }),
  ),
];
runRows(rows);

for (const name of ["nslookup tomcat6", "nslookup tomcat6.default", "dig +search tomcat6", "dig tomcat6.default.svc.cluster.local."])
  test(`S118: ${name}`, async () => {
    const lines = await printed(`exec pod/nginx -- ${name}`, cluster);
    assert.match(lines.join("\n"), /tomcat6\.default\.svc\.cluster\.local.*\n?.*10\.96\.246\.235/);
  });

test("S121: resolv.conf", async () =>
  assert.deepEqual(await printed("exec pod/nginx -- cat /etc/resolv.conf", cluster), [
    "search default.svc.cluster.local svc.cluster.local cluster.local",
    "nameserver 10.96.0.10",
    "options ndots:5",
  ]));
