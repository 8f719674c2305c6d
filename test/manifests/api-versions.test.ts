/** Every version in which Kubernetes has served a kind that is read, those removed long ago too. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readInput } from "../../src/manifests/input.ts";

const TEMPLATE = "template: {metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: x}]}}";
const rows: readonly { readonly kind: string; readonly versions: readonly string[]; readonly body: string }[] = [
  { kind: "Deployment", versions: ["apps/v1beta2", "apps/v1beta1", "extensions/v1beta1"], body: `spec: {${TEMPLATE}}` },
  { kind: "Deployment", versions: ["apps/v1"], body: `spec: {selector: {matchLabels: {app: a}}, ${TEMPLATE}}` },
  { kind: "ReplicaSet", versions: ["apps/v1beta2", "extensions/v1beta1"], body: `spec: {${TEMPLATE}}` },
  { kind: "StatefulSet", versions: ["apps/v1beta2", "apps/v1beta1"], body: `spec: {serviceName: a, ${TEMPLATE}}` },
  { kind: "DaemonSet", versions: ["apps/v1beta2", "extensions/v1beta1"], body: `spec: {${TEMPLATE}}` },
  {
    kind: "CronJob",
    versions: ["batch/v1", "batch/v1beta1", "batch/v2alpha1"],
    body: `spec: {schedule: "* * * * *", jobTemplate: {spec: {${TEMPLATE.replace("{containers", "{restartPolicy: Never, containers")}}}}`,
  },
  {
    kind: "Ingress",
    versions: ["networking.k8s.io/v1beta1", "extensions/v1beta1"],
    body: "spec: {backend: {serviceName: a, servicePort: 80}}",
  },
  { kind: "Ingress", versions: ["networking.k8s.io/v1"], body: "spec: {defaultBackend: {service: {name: a, port: {number: 80}}}}" },
  {
    kind: "IngressClass",
    versions: ["networking.k8s.io/v1", "networking.k8s.io/v1beta1"],
    body: "spec: {controller: k8s.io/ingress-nginx}",
  },
  {
    kind: "EndpointSlice",
    versions: ["discovery.k8s.io/v1", "discovery.k8s.io/v1beta1"],
    body: "addressType: IPv4\nendpoints: [{addresses: [10.0.0.1]}]",
  },
  {
    kind: "EndpointSlice",
    versions: ["discovery.k8s.io/v1alpha1"],
    body: "addressType: IP\nendpoints: [{addresses: [10.0.0.1], topology: {kubernetes.io/hostname: n1}}]",
  },
];
for (const { kind, versions, body } of rows)
  for (const version of versions)
    test(`${kind} in ${version}`, () => {
      const text = `apiVersion: ${version}\nkind: ${kind}\nmetadata: {name: a, labels: {kubernetes.io/service-name: a}}\n${body}\n`;
      const { objects, diagnostics } = readInput({ files: ["-"], cwd: ".", stdin: () => text });
      assert.deepEqual(
        diagnostics.map(({ message }) => message),
        [],
      );
      const [object] = objects;
      assert.equal(object?.kind, kind);
      if (object?.kind === "Ingress") assert.deepEqual(object.spec?.defaultBackend, { service: { name: "a", port: { number: 80 } } });
      if (object?.kind === "EndpointSlice") assert.equal(object.addressType, "IPv4");
      if (object?.kind === "Deployment") assert.deepEqual(object.spec?.selector, { matchLabels: { app: "a" } });
    });
