/** The shapes that other people's projects have, in manifests of our own, without a topology and without kube-system. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ktrace } from "../cli/io.ts";

const deployment = (name: string, labels: string, container: string, kind = "Deployment", more = ""): string =>
  `apiVersion: ${kind === "Job" ? "batch/v1" : "apps/v1"}
kind: ${kind}
metadata: {name: ${name}, namespace: shop}
spec:
  ${kind === "Job" ? "" : `selector: {matchLabels: {${labels}}}`}
  ${more}
  template:
    metadata: {labels: {${labels}}}
    spec: {restartPolicy: ${kind === "Job" ? "Never" : "Always"}, containers: [{name: c, image: x, ${container}}]}
`;
const service = (name: string, spec: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}\n`;
const all = (...documents: readonly string[]): string =>
  ["apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n", ...documents].join("---\n");

const CLIENT = deployment("client", "app: client", "command: [sleep]");
const FRONT = deployment("front", "app: front", "ports: [{containerPort: 8080}]");
const rows: readonly { readonly name: string; readonly input: string; readonly ask: string; readonly says: string }[] = [
  {
    name: "a Service port that differs from the container's",
    input: all(CLIENT, FRONT, service("mail", "{selector: {app: front}, ports: [{port: 5000, targetPort: 8080}]}")),
    ask: "nc mail 5000",
    says: "delivered 8080",
  },
  {
    name: "ports by name, and Jobs of the same family behind no Service",
    input: all(
      CLIENT,
      deployment(
        "edge",
        "part: edge, role: controller",
        "ports: [{name: https, containerPort: 443}, {name: webhook, containerPort: 8443}]",
      ),
      deployment("edge-setup", "part: edge, role: setup", "args: [x]", "Job"),
      service("admission", "{selector: {part: edge, role: controller}, ports: [{name: https-webhook, port: 443, targetPort: webhook}]}"),
    ),
    ask: "nc admission.shop.svc 443",
    says: "delivered 8443",
  },
  {
    name: "two Services over one pod, the second waits for a balancer that nobody has",
    input: all(
      CLIENT,
      FRONT,
      service("front", "{selector: {app: front}, ports: [{name: http, port: 80, targetPort: 8080}]}"),
      service("front-external", "{type: LoadBalancer, selector: {app: front}, ports: [{name: http, port: 80, targetPort: 8080}]}"),
    ),
    ask: "nc front-external 80",
    says: "delivered 8080",
  },
  {
    name: "a part that was left out of the installation",
    input: all(CLIENT, FRONT),
    ask: "nc assistant 80",
    says: "unresolved name-not-found",
  },
  {
    name: "two ports of one Service",
    input: all(
      CLIENT,
      deployment("voting", "app: voting", "ports: [{name: grpc, containerPort: 8080}, {name: prom, containerPort: 8801}]"),
      service("voting", "{selector: {app: voting}, ports: [{name: grpc, port: 8080}, {name: prom, port: 8801}]}"),
    ),
    ask: "nc voting 8801",
    says: "delivered 8801",
  },
  {
    name: "a StatefulSet's peer by its own name, on a port that its headless Service does not list",
    input: all(
      CLIENT,
      deployment(
        "ring",
        "app: ring",
        "ports: [{name: intra, containerPort: 7000}, {name: cql, containerPort: 9042}]",
        "StatefulSet",
        "serviceName: ring\n  replicas: 3",
      ),
      service("ring", "{clusterIP: None, selector: {app: ring}, ports: [{port: 9042}]}"),
    ),
    ask: "nc ring-0.ring 7000",
    says: "delivered 7000",
  },
  {
    name: "documents that no packet meets: Secrets, roles, definitions of custom resources",
    input: all(
      "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\n",
      "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\nrules: []\n",
      "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: pools.example.io}\nspec: {}\n",
      CLIENT,
      FRONT,
      service("front", "{selector: {app: front}, ports: [{port: 80, targetPort: 8080}]}"),
    ),
    ask: "nc front 80",
    says: "delivered 8080",
  },
];
for (const { name, input, ask, says } of rows) {
  test(name, async () => {
    const { stdout, stderr } = await ktrace(["-f", "-", "-n", "shop", "--from", "deploy/client", "-o", "json", ...ask.split(" ")], {
      stdin: input,
    });
    const { verdict, paths } = JSON.parse(stdout);
    assert.equal(`${verdict} ${paths[0].reason ?? paths[0].destination.port}`, says);
    assert.doesNotMatch(stderr, /^(error|warning)\[(?!KT306)/m);
  });
}
