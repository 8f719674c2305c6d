/** How names are looked up: resolv.conf(5) search lists, hosts files, the topology's machines, and name servers that do not answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { candidatesOf } from "../../src/trace/resolve-name.ts";
import { changed, type Row, replace, runRows, traced } from "../scenarios/rows.ts";

const book = { search: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"], ndots: 5 };
const candidates: readonly (readonly [string, typeof book, readonly string[]])[] = [
  ["tomcat6", book, ["tomcat6.default.svc.cluster.local", "tomcat6.svc.cluster.local", "tomcat6.cluster.local", "tomcat6"]],
  [
    "tomcat6.default.svc",
    book,
    [
      "tomcat6.default.svc.default.svc.cluster.local",
      "tomcat6.default.svc.svc.cluster.local",
      "tomcat6.default.svc.cluster.local",
      "tomcat6.default.svc",
    ],
  ],
  ["tomcat6.default.svc.cluster.local.", book, ["tomcat6.default.svc.cluster.local"]],
  [
    "a.b.c.d.e.f",
    book,
    ["a.b.c.d.e.f", "a.b.c.d.e.f.default.svc.cluster.local", "a.b.c.d.e.f.svc.cluster.local", "a.b.c.d.e.f.cluster.local"],
  ],
  ["example.com", { search: ["lan"], ndots: 1 }, ["example.com", "example.com.lan"]],
  ["example", { search: ["lan"], ndots: 1 }, ["example.lan", "example"]],
  ["example", { search: [], ndots: 1 }, ["example"]],
];
for (const [host, of, expected] of candidates)
  test(`${host} with ndots ${of.ndots} is asked as`, () => assert.deepEqual(candidatesOf(host, of), expected));

const noDns = changed({ "kube-system.yaml": replace("  replicas: 2", "  replicas: 0") });
const records = changed({
  "topology.yaml": replace(
    "  ingressControllers:",
    "  dns: {records: [{name: db.example.com, value: 192.168.56.1}]}\n  ingressControllers:",
  ),
});
const rows: readonly Row[] = [
  {
    id: "a Service by its full name",
    command: "exec pod/nginx -- nc tomcat6.default.svc.cluster.local. 80",
    expect: service(["dns pod 10.96.0.10:53 tomcat6.default.svc.cluster.local A 10.96.246.235", "transport pod 10.96.246.235:80"]),
  },
  {
    id: "a Service with its namespace",
    command: "exec pod/nginx -- nc tomcat6.default 80",
    expect: service(["dns pod 10.96.0.10:53 tomcat6.default.svc.cluster.local A 10.96.246.235", "transport pod 10.96.246.235:80"]),
  },
  {
    id: "the form without svc",
    command: "exec pod/nginx -- nc tomcat6.default.cluster.local. 80",
    expect: { verdict: "unresolved", exit: 1, paths: ["1 unresolved name-not-found"] },
  },
  {
    id: "nobody's name",
    command: "exec pod/nginx -- nc tomcat7 80",
    expect: { verdict: "unresolved", exit: 1, paths: ["1 unresolved name-not-found"] },
  },
  {
    id: "from outside no Service has a name",
    command: "curl http://tomcat6/",
    expect: {
      verdict: "unresolved",
      exit: 1,
      paths: ["1 unresolved name-not-found"],
      clientSees: /^curl: \(6\) Could not resolve host: tomcat6/,
    },
  },
  {
    id: "no CoreDNS pod: the query is refused",
    command: "exec pod/nginx -- nc tomcat6 80",
    in: noDns,
    expect: { verdict: "unresolved", exit: 1, paths: ["1 unresolved dns-unreachable"] },
  },
  {
    id: "localhost is in a pod's hosts file",
    command: "exec pod/nginx -- nc localhost 80",
    expect: { verdict: "delivered", exit: 0, paths: ["1 127.0.0.1:80 sees 127.0.0.1 ttl 64"] },
  },
  {
    id: "a name of the topology's records, from outside",
    command: "curl http://db.example.com/",
    in: records,
    expect: { verdict: "delivered", exit: 0, paths: ["1 192.168.56.1:80 sees 192.168.56.1 ttl 64"] },
  },
  {
    id: "and through CoreDNS",
    command: "exec pod/nginx -- nc db.example.com 80",
    in: records,
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: ["1 192.168.56.1:80 sees 192.168.56.101 ttl 63"],
      legs: ["dns pod 10.96.0.10:53 db.example.com A 192.168.56.1", "transport pod 192.168.56.1:80"],
    },
  },
  {
    id: "a name that a server outside the model would know",
    command: "exec pod/nginx -- nc www.example.org 80",
    expect: { verdict: "unknown", exit: 1, paths: ["1 unknown not-modelled"] },
  },
];
runRows(rows);

function service(legs: readonly string[]): Row["expect"] {
  return {
    verdict: "delivered",
    exit: 0,
    paths: [
      "1/3 10.244.1.11:8080 sees 10.244.1.15 ttl 64",
      "1/3 10.244.2.10:8080 sees 10.244.1.15 ttl 62",
      "1/3 10.244.2.11:8080 sees 10.244.1.15 ttl 62",
    ],
    legs,
  };
}

const nodeNames: readonly (readonly [string, string, string])[] = [
  ["the client shares eth1's network", "nc node3 31160", "192.168.56.102"],
  ["nodes share eth0's first", "exec node/k8s-node2 -- nc node3 31160", "10.0.2.15"],
  ["its own name", "exec node/k8s-node2 -- nc node2 10250", "10.0.2.5"],
];
for (const [name, command, ip] of nodeNames)
  test(`a node's name: ${name}`, async () => {
    const { trace } = await traced(command);
    assert.equal(trace.paths[0]?.legs.at(-1)?.to.ip, ip);
  });
