/**
 * The record forms of the Kubernetes DNS-based service discovery specification 1.1.0, one a row, as dig prints them: TTL, type
 * and data of the answer section, then of the additional one. A row without records gives the status.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCoreDns } from "../../src/apps/coredns.ts";
import type { DnsReply } from "../../src/apps/dns/message.ts";
import { decideCluster } from "../../src/cluster/decide.ts";
import { readInput } from "../../src/manifests/input.ts";
import { createCauseTable } from "../../src/objects/cause.ts";

function open(corefile?: string) {
  const input = readInput({ files: [], cwd: "fixtures/dns" });
  const { configMaps, ...cluster } = decideCluster(input.objects, input.topology);
  const map = input.objects.find((one) => one.kind === "Namespace");
  assert.ok(map);
  const added = {
    kind: "ConfigMap",
    apiVersion: "v1",
    metadata: { namespace: "kube-system", name: "coredns" },
    source: map.source,
  } as const;
  const maps = corefile === undefined ? configMaps : [{ ...added, data: { Corefile: corefile } }];
  const whole = { ...cluster, configMaps: maps };
  return { cluster: whole, ask: createCoreDns(whole, createCauseTable()) };
}
const { cluster, ask } = open();
const podIp = (name: string, family: "." | ":" = "."): string => {
  const ip = cluster.pods.find((pod) => pod.name === name)?.ips.find((one) => one.includes(family));
  assert.ok(ip, `${name} has an address`);
  return ip;
};
const dashed = (ip: string): string => ip.replace(/[.:]/g, "-");
const reversed = (ip: string): string => `${ip.split(".").reverse().join(".")}.in-addr.arpa`;

function say(reply: DnsReply): readonly string[] {
  const lines = [...reply.answers, ...reply.additional].map(({ name, ttl, type, data }) => `${name} ${ttl} ${type} ${data}`);
  const end = reply.unknown === undefined ? (reply.loop ? ["loop"] : []) : ["asked upstream"];
  return lines.length + end.length > 0 ? [...lines, ...end] : [reply.rcode];
}

const [web, db0, dbx, late] = [podIp("web-1"), podIp("db-0"), podIp("db-x"), podIp("late")];
const D = "default.svc.corp.test";
type Row = readonly [what: string, name: string, type: string, ...expected: readonly string[]];
const rows: readonly Row[] = [
  ["2.2 schema version", "dns-version.corp.test", "TXT", 'dns-version.corp.test. 28800 TXT "1.1.0"'],
  ["2.3.1 cluster IP", `web.${D}`, "A", `web.${D}. 30 A 10.96.0.20`],
  ["2.3.1 the other family has no data", `web.${D}`, "AAAA", "NOERROR"],
  ["2.3.1 dual stack, A", `dual.${D}`, "A", `dual.${D}. 30 A 10.96.0.21`],
  ["2.3.1 dual stack, AAAA", `dual.${D}`, "AAAA", `dual.${D}. 30 AAAA fd00:10:96::21`],
  ["2.3.1 without endpoints all the same", `idle.${D}`, "A", `idle.${D}. 30 A 10.96.0.22`],
  ["2.3.2 a named port", `_http._tcp.web.${D}`, "SRV", `_http._tcp.web.${D}. 30 SRV 0 100 80 web.${D}.`, `web.${D}. 30 A 10.96.0.20`],
  ["2.3.2 no such port", `_ftp._tcp.web.${D}`, "SRV", "NXDOMAIN"],
  ["2.3.2 no such protocol", `_http._udp.web.${D}`, "SRV", "NXDOMAIN"],
  ["2.3.2 an unnamed port has no SRV name", `_http._tcp.idle.${D}`, "SRV", "NXDOMAIN"],
  [
    "2.3.2 CoreDNS lists all ports below the Service's name",
    `web.${D}`,
    "SRV",
    `web.${D}. 30 SRV 0 50 80 web.${D}.`,
    `web.${D}. 30 SRV 0 50 8080 web.${D}.`,
    `web.${D}. 30 A 10.96.0.20`,
  ],
  ["2.3.3 reverse of a cluster IP", "20.0.96.10.in-addr.arpa", "PTR", `20.0.96.10.in-addr.arpa. 30 PTR web.${D}.`],
  [
    "2.3.3 reverse of an IPv6 cluster IP",
    "1.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa",
    "PTR",
    `1.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa. 30 PTR dual.${D}.`,
  ],
  ["2.4.1 headless", `db.${D}`, "A", ...[db0, dbx].sort().map((ip) => `db.${D}. 30 A ${ip}`)],
  ["2.4.1 headless, by hostname", `db-0.db.${D}`, "A", `db-0.db.${D}. 30 A ${db0}`],
  ["2.4.1 headless, by address", `${dashed(dbx)}.db.${D}`, "A", `${dashed(dbx)}.db.${D}. 30 A ${dbx}`],
  ["2.4.1 the one with a hostname has no other name", `${dashed(db0)}.db.${D}`, "A", "NXDOMAIN"],
  ["2.4.1 an endpoint of a Service that is not headless", `${dashed(web)}.web.${D}`, "A", `${dashed(web)}.web.${D}. 30 A ${web}`],
  ["2.4.1 not ready, but published", `starting.${D}`, "A", `starting.${D}. 30 A ${late}`],
  ["2.4.1 not ready", `not-ready.${D}`, "A", "NXDOMAIN"],
  [
    "2.4.2 headless, a record an endpoint",
    `_sql._tcp.db.${D}`,
    "SRV",
    `_sql._tcp.db.${D}. 30 SRV 0 50 5432 db-0.db.${D}.`,
    `_sql._tcp.db.${D}. 30 SRV 0 50 5432 ${dashed(dbx)}.db.${D}.`,
    `db-0.db.${D}. 30 A ${db0}`,
    `${dashed(dbx)}.db.${D}. 30 A ${dbx}`,
  ],
  ["2.4.3 reverse of a headless endpoint", reversed(db0), "PTR", `${reversed(db0)}. 30 PTR db-0.db.${D}.`],
  [
    "2.4.3 reverse of an endpoint of two Services",
    reversed(web),
    "PTR",
    `${reversed(web)}. 30 PTR ${dashed(web)}.dual.${D}.`,
    `${reversed(web)}. 30 PTR ${dashed(web)}.web.${D}.`,
  ],
  ["2.4.3 an address of no Service is asked upstream", reversed(podIp("cluster-first")), "PTR", "asked upstream"],
  ["2.5 external name", `outside.${D}`, "CNAME", `outside.${D}. 30 CNAME alias.example.com.`],
  [
    "2.5 external name, followed outside",
    `outside.${D}`,
    "A",
    `outside.${D}. 30 CNAME alias.example.com.`,
    "alias.example.com. 300 CNAME db.example.com.",
    "db.example.com. 300 A 203.0.113.9",
  ],
  ["2.5 to a name nobody in the model knows", `elsewhere.${D}`, "A", `elsewhere.${D}. 30 CNAME my.database.example.net.`, "asked upstream"],
  [
    "2.5 across namespaces",
    "web-alias.shop.svc.corp.test",
    "A",
    `web-alias.shop.svc.corp.test. 30 CNAME web.${D}.`,
    `web.${D}. 30 A 10.96.0.20`,
  ],
  [
    "2.5 a chain",
    `chain.${D}`,
    "A",
    `chain.${D}. 30 CNAME web-alias.shop.svc.corp.test.`,
    `web-alias.shop.svc.corp.test. 30 CNAME web.${D}.`,
    `web.${D}. 30 A 10.96.0.20`,
  ],
  ["2.5 a circle: no records", `ping.${D}`, "A", "loop"],
  ["2.5 to a Service that is not there: no records, but no NXDOMAIN", `dangling.${D}`, "A", "NOERROR"],
  ["2.5 has no SRV", `outside.${D}`, "SRV", "NOERROR"],
  ["2.5 has no names below it", `x.outside.${D}`, "A", "NXDOMAIN"],
  ["2.6 a pod by its address", "10-244-9-9.default.pod.corp.test", "A", "10-244-9-9.default.pod.corp.test. 30 A 10.244.9.9"],
  ["2.6 IPv6", "fd00-244--8.default.pod.corp.test", "AAAA", "fd00-244--8.default.pod.corp.test. 30 AAAA fd00:244::8"],
  ["2.6 of a namespace that is not there", "10-244-9-9.gone.pod.corp.test", "A", "NXDOMAIN"],
  ["2.6 no address", "web-1.default.pod.corp.test", "A", "NXDOMAIN"],
  ["a namespace is a name without data", D, "A", "NOERROR"],
  ["svc is, too", "svc.corp.test", "A", "NOERROR"],
  ["the zone is, too", "corp.test", "A", "NOERROR"],
  ["another namespace", "web.gone.svc.corp.test", "A", "NXDOMAIN"],
  ["the form without svc, of Kubernetes before 1.0", "web.default.corp.test", "A", "NXDOMAIN"],
  ["too many labels", `a.b.c.web.${D}`, "A", "NXDOMAIN"],
  ["case does not matter, and stays", `WEB.Default.svc.corp.test`, "A", "WEB.Default.svc.corp.test. 30 A 10.96.0.20"],
  ["the zone's start", "corp.test", "SOA", "corp.test. 30 SOA ns.dns.corp.test. hostmaster.corp.test. 0 7200 1800 86400 30"],
  [
    "its name server",
    "corp.test",
    "NS",
    "corp.test. 30 NS kube-dns.kube-system.svc.corp.test.",
    "kube-dns.kube-system.svc.corp.test. 30 A 10.96.0.10",
  ],
  ["and that one's address", "ns.dns.corp.test", "A", "ns.dns.corp.test. 30 A 10.96.0.10"],
  ["a type that no object makes", `web.${D}`, "MX", "NOERROR"],
  ["the default domain is nobody's here", "web.default.svc.cluster.local", "A", "asked upstream"],
  ["an outside name", "db.example.com", "A", "db.example.com. 300 A 203.0.113.9"],
  ["__proto__", `__proto__.${D}`, "A", "NXDOMAIN"],
];
for (const [what, name, type, ...expected] of rows)
  test(`${what}: ${name} ${type}`, () => assert.deepEqual(say(ask(name, type)), expected));

test("a negative answer carries the zone's start", () => {
  const reply = ask(`gone.${D}`, "A");
  assert.equal(reply.rcode, "NXDOMAIN");
  assert.equal(reply.authoritative, true);
  assert.deepEqual(
    reply.authority.map(({ type }) => type),
    ["SOA"],
  );
});

const kubernetes = (options: string, zones = "corp.test in-addr.arpa") =>
  `.:53 {\n kubernetes ${zones} {\n${options}\n }\n forward . /etc/resolv.conf\n}`;
const corefiles: readonly (readonly [what: string, corefile: string, name: string, type: string, ...expected: readonly string[]])[] = [
  ["the plugin's own TTL", kubernetes(""), `web.${D}`, "A", `web.${D}. 5 A 10.96.0.20`],
  ["ttl 60", kubernetes("ttl 60"), `web.${D}`, "A", `web.${D}. 60 A 10.96.0.20`],
  ["pods disabled by default", kubernetes(""), "10-244-9-9.default.pod.corp.test", "A", "NXDOMAIN"],
  ["pods verified, no such pod", kubernetes("pods verified"), "10-244-9-9.default.pod.corp.test", "A", "NXDOMAIN"],
  [
    "pods verified",
    kubernetes("pods verified"),
    `${dashed(web)}.default.pod.corp.test`,
    "A",
    `${dashed(web)}.default.pod.corp.test. 5 A ${web}`,
  ],
  ["no fallthrough: reverse names end here", kubernetes(""), "1.1.1.1.in-addr.arpa", "PTR", "NXDOMAIN"],
  ["fallthrough of every zone", kubernetes("fallthrough"), `gone.${D}`, "A", "asked upstream"],
  ["ignore empty_service", kubernetes("ignore empty_service"), `idle.${D}`, "A", "NXDOMAIN"],
  ["endpoint_pod_names", kubernetes("endpoint_pod_names"), `db-x.db.${D}`, "A", `db-x.db.${D}. 5 A ${dbx}`],
  ["namespaces shop", kubernetes("namespaces shop"), `web.${D}`, "A", "NXDOMAIN"],
  ["another zone than the kubelet's", kubernetes("", "cluster.local"), `web.${D}`, "A", "asked upstream"],
  ["that zone", kubernetes("", "cluster.local"), "web.default.svc.cluster.local", "A", "web.default.svc.cluster.local. 5 A 10.96.0.20"],
  [
    "hosts before kubernetes",
    `.:53 {\n hosts {\n 192.0.2.7 db.example.com # here\n fallthrough\n }\n forward . 9.9.9.9\n}`,
    "db.example.com",
    "A",
    "db.example.com. 3600 A 192.0.2.7",
  ],
  [
    "hosts without fallthrough ends there",
    ".:53 {\n hosts {\n 192.0.2.7 a.example.com\n }\n forward . 9.9.9.9\n}",
    "db.example.com",
    "A",
    "SERVFAIL",
  ],
  [
    "rewrite name",
    `.:53 {\n rewrite name shop.example.com web.${D}\n kubernetes corp.test\n}`,
    "shop.example.com",
    "A",
    "shop.example.com. 5 A 10.96.0.20",
  ],
  [
    "rewrite suffix",
    ".:53 {\n rewrite name suffix .shop.example. .default.svc.corp.test.\n kubernetes corp.test\n}",
    "web.shop.example",
    "A",
    "web.shop.example. 5 A 10.96.0.20",
  ],
  [
    "a regular expression that may match",
    ".:53 {\n rewrite name regex (.*)\\.foo\\.com {1}\n kubernetes corp.test\n}",
    "x.foo.com",
    "A",
    "asked upstream",
  ],
  [
    "one that cannot",
    `.:53 {\n rewrite name regex (.*)\\.foo\\.com {1}\n kubernetes corp.test\n}`,
    `web.${D}`,
    "A",
    `web.${D}. 5 A 10.96.0.20`,
  ],
  [
    "a plugin that is not modelled",
    ".:53 {\n template IN A example.com {\n answer x\n }\n forward . 9.9.9.9\n}",
    "db.example.com",
    "A",
    "asked upstream",
  ],
  ["the block of the longest zone", ".:53 {\n forward . 9.9.9.9\n}\ncorp.test:53 {\n errors\n}", `web.${D}`, "A", "SERVFAIL"],
  ["no block has the name", "corp.test:53 {\n kubernetes corp.test\n}", "db.example.com", "A", "REFUSED"],
  ["a file that is none", "}}}{{{ {\n{", `web.${D}`, "A", "REFUSED"],
];
for (const [what, corefile, name, type, ...expected] of corefiles)
  test(`Corefile, ${what}: ${name} ${type}`, () => assert.deepEqual(say(open(corefile).ask(name, type)), expected));
