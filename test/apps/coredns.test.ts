/** What CoreDNS as kubeadm sets it up answers (Kubernetes DNS-based service discovery 1.1.0), and what stands outside of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCoreDns } from "../../src/apps/coredns.ts";
import { addressesIn, aliasIn, type DnsReply } from "../../src/apps/dns/message.ts";
import { outsideReply } from "../../src/apps/dns/outside.ts";
import { decideCluster } from "../../src/cluster/decide.ts";
import { readInput } from "../../src/manifests/input.ts";
import { createCauseTable } from "../../src/objects/cause.ts";

const service = (name: string, spec: object, namespace = "default") => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec,
});
const ports = [{ port: 80 }];
const slice = (name: string, addressType: string, endpoints: readonly object[]) => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: `${name}-${addressType.toLowerCase()}`, labels: { "kubernetes.io/service-name": name } },
  addressType,
  ports,
  endpoints,
});
const documents = [
  {
    apiVersion: "ktrace.dev/v1alpha1",
    kind: "Topology",
    spec: {
      kubernetes: { serviceCIDRs: ["10.96.0.0/12", "fd00:96::/112"], podCIDRs: ["10.244.0.0/16", "fd00:10:244::/56"] },
      nodes: [{ name: "n1" }],
      dns: {
        records: [
          { name: "db.example.com", value: "203.0.113.9" },
          { name: "six.example.com", type: "AAAA", value: "2001:db8::9" },
          { name: "alias.example.com", type: "CNAME", value: "db.example.com." },
          { name: "a.example.com", type: "CNAME", value: "b.example.com" },
          { name: "b.example.com", type: "CNAME", value: "A.example.com." },
        ],
      },
    },
  },
  service("web", { clusterIP: "10.96.0.20", ports }),
  service("dual", {
    clusterIPs: ["10.96.0.21", "fd00:96::21"],
    clusterIP: "10.96.0.21",
    ipFamilies: ["IPv4", "IPv6"],
    ipFamilyPolicy: "RequireDualStack",
    ports,
  }),
  service("bare", { clusterIP: "None", ports }),
  service("nobody", { clusterIP: "None", ports }),
  slice("bare", "IPv4", [
    { addresses: ["10.244.0.9"], conditions: { ready: true }, hostname: "web-0" },
    { addresses: ["10.244.0.8"], conditions: { ready: true } },
    { addresses: ["10.244.0.7"], conditions: { ready: false } },
  ]),
  service("inside", { type: "ExternalName", externalName: "web.default.svc.cluster.local" }),
  service("outside", { type: "ExternalName", externalName: "db.example.com." }),
  service("elsewhere", { type: "ExternalName", externalName: "www.example.org" }),
  service("ping", { type: "ExternalName", externalName: "pong.default.svc.cluster.local" }),
  service("pong", { type: "ExternalName", externalName: "ping.default.svc.cluster.local" }),
];
const input = readInput({ files: ["-"], cwd: ".", stdin: () => documents.map((one) => JSON.stringify(one)).join("\n---\n") });
const cluster = decideCluster(input.objects, input.topology);

const server = createCoreDns(cluster, createCauseTable());

const describe = (reply: DnsReply, type: string): string => {
  if (reply.loop) return `loop ${reply.loop.length}`;
  if (reply.unknown !== undefined) return "unknown";
  const ips = addressesIn(reply, type);
  const alias = aliasIn(reply);
  if (ips.length > 0) return `${ips.join(" ")}${alias === undefined ? "" : ` alias ${alias}`}`;
  return reply.rcode === "NOERROR" ? "no-data" : reply.rcode.toLowerCase();
};

const queries: readonly (readonly [string, "A" | "AAAA", string])[] = [
  ["web.default.svc.cluster.local", "A", "10.96.0.20"],
  ["WEB.Default.svc.CLUSTER.local", "A", "10.96.0.20"],
  ["web.default.svc.cluster.local", "AAAA", "no-data"],
  ["dual.default.svc.cluster.local", "AAAA", "fd00:96::21"],
  ["bare.default.svc.cluster.local", "A", "10.244.0.8 10.244.0.9"],
  ["web-0.bare.default.svc.cluster.local", "A", "10.244.0.9"],
  ["10-244-0-8.bare.default.svc.cluster.local", "A", "10.244.0.8"],
  ["10-244-0-7.bare.default.svc.cluster.local", "A", "nxdomain"],
  ["x.web.default.svc.cluster.local", "A", "nxdomain"],
  ["nobody.default.svc.cluster.local", "A", "nxdomain"],
  ["gone.default.svc.cluster.local", "A", "nxdomain"],
  ["web.gone.svc.cluster.local", "A", "nxdomain"],
  ["web.default.cluster.local", "A", "nxdomain"],
  ["default.svc.cluster.local", "A", "no-data"],
  ["svc.cluster.local", "A", "no-data"],
  ["cluster.local", "A", "no-data"],
  ["inside.default.svc.cluster.local", "A", "10.96.0.20 alias web.default.svc.cluster.local"],
  ["outside.default.svc.cluster.local", "A", "203.0.113.9 alias db.example.com"],
  ["outside.default.svc.cluster.local", "AAAA", "no-data"],
  ["elsewhere.default.svc.cluster.local", "A", "unknown"],
  ["ping.default.svc.cluster.local", "A", "loop 3"],
  ["10-244-0-8.default.pod.cluster.local", "A", "10.244.0.8"],
  ["10-244-0-8.gone.pod.cluster.local", "A", "nxdomain"],
  ["999-1-1-1.default.pod.cluster.local", "A", "nxdomain"],
  ["fd00-244--8.default.pod.cluster.local", "AAAA", "fd00:244::8"],
  ["nonsense.default.pod.cluster.local", "A", "nxdomain"],
  ["__proto__.default.svc.cluster.local", "A", "nxdomain"],
  ["db.example.com", "A", "203.0.113.9"],
];
for (const [name, type, expected] of queries)
  test(`dns ${name} ${type}: ${expected}`, () => assert.equal(describe(server(name, type), type), expected));

const outside: readonly (readonly [string, "A" | "AAAA", string])[] = [
  ["db.example.com.", "A", "203.0.113.9"],
  ["DB.example.com", "A", "203.0.113.9"],
  ["db.example.com", "AAAA", "no-data"],
  ["six.example.com", "AAAA", "2001:db8::9"],
  ["alias.example.com", "A", "203.0.113.9 alias db.example.com"],
  ["a.example.com", "A", "loop 3"],
  ["www.example.org", "A", "unknown"],
  ["web", "A", "nxdomain"],
];
for (const [name, type, expected] of outside)
  test(`dns outside ${name} ${type}: ${expected}`, () => assert.equal(describe(outsideReply(cluster, name, type), type), expected));
