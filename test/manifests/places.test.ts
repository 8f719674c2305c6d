import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { readInput } from "../../src/manifests/input.ts";
import type { PathPart, Place } from "../../src/objects/source.ts";
import { workspace } from "./workspace.ts";

const MANIFEST = `# a comment
apiVersion: v1
kind: Service
metadata:
  name: "web"   # quoted
  labels: &labels {app: web, tier: front}
spec:
  selector:
    <<: *labels
  type: NodePort
  ports:
  - port: 80
    targetPort: 'http'
  - name: b
    port: 90
    nodePort:
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Namespace
  metadata: {name: one}
- {apiVersion: v1, kind: Namespace, metadata: {name: two}}
- {apiVersion: v1, kind: Namespace, metadata: {name: three, labels: {a: }}}
`;

/** The text at a place, in its first line. */
const at = (place: Place | undefined, text: string): string => {
  if (place === undefined) return "nowhere";
  const line = text.split("\n")[place.line - 1] ?? "";
  return `${place.line}:${place.column} ${line.slice(place.column - 1, place.endLine === place.line ? place.endColumn - 1 : undefined)}`;
};

const cases: readonly { readonly object: string; readonly field: readonly PathPart[]; readonly place: string }[] = [
  { object: "web", field: ["metadata", "name"], place: '5:9 "web"' },
  { object: "web", field: ["metadata", "labels"], place: "6:19 {app: web, tier: front}" },
  { object: "web", field: ["metadata", "labels", "tier"], place: "6:36 front" },
  { object: "web", field: ["spec"], place: "7:1 spec" },
  { object: "web", field: ["spec", "selector", "app"], place: "6:25 web" },
  { object: "web", field: ["spec", "ports"], place: "11:3 ports" },
  { object: "web", field: ["spec", "ports", 0], place: "12:5 port: 80" },
  { object: "web", field: ["spec", "ports", 0, "targetPort"], place: "13:17 'http'" },
  { object: "web", field: ["spec", "ports", 0, "nodePort"], place: "12:5 port: 80" },
  { object: "web", field: ["spec", "ports", 1, "nodePort"], place: "16:5 nodePort" },
  { object: "web", field: ["spec", "clusterIP"], place: "7:1 spec" },
  { object: "web", field: ["spec", "ports", 7, "port"], place: "11:3 ports" },
  { object: "web", field: [], place: "2:1 apiVersion: v1" },
  { object: "one", field: ["metadata", "name"], place: "23:20 one" },
  { object: "two", field: ["metadata"], place: "24:47 {name: two}" },
  { object: "three", field: ["metadata"], place: "25:47 {name: three, labels: {a: }}" },
  { object: "two", field: [], place: "24:3 {apiVersion: v1, kind: Namespace, metadata: {name: two}}" },
];

function objectsOf(t: TestContext, name: string, text: string) {
  const input = readInput({ files: [name], cwd: workspace(t, { [name]: text }) });
  return { ...input, find: (wanted: string) => input.objects.find(({ metadata }) => metadata.name === wanted) };
}

for (const { object, field, place } of cases) {
  test(`${object} ${field.join(".") || "itself"} is at ${place}`, (t) => {
    const { sources, find } = objectsOf(t, "a.yaml", MANIFEST);
    const found = find(object);
    assert.ok(found);
    assert.equal(at(sources.place(found.source, field), MANIFEST), place);
  });
}

test("places hold for CRLF, a byte order mark and JSON", (t) => {
  const crlf = `\ufeff${MANIFEST.replaceAll("\n", "\r\n")}`;
  const yaml = objectsOf(t, "a.yaml", crlf);
  const service = yaml.find("web");
  assert.ok(service);
  assert.equal(at(yaml.sources.place(service.source, ["spec", "ports", 0, "targetPort"]), MANIFEST), "13:17 'http'");
  assert.equal(yaml.sources.line("a.yaml", 13), "    targetPort: 'http'");

  const json =
    '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}\n{\n\t"apiVersion": "v1", "kind": "Namespace",\n\t"metadata": {"name": "b"}\n}\n';
  const second = objectsOf(t, "a.json", json);
  const namespace = second.find("b");
  assert.ok(namespace);
  assert.equal(at(second.sources.place(namespace.source, ["metadata", "name"]), json), '4:23 "b"');
});

test("a v1beta1 Ingress is found under its old names", (t) => {
  const text = `apiVersion: networking.k8s.io/v1beta1
kind: Ingress
metadata: {name: web}
spec:
  backend: {serviceName: fallback, servicePort: http}
  rules:
  - http: {paths: [{backend: {serviceName: tomcat6, servicePort: 80}}]}
`;
  const { find, sources } = objectsOf(t, "a.yaml", text);
  const ingress = find("web");
  assert.ok(ingress?.kind === "Ingress");
  assert.deepEqual(ingress.spec?.defaultBackend, { service: { name: "fallback", port: { name: "http" } } });
  assert.deepEqual(ingress.spec?.rules?.[0]?.http?.paths, [
    { pathType: "ImplementationSpecific", backend: { service: { name: "tomcat6", port: { number: 80 } } } },
  ]);
  const backend = ["spec", "rules", 0, "http", "paths", 0, "backend", "service"];
  assert.equal(at(sources.place(ingress.source, [...backend, "name"]), text), "7:44 tomcat6");
  assert.equal(at(sources.place(ingress.source, [...backend, "port", "number"]), text), "7:66 80");
  assert.equal(at(sources.place(ingress.source, ["spec", "defaultBackend", "service", "port", "name"]), text), "5:49 http");
});

test("lines of files that were not read, and lines beyond the end", (t) => {
  const { sources } = objectsOf(t, "a.yaml", MANIFEST);
  assert.equal(sources.line("a.yaml", 1), "# a comment");
  assert.equal(sources.line("a.yaml", 99), undefined);
  assert.equal(sources.line("b.yaml", 1), undefined);
  assert.equal(sources.place({ file: "b.yaml", offset: 0, path: [] }, []), undefined);
});
