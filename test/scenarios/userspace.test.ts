/** Userspace mode on the reference cluster: what pkg/proxy/userspace of 1.20 does, removed in 1.26. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { both, type Claim, delivered, mode, rejected, topologyOf } from "./modes.ts";
import { changed, runRows, seenFrom, traced } from "./rows.ts";

const A = "pod/tomcat6-5f7ccf4cb9-8jxz7";
const pods = ["10.244.1.11", "10.244.2.10", "10.244.2.11"] as const;
const userspace = changed(mode("    mode: userspace\n", "1.20.2"));
const userspaceNobody = changed({
  ...mode("    mode: userspace\n", "1.20.2"),
  "tomcat6-service.yaml": (text) => text.replace(/(selector:\n\s+app: )tomcat6/, "$1nobody"),
});
const userspaceDead = changed({
  "topology.yaml": both(topologyOf(mode("    mode: userspace\n", "1.20.2")), (text) =>
    text.replace(/(- \{ *name: default\/tomcat6-5f7ccf4cb9-gbtt5,)/, "$1 dead: true,"),
  ),
});
/** kube-proxy's own packets: nothing forwards them on the node itself. */
const OWN_TTL = { local: 64, remote: 63 } as const;

const userspaceClaims: readonly Claim[] = [
  {
    id: "S75 pod to cluster IP",
    why: "REDIRECT to kube-proxy on the pod's node, which opens its own connection: V(n2)",
    command: "exec pod/nginx -- curl http://10.96.246.235/",
    in: userspace,
    expect: {
      ...delivered(seenFrom(2, OWN_TTL)),
      legs: ["transport pod 10.96.246.235:80 kube-proxy", ...pods.map((ip) => `transport node ${ip}:8080`)],
    },
  },
  {
    id: "S75 outside to a node port",
    why: "KUBE-NODEPORT-CONTAINER; the client's address is lost",
    command: "curl node2:31160",
    in: userspace,
    expect: {
      ...delivered(seenFrom(2, OWN_TTL)),
      legs: ["transport host 192.168.56.101:31160 kube-proxy", ...pods.map((ip) => `transport node ${ip}:8080`)],
    },
  },
  {
    id: "node to cluster IP",
    why: "KUBE-PORTALS-HOST: DNAT to the node's own address",
    command: "exec node/k8s-node1 -- curl http://10.96.246.235/",
    in: userspace,
    expect: delivered(seenFrom(1, OWN_TTL)),
  },
  {
    id: "node port on loopback",
    why: "KUBE-NODEPORT-HOST takes any local address",
    command: "exec node/k8s-node2 -- curl http://127.0.0.1:31160/",
    in: userspace,
    expect: delivered(seenFrom(2, OWN_TTL)),
  },
  {
    id: "a pod to itself through its Service",
    why: "two connections: it sees the node",
    command: `exec ${A} -- curl http://10.96.246.235/`,
    in: userspace,
    expect: delivered(seenFrom(2, OWN_TTL)),
  },
  {
    id: "no endpoints",
    why: "kube-proxy accepts, finds none and closes: an empty reply, no refusal",
    command: "exec pod/nginx -- curl http://10.96.246.235/",
    in: userspaceNobody,
    expect: { ...rejected("no-endpoints", 52), clientSees: /curl: \(52\) Empty reply/ },
  },
  {
    id: "no endpoints, in the words of trace",
    why: "connected first, so not refused",
    command: "trace --from pod/nginx --to 10.96.246.235:80",
    in: userspaceNobody,
    expect: { ...rejected("no-endpoints", 1), clientSees: /^10\.96\.246\.235: connected, then closed without an answer$/ },
  },
  {
    id: "a dead endpoint",
    why: "EndpointDialTimeouts: the next endpoint is tried, so its share goes to the next",
    command: "curl node2:31160",
    in: userspaceDead,
    expect: delivered([
      "1/3 10.244.1.11:8080 sees 10.244.1.1 ttl 64",
      "1/3 10.244.2.11:8080 sees 10.244.1.0 ttl 63",
      "1/3 10.244.2.11:8080 sees 10.244.1.0 ttl 63",
    ]),
  },
  {
    id: "through an ingress controller that asks the Service",
    why: "three connections: client, nginx, kube-proxy",
    command: "curl http://www.test.com/",
    in: userspace,
    expect: {
      ...delivered(seenFrom(2, OWN_TTL)),
      legs: [
        "transport host 192.168.56.101:80 nginx",
        "transport pod 10.96.246.235:80 kube-proxy",
        ...pods.map((ip) => `transport node ${ip}:8080`),
      ],
    },
  },
  {
    id: "ping of a cluster IP",
    why: "no rule takes it: it follows the routes",
    command: "exec pod/nginx -- ping 10.96.246.235",
    in: userspace,
    expect: { verdict: "exits", exit: 1, paths: ["1 exits left-topology"] },
  },
];
runRows(userspaceClaims.map((row) => ({ ...row, id: `userspace, ${row.id}` })));

test("S75: userspace mode of a release that has none decides nothing", async () => {
  const { trace } = await traced("curl node2:31160", changed(mode("    mode: userspace\n", "1.26.0")));
  assert.equal(trace.verdict, "unknown");
  assert.match(trace.paths[0]?.text ?? "", /no userspace mode since 1\.26/);
});
