/** Requests from outside: node ports, the Ingress, and a user's mistakes (rows S32 to S49). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changed, destinationLine, REFERENCE, type Row, replace, runRows, seenFrom, traced } from "./rows.ts";

const byEndpoints = changed({ "topology.yaml": replace("      upstream: service\n", "") });
const withTls = changed({ "ingress.yaml": replace("spec:\n", "spec:\n  tls: [{hosts: [www.test.com], secretName: web}]\n") });
const noService = changed({ "tomcat6-service.yaml": undefined });
const wrongSelector = changed({ "tomcat6-service.yaml": replace("    app: tomcat6\n  ports", "    app: tomcat\n  ports") });
const wrongTarget = changed({ "tomcat6-service.yaml": replace("targetPort: 8080", "targetPort: 8081") });
const scaledToZero = changed({ "tomcat6-deployment.yaml": replace("replicas: 3", "replicas: 0") });
const noPorts = changed({
  "tomcat6-deployment.yaml": replace(
    "          ports:\n            - containerPort: 8080 # says what the process listens on; ktrace believes it\n",
    "",
  ),
});
const oneRule = (path: string, service: string) =>
  `          - {path: ${path}, pathType: Prefix, backend: {service: {name: ${service}, port: {number: 80}}}}\n`;
const app = (name: string) => `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {nodeName: k8s-node2, containers: [{name: web, image: x, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {selector: {app: ${name}}, ports: [{port: 80}]}
`;
const twoApps = changed({
  "ingress.yaml": `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules:
    - host: www.test.com
      http:
        paths:
${oneRule("/app1", "service1")}${oneRule("/app2", "service2")}${app("service1")}${app("service2")}`,
});

const rows: readonly Row[] = [
  {
    id: "S32: a node without a pod",
    command: "curl http://192.168.56.100:31160/",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: seenFrom(1, { local: 63, remote: 62 }),
      hops: ["client > node1 > node2 > tomcat6-8jxz7", "client > node1 > node3 > tomcat6-gbtt5", "client > node1 > node3 > tomcat6-hvxs5"],
    },
  },
  {
    id: "S33",
    command: "curl node2:31160",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: seenFrom(2, { local: 63, remote: 62 }),
      hops: ["client > node2 > tomcat6-8jxz7", "client > node2 > node3 > tomcat6-gbtt5", "client > node2 > node3 > tomcat6-hvxs5"],
    },
  },
  { id: "S33", command: "curl node3:31160", expect: { verdict: "delivered", exit: 0, paths: seenFrom(3, { local: 63, remote: 62 }) } },

  {
    id: "S41: the Ingress, through the Service",
    command: "curl http://www.test.com/",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: seenFrom(2, { local: 64, remote: 63 }),
      legs: ["transport host 192.168.56.101:80 nginx", "transport pod 10.96.246.235:80"],
    },
  },
  {
    id: "S41: the Ingress, to the endpoints",
    command: "curl http://www.test.com/",
    in: byEndpoints,
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: seenFrom(2, { local: 64, remote: 63 }),
      legs: [
        "transport host 192.168.56.101:80 nginx",
        "transport pod 10.244.1.11:8080",
        "transport pod 10.244.2.10:8080",
        "transport pod 10.244.2.11:8080",
      ],
    },
  },
  {
    id: "S42: by node3",
    command: "curl --resolve www.test.com:80:192.168.56.102 http://www.test.com/",
    expect: { verdict: "delivered", exit: 0, paths: seenFrom(3, { local: 64, remote: 63 }) },
  },
  {
    id: "S43: by node1, which has no controller",
    command: "curl -H 'Host: www.test.com' http://192.168.56.100/",
    expect: {
      verdict: "rejected",
      exit: 1,
      paths: ["1 rejected not-listening"],
      hops: ["client > node1"],
      clientSees: /Connection refused/,
    },
  },
  {
    id: "S44: the host decides, not the address",
    command: "curl http://192.168.56.101/",
    expect: { verdict: "http-error", exit: 1, paths: ["1 http-error ingress-no-match 404"] },
  },
  {
    id: "a wrong Host",
    command: "curl -H 'Host: www.example.com' http://www.test.com/",
    expect: { verdict: "http-error", exit: 1, paths: ["1 http-error ingress-no-match 404"] },
  },
  {
    id: "S45: the controller's own certificate",
    command: "curl -k https://www.test.com/",
    expect: { verdict: "delivered", exit: 0, paths: seenFrom(2, { local: 64, remote: 63 }) },
  },
  {
    id: "S45: not trusted",
    command: "curl https://www.test.com/",
    expect: { verdict: "http-error", exit: 1, paths: ["1 http-error tls-failed"], clientSees: /^curl: \(60\)/ },
  },
  {
    id: "S45: a tls host answers http with 308",
    command: "curl http://www.test.com/",
    in: withTls,
    expect: { verdict: "http-error", exit: 1, paths: ["1 http-error redirected 308"] },
  },
  {
    id: "S46: /app1",
    command: "curl http://www.test.com/app1",
    in: twoApps,
    expect: { verdict: "delivered", exit: 0, paths: ["1 10.244.1.2:80 sees 10.244.1.1 ttl 64"] },
  },
  {
    id: "S46: /app2",
    command: "curl http://www.test.com/app2/x",
    in: twoApps,
    expect: { verdict: "delivered", exit: 0, paths: ["1 10.244.1.3:80 sees 10.244.1.1 ttl 64"] },
  },
  {
    id: "S46: /",
    command: "curl http://www.test.com/",
    in: twoApps,
    expect: { verdict: "http-error", exit: 1, paths: ["1 http-error ingress-no-match 404"] },
  },
  {
    id: "S48: a ClusterIP with hostNetwork endpoints",
    command: "exec pod/nginx -- curl -H 'Host: www.test.com' http://10.96.38.18/",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: [...seenFrom(3, { local: 64, remote: 63 }, "1/6"), ...seenFrom(2, { local: 64, remote: 63 }, "1/6")],
    },
  },
  {
    id: "S49: the Service is gone",
    command: "curl http://www.test.com/",
    in: noService,
    expect: { verdict: "http-error", exit: 1, paths: ["1 http-error ingress-no-endpoints 503"] },
  },

  {
    id: "UDP",
    command: "nc -u node2 31999",
    expect: {
      verdict: "delivered",
      exit: 0,
      paths: ["1/2 10.244.1.20:9999 sees 10.244.1.1 ttl 63", "1/2 10.244.2.20:9999 sees 10.244.1.0 ttl 62"],
    },
  },
  {
    id: "UDP to a TCP node port",
    command: "nc -u node2 31160",
    expect: { verdict: "rejected", exit: 1, paths: ["1 rejected not-listening"], clientSees: /Connection refused/ },
  },
  {
    id: "a mistyped selector",
    command: "curl node2:31160",
    in: wrongSelector,
    expect: { verdict: "rejected", exit: 1, paths: ["1 rejected no-endpoints"], clientSees: /Connection refused/ },
  },
  {
    id: "the same from a pod",
    command: "exec pod/nginx -- curl http://tomcat6/",
    in: wrongSelector,
    expect: { verdict: "rejected", exit: 7, paths: ["1 rejected no-endpoints"] },
  },
  {
    id: "a wrong targetPort",
    command: "curl node2:31160",
    in: wrongTarget,
    expect: {
      verdict: "rejected",
      exit: 1,
      paths: ["1/3 rejected not-listening", "1/3 rejected not-listening", "1/3 rejected not-listening"],
    },
  },
  {
    id: "scaled to 0",
    command: "curl node2:31160",
    in: scaledToZero,
    expect: { verdict: "rejected", exit: 1, paths: ["1 rejected no-endpoints"] },
  },
  {
    id: "an address that the client has no route to",
    command: "curl http://10.0.2.5:31160/",
    expect: { verdict: "rejected", exit: 1, paths: ["1 rejected no-route"], hops: ["client"] },
  },
  {
    id: "pods that declare no port",
    command: "curl node2:31160",
    in: noPorts,
    expect: { verdict: "delivered", exit: 0, paths: seenFrom(2, { local: 63, remote: 62 }) },
  },
];
runRows(rows);

test("a port that no container declares is marked as assumed, a declared one is not", async () => {
  const assumed = await traced("curl node2:31160", noPorts);
  assert.ok(assumed.trace.paths.every(({ destination }) => destination?.assumed === true));
  assert.equal(assumed.trace.assumed.length, 1);
  const stated = await traced("curl node2:31160", REFERENCE);
  assert.ok(stated.trace.paths.every(({ destination }) => destination?.assumed === undefined));
  assert.deepEqual(stated.trace.assumed, []);
});

test("with a wrong targetPort each pod is reached, and each refuses", async () => {
  const { trace } = await traced("curl node2:31160", wrongTarget);
  assert.deepEqual(
    trace.paths.map(({ destination }) => destinationLine(destination)),
    seenFrom(2, { local: 63, remote: 62 }, "").map((line) => line.trim().replace("8080", "8081")),
  );
});

test("S41: the proxy sees the client itself, and its own requests to endpoints pass no NAT", async () => {
  const { trace } = await traced("curl http://www.test.com/", byEndpoints);
  for (const path of trace.paths) {
    const [first, second] = path.legs;
    assert.equal(first?.destination?.clientIPSeen, "192.168.56.1");
    assert.equal(first?.proxy?.process, "nginx");
    assert.deepEqual(
      second?.hops.flatMap(({ steps }) => steps.filter(({ kind }) => kind === "nat")),
      [],
    );
  }
});

test("S48: each controller sees the pod, or its node when it is on another one", async () => {
  const { trace } = await traced("exec pod/nginx -- curl -H 'Host: www.test.com' http://10.96.38.18/");
  const firsts = trace.paths.map(({ legs }) => `${legs[0]?.destination?.ip} sees ${legs[0]?.destination?.clientIPSeen}`);
  assert.deepEqual([...new Set(firsts)], ["10.0.2.15 sees 10.0.2.5", "10.0.2.5 sees 10.244.1.15"]);
});
