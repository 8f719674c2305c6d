import assert from "node:assert/strict";
import test from "node:test";
import { containerEnv, isOrderAssumed, serviceEnv } from "../../../src/agents/kubelet/env.ts";
import { formatHostsFile, hostnameOf, hostsFileOf } from "../../../src/agents/kubelet/hosts-file.ts";
import { formatResolvConf, resolvConfOf } from "../../../src/agents/kubelet/resolv-conf.ts";
import { boundSockets, processName } from "../../../src/agents/kubelet/sockets.ts";
import type { ClusterPod, ClusterService } from "../../../src/cluster/cluster.ts";
import type { ListeningSocket } from "../../../src/linux/netns.ts";
import type { PodSpec } from "../../../src/objects/api.ts";
import { MANIFEST, sampleCluster, sampleNode, samplePod, sampleService } from "../sample-cluster.ts";

const pod = (spec: PodSpec, over: Partial<ClusterPod> = {}): ClusterPod => samplePod("web", 2, "10.244.1.15", { spec, ...over });
const nodes = [sampleNode(1), sampleNode(2, { resolvConf: { nameservers: ["10.0.2.3"], search: ["lan"], options: ["rotate"] } })];
const ClusterFirst = "search default.svc.cluster.local svc.cluster.local cluster.local lan\nnameserver 10.96.0.10\noptions ndots:5\n";
const ofNode = "search lan\nnameserver 10.0.2.3\noptions rotate\n";

const resolvers: readonly { readonly name: string; readonly spec: PodSpec; readonly hostNetwork?: boolean; readonly text: string }[] = [
  { name: "no policy is ClusterFirst", spec: {}, text: ClusterFirst },
  { name: "ClusterFirst with hostNetwork falls back to the node's", spec: { dnsPolicy: "ClusterFirst" }, hostNetwork: true, text: ofNode },
  { name: "ClusterFirstWithHostNet does not", spec: { dnsPolicy: "ClusterFirstWithHostNet" }, hostNetwork: true, text: ClusterFirst },
  { name: "Default is the node's", spec: { dnsPolicy: "Default" }, text: ofNode },
  {
    name: "None is dnsConfig alone",
    spec: { dnsPolicy: "None", dnsConfig: { nameservers: ["1.1.1.1"], options: [{ name: "edns0" }] } },
    text: "nameserver 1.1.1.1\noptions edns0\n",
  },
  {
    name: "dnsConfig adds, replaces options by name, and three nameservers are the most",
    spec: {
      dnsConfig: {
        nameservers: ["1.1.1.1", "10.96.0.10", "2.2.2.2", "3.3.3.3"],
        searches: ["lan", "corp"],
        options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
      },
    },
    text: "search default.svc.cluster.local svc.cluster.local cluster.local lan corp\nnameserver 10.96.0.10\nnameserver 1.1.1.1\nnameserver 2.2.2.2\noptions ndots:2 edns0\n",
  },
];
for (const { name, spec, hostNetwork, text } of resolvers)
  test(`resolv.conf: ${name}`, () =>
    assert.equal(formatResolvConf(resolvConfOf(sampleCluster({ nodes }), pod(spec, { hostNetwork: hostNetwork ?? false }))), text));

test("resolv.conf: six search domains before 1.26, thirty-two since", () => {
  const searches = Array.from({ length: 40 }, (_, i) => `d${i}`);
  const count = (minor: number) =>
    resolvConfOf(sampleCluster({ nodes, version: { major: 1, minor, text: `1.${minor}` } }), pod({ dnsConfig: { searches } })).search
      .length;
  assert.deepEqual([count(17), count(26)], [6, 32]);
});

test("hosts file: own address, name below a headless Service, aliases", () => {
  const text = formatHostsFile(
    hostsFileOf(sampleCluster(), pod({ hostname: "db-0", subdomain: "db", hostAliases: [{ ip: "10.0.0.9", hostnames: ["a", "b"] }] })),
  );
  assert.match(text, /^127\.0\.0\.1\tlocalhost$/m);
  assert.match(text, /^10\.244\.1\.15\tdb-0\.db\.default\.svc\.cluster\.local\tdb-0$/m);
  assert.match(text, /^10\.0\.0\.9\ta\tb$/m);
  assert.match(formatHostsFile(hostsFileOf(sampleCluster(), pod({}))), /^10\.244\.1\.15\tweb$/m);
});

test("hosts file and hostname of a hostNetwork pod are the node's", () => {
  const own = [sampleNode(2, { hostsFile: [{ name: "registry", ip: "10.0.2.100" }] })];
  const hosted = pod({}, { hostNetwork: true, ips: ["10.0.2.5"] });
  const entries = hostsFileOf(sampleCluster({ nodes: own }), hosted);
  assert.deepEqual(entries.at(-1), { ip: "10.0.2.100", names: ["registry"] });
  assert.equal(hostnameOf(hosted), "k8s-node2");
});

test("Service variables: names, ports, and which Services", () => {
  const services = [
    sampleService("kubernetes", {
      clusterIPs: ["10.96.0.1"],
      ports: [{ index: 0, name: "https", protocol: "TCP", port: 443, targetPort: 6443 }],
    }),
    sampleService("my-web"),
    sampleService("headless", { clusterIPs: ["None"] }),
    sampleService("elsewhere", { namespace: "test" }),
    sampleService("alias", { type: "ExternalName", clusterIPs: [] }),
  ];
  const cluster = sampleCluster({ services });
  assert.deepEqual(
    serviceEnv(cluster, pod({})).map(({ name, value }) => `${name}=${value}`),
    [
      "KUBERNETES_SERVICE_HOST=10.96.0.1",
      "KUBERNETES_SERVICE_PORT=443",
      "KUBERNETES_SERVICE_PORT_HTTPS=443",
      "KUBERNETES_PORT=tcp://10.96.0.1:443",
      "KUBERNETES_PORT_443_TCP=tcp://10.96.0.1:443",
      "KUBERNETES_PORT_443_TCP_PROTO=tcp",
      "KUBERNETES_PORT_443_TCP_PORT=443",
      "KUBERNETES_PORT_443_TCP_ADDR=10.96.0.1",
      "MY_WEB_SERVICE_HOST=10.96.0.7",
      "MY_WEB_SERVICE_PORT=80",
      "MY_WEB_PORT=tcp://10.96.0.7:80",
      "MY_WEB_PORT_80_TCP=tcp://10.96.0.7:80",
      "MY_WEB_PORT_80_TCP_PROTO=tcp",
      "MY_WEB_PORT_80_TCP_PORT=80",
      "MY_WEB_PORT_80_TCP_ADDR=10.96.0.7",
    ],
  );
  const names = (spec: PodSpec, namespace: string) =>
    serviceEnv(cluster, pod(spec, { namespace })).flatMap(({ name }) => /^(.*)_SERVICE_HOST$/.exec(name)?.[1] ?? []);
  assert.deepEqual(names({ enableServiceLinks: false }, "default"), ["KUBERNETES"]);
  assert.deepEqual(names({}, "test"), ["KUBERNETES", "ELSEWHERE"]);
  assert.deepEqual(
    containerEnv(cluster, pod({}), "web", [{ name: "MY_WEB_PORT", value: "x" }]).find(({ name }) => name === "MY_WEB_PORT")?.value,
    "x",
  );
});

const T = (hour: number): string => `2024-05-01T${String(hour).padStart(2, "0")}:00:00Z`;
const created = (hour: number | undefined): ClusterService["object"] => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "db", ...(hour === undefined ? {} : { creationTimestamp: T(hour) }) },
  source: MANIFEST,
});
const dumped = (metadata: number | undefined, startTime?: number, startedAt?: number): Partial<ClusterPod> => ({
  object: {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", ...(metadata === undefined ? {} : { creationTimestamp: T(metadata) }) },
    status: {
      ...(startTime === undefined ? {} : { startTime: T(startTime) }),
      containerStatuses: [{ ...(startedAt === undefined ? {} : { name: "c", state: { running: { startedAt: T(startedAt) } } }) }],
    },
    source: MANIFEST,
  },
});
const ages: readonly {
  readonly name: string;
  readonly service: number | undefined;
  readonly pod: Partial<ClusterPod>;
  readonly has: boolean;
  readonly assumed: boolean;
}[] = [
  { name: "before the pod", service: 1, pod: dumped(2), has: true, assumed: false },
  { name: "after the pod", service: 3, pod: dumped(2), has: false, assumed: false },
  { name: "in the same second", service: 2, pod: dumped(2), has: true, assumed: false },
  { name: "while the pod waited for a node", service: 3, pod: dumped(2, 4), has: true, assumed: false },
  { name: "before the container started anew", service: 5, pod: dumped(2, 4, 6), has: true, assumed: false },
  { name: "nobody knows when", service: undefined, pod: dumped(2), has: true, assumed: true },
  { name: "nor when the pod came", service: 3, pod: {}, has: true, assumed: true },
];
for (const { name, service, pod: over, has, assumed } of ages)
  test(`Service variables: a Service made ${name}`, () => {
    const object = created(service);
    const cluster = sampleCluster({ services: [sampleService("db", object ? { object } : {})] });
    assert.equal(serviceEnv(cluster, pod({}, over)).length > 0, has);
    assert.equal(isOrderAssumed(cluster, pod({}, over)), assumed);
  });

test("process names: the command's program, the image's known server, the container", () => {
  const cases = [
    [{ name: "c", image: "registry:5000/team/tomcat:6.0@sha256:aa" }, "java"],
    [{ name: "c", image: "siriuszg/nginx-ingress-controller:0.20.0" }, "nginx"],
    [{ name: "c", image: "jonbaier/httpwhalesay:0.1", command: ["node", "index.js"] }, "node"],
    [{ name: "c", image: "redis:7", command: ["/bin/sh", "-c", "redis-server"] }, "redis-server"],
    [{ name: "api", image: "example/backend:2" }, "api"],
    [{ name: "averyveryverylongname", image: "example/x" }, "averyveryverylo"],
    [{ name: "only" }, "only"],
    [undefined, ""],
  ] as const;
  for (const [given, expected] of cases) assert.equal(processName(given), expected);
});

test("a port is bound once, except at different addresses", () => {
  const socket = (ip: string, process: string): ListeningSocket => ({ protocol: "tcp", ip, port: 80, process, owner: "o", cause: 0 });
  const bound = (...sockets: ListeningSocket[]) => boundSockets(sockets).map(({ process }) => process);
  assert.deepEqual(bound(socket("*", "a"), socket("*", "b")), ["a"]);
  assert.deepEqual(bound(socket("127.0.0.1", "a"), socket("10.0.2.5", "b"), socket("*", "c")), ["a", "b"]);
});
