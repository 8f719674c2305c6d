/** What the API server refuses about a Service: the field, and its reason (pkg/apis/core/validation, API validation facts). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decideCluster } from "../../src/cluster/decide.ts";
import { validateObject } from "../../src/cluster/validation/validate.ts";
import type { ServiceSpec } from "../../src/objects/api.ts";
import { violationText } from "../../src/objects/violation.ts";
import { service } from "./objects.ts";

const ports = [{ port: 80 }];
const newest = { major: 1, minor: 36, text: "1.36" };
type Row = {
  readonly why: string;
  readonly spec: ServiceSpec;
  readonly says: readonly string[]; // code field: reason
  readonly name?: string;
  readonly dual?: boolean;
  readonly minor?: number;
};

const rows: readonly Row[] = [
  { why: "the usual", spec: { ports }, says: [] },
  { why: "ports are required", spec: {}, says: ["KT008 spec.ports: Required value"] },
  { why: "headless needs none", spec: { clusterIP: "None" }, says: [] },
  {
    why: "several ports need names",
    spec: { ports: [{ port: 80 }, { port: 81, name: "b" }] },
    says: ["KT109 spec.ports[0].name: Required value"],
  },
  {
    why: "names are unique",
    spec: {
      ports: [
        { port: 80, name: "a" },
        { port: 81, name: "a" },
      ],
    },
    says: ['KT109 spec.ports[1].name: Duplicate value: "a"'],
  },
  {
    why: "a port once a protocol",
    spec: {
      ports: [
        { port: 80, name: "a" },
        { port: 80, name: "b" },
        { port: 80, name: "c", protocol: "UDP" },
      ],
    },
    says: ['KT109 spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}'],
  },
  {
    why: "a port name is a label",
    spec: { ports: [{ port: 80, name: "HTTP" }] },
    says: ['KT008 spec.ports[0].name: Invalid value: "HTTP": a lowercase RFC 1123 label'],
  },
  {
    why: "a number as text is no port name",
    spec: { ports: [{ port: 80, targetPort: "8080" }] },
    says: ['KT106 spec.ports[0].targetPort: Invalid value: "8080": must contain at least one letter'],
  },
  {
    why: "a long port name",
    spec: { ports: [{ port: 80, targetPort: "averylongportname" }] },
    says: ['KT008 spec.ports[0].targetPort: Invalid value: "averylongportname": must be no more than 15'],
  },
  { why: "targetPort 0 is left to default", spec: { ports: [{ port: 80, targetPort: 0 }] }, says: [] },
  {
    why: "nodePort needs a type that has them",
    spec: { ports: [{ port: 80, nodePort: 31200 }] },
    says: ["KT120 spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
  },
  {
    why: "one node port for two ports",
    spec: {
      type: "NodePort",
      ports: [
        { name: "a", port: 80, nodePort: 31200 },
        { name: "b", port: 81, nodePort: 31200 },
      ],
    },
    says: ["KT302 spec.ports[1].nodePort: Duplicate value: 31200"],
  },
  {
    why: "kubelet's port",
    spec: { type: "LoadBalancer", ports: [{ port: 10250 }] },
    says: ["KT120 spec.ports[0].port: Invalid value: 10250: may not expose port 10250"],
  },
  {
    why: "S60: only LoadBalancer",
    spec: { type: "NodePort", ports, allocateLoadBalancerNodePorts: false },
    says: ["KT120 spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'"],
  },
  {
    why: "source ranges too",
    spec: { ports, loadBalancerSourceRanges: ["10.0.0.0/8"] },
    says: ["KT120 spec.loadBalancerSourceRanges: Forbidden"],
  },
  { why: "and the class", spec: { ports, loadBalancerClass: "a/b" }, says: ["KT120 spec.loadBalancerClass: Forbidden"] },
  {
    why: "externalTrafficPolicy without anything external",
    spec: { ports, externalTrafficPolicy: "Local" },
    says: ['KT120 spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
  },
  { why: "external addresses make it so", spec: { ports, externalTrafficPolicy: "Local", externalIPs: ["198.51.100.1"] }, says: [] },
  {
    why: "healthCheckNodePort needs Local",
    spec: { type: "LoadBalancer", ports, healthCheckNodePort: 32000 },
    says: ["KT120 spec.healthCheckNodePort: Invalid value: 32000"],
  },
  {
    why: "no node port without an address",
    spec: { type: "NodePort", clusterIP: "None", ports },
    says: [`KT120 spec.clusterIP: Invalid value: "None": may not be set to 'None' for NodePort`],
  },
  { why: "ExternalName needs a name", spec: { type: "ExternalName" }, says: ["KT008 spec.externalName: Required value"] },
  {
    why: "a name has no scheme",
    spec: { type: "ExternalName", externalName: "http://db.example.com" },
    says: ['KT008 spec.externalName: Invalid value: "http://db.example.com"'],
  },
  {
    why: "and no address of the cluster",
    spec: { type: "ExternalName", externalName: "db.example.com", clusterIP: "10.96.0.50" },
    says: ["KT120 spec.clusterIPs: Forbidden: may not be set for ExternalName"],
  },
  {
    why: "S88: loopback",
    spec: { ports, externalIPs: ["127.0.0.1"] },
    says: ['KT008 spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range'],
  },
  {
    why: "link-local",
    spec: { ports, externalIPs: ["169.254.1.1"] },
    says: ['KT008 spec.externalIPs[0]: Invalid value: "169.254.1.1": may not be in the link-local range'],
  },
  {
    why: "nobody's address",
    spec: { ports, externalIPs: ["0.0.0.0"] },
    says: ['KT008 spec.externalIPs[0]: Invalid value: "0.0.0.0": may not be unspecified'],
  },
  {
    why: "S58: clusterIPs[0] is clusterIP",
    spec: { ports, clusterIP: "10.96.0.50", clusterIPs: ["10.96.0.51"] },
    says: ['KT008 spec.clusterIPs[0]: Invalid value: "10.96.0.51": must match'],
  },
  {
    why: "S58: two families on a single-stack cluster",
    spec: { ports, clusterIPs: ["10.96.0.50", "fd00:10:96::1"] },
    says: ['KT116 spec.clusterIPs[1]: Invalid value: "fd00:10:96::1": IPv6 is not configured'],
  },
  { why: "S58: on a dual-stack one", spec: { ports, clusterIPs: ["10.96.0.50", "fd00:10:96::9"] }, dual: true, says: [] },
  { why: "two of one family", spec: { ports, clusterIPs: ["10.96.0.50", "10.96.0.51"] }, says: ["KT116 spec.clusterIPs: Invalid value"] },
  {
    why: "S59: a family that the cluster lacks",
    spec: { ports, ipFamilies: ["IPv6"] },
    says: ['KT116 spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'],
  },
  {
    why: "S59: RequireDualStack",
    spec: { ports, ipFamilyPolicy: "RequireDualStack" },
    says: ['KT116 spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack'],
  },
  { why: "S59: PreferDualStack takes what there is", spec: { ports, ipFamilyPolicy: "PreferDualStack" }, says: [] },
  {
    why: "SingleStack with two",
    spec: { ports, ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4", "IPv6"] },
    dual: true,
    says: ['KT116 spec.ipFamilyPolicy: Invalid value: "SingleStack"'],
  },
  {
    why: "an address of the other family",
    spec: { ports, ipFamilies: ["IPv6"], clusterIP: "10.96.0.50" },
    dual: true,
    says: ['KT116 spec.clusterIPs[0]: Invalid value: "10.96.0.50": expected an IPv6 value'],
  },
  {
    why: "affinity settings without affinity",
    spec: { ports, sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } },
    says: ["KT008 spec.sessionAffinityConfig: Forbidden: must not be set when session affinity is None"],
  },
  { why: "PreferSameNode is known now", spec: { ports, trafficDistribution: "PreferSameNode" }, says: [] },
  {
    why: "and was not before",
    spec: { ports, trafficDistribution: "PreferSameNode" },
    minor: 33,
    says: ['KT008 spec.trafficDistribution: Unsupported value: "PreferSameNode"'],
  },
  { why: "a leading digit since 1.36", spec: { ports }, name: "1web", says: [] },
  { why: "not before", spec: { ports }, name: "1web", minor: 35, says: ['KT008 metadata.name: Invalid value: "1web": a DNS-1035 label'] },
];
for (const { why, spec, says, name = "web", dual = false, minor = 36 } of rows)
  test(why, () => {
    const families = dual ? (["IPv4", "IPv6"] as const) : (["IPv4"] as const);
    const found = validateObject(service(name, spec), { version: { ...newest, minor }, families });
    const said = found.map((violation) => `${violation.code} ${violationText(violation)}`);
    assert.equal(said.length, says.length, said.join("\n"));
    says.forEach((start, i) => {
      assert.ok(said[i]?.startsWith(start), said[i]);
    });
  });

test("a refused Service is not there, the others are", () => {
  const cluster = decideCluster([service("bad", { ports: [{ port: 80, nodePort: 31200 }] }), service("good", { ports })], {});
  assert.deepEqual(
    cluster.services.map((each) => each.name),
    ["good", "kubernetes"],
  );
  assert.match(cluster.diagnostics[0]?.message ?? "", /^Service default\/bad: spec\.ports\[0\]\.nodePort: Forbidden/);
  assert.match(cluster.diagnostics[0]?.help ?? "", /refuses/);
});
