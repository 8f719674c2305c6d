import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeKind, peekKind } from "../../src/manifests/kinds.ts";

const certain = { apiVersion: "v1", kind: "Secret" };
const peeks: readonly (readonly [string, string, unknown])[] = [
  ["plain", "apiVersion: v1\nkind: Secret\n", certain],
  ["quoted values, comments, CRLF", "# c\nkind: 'Secret' # x\r\napiVersion: \"v1\"\r\n", certain],
  ["a nested kind", "apiVersion: v1\nkind: Secret\nspec:\n  kind: Other\nlist:\n- kind: Third\n", certain],
  ["a kind in a block scalar", "apiVersion: v1\nkind: Secret\ndata: |\n  kind: X\n", certain],
  ["two kinds", "apiVersion: v1\nkind: Secret\nkind: Pod\n", undefined],
  ["two kinds, one quoted", 'apiVersion: v1\nkind: Secret\n"kind": Pod\n', undefined],
  ["a space before the colon", "apiVersion: v1\nkind: Secret\nkind : Pod\n", undefined],
  ["flow", "{apiVersion: v1,\nkind: Secret}", undefined],
  ["an anchor as value", "apiVersion: v1\nkind: &k Secret\n", undefined],
  ["no value", "apiVersion: v1\nkind:\n  Secret\n", undefined],
  ["indented", "  apiVersion: v1\n  kind: Secret\n", undefined],
  ["a tag before all", "!x\napiVersion: v1\nkind: Secret\n", undefined],
];
for (const [name, text, expected] of peeks) test(`peeks: ${name}`, () => assert.deepEqual(peekKind(text), expected));

const judgements: readonly (readonly [string, string, string])[] = [
  ["v1", "Service", "read"],
  ["extensions/v1beta1", "Ingress", "read"],
  ["apps/v1beta1", "Deployment", "read"],
  ["ktrace.dev/v1alpha1", "Topology", "topology"],
  ["v1", "Deployment", "mistaken"],
  ["app/v1", "Deployment", "mistaken"],
  ["apps/v2", "Deployment", "mistaken"],
  ["v1", "Servce", "mistaken"],
  ["v1", "Secrets", "mistaken"],
  ["rbac.authorization.k8s.io/v1", "Role", "skip"],
  ["example.com/v1", "Node", "skip"],
  ["example.com/v1", "Servce", "skip"],
  ["v1", "SomethingNewInKubernetes", "skip"],
  ["networking.k8s.io/v1", "NetworkPolicy", "read"],
  ["v1", "Secret", "noted"],
  ["cert-manager.io/v1", "Certificate", "noted"],
  ["gateway.networking.k8s.io/v1", "HTTPRoute", "not-modelled"],
  ["projectcalico.org/v3", "GlobalNetworkPolicy", "not-modelled"],
];
for (const [apiVersion, kind, expected] of judgements) {
  test(`${apiVersion} ${kind}: ${expected}`, () => assert.equal(judgeKind(apiVersion, kind).kind, expected));
}
