import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readInput } from "../../src/manifests/input.ts";
import { UsageError } from "../../src/objects/diagnostic.ts";
import { format } from "./workspace.ts";

/** Reads a text from standard input: findings, or the error's. Anything but a UsageError is thrown on. */
function read(text: string): readonly string[] {
  try {
    const { objects, diagnostics, sources } = readInput({ files: ["-"], cwd: "/", stdin: () => text });
    for (const object of objects) sources.place(object.source, ["spec", "ports", 0, "port"]);
    return diagnostics.map(format);
  } catch (error) {
    if (error instanceof UsageError) return [error.message, ...error.diagnostics.map(format)];
    throw error;
  }
}

const bomb = [
  "a: &a [x,x,x,x,x,x,x,x,x,x]",
  ..."bcdefgh".split("").map((key, index) => `${key}: &${key} [${Array(10).fill(`*${"abcdefg"[index]}`).join(",")}]`),
].join("\n");
const chain = ["a0: &a0 [x]", ...Array.from({ length: 1200 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}]`)].join("\n");

const texts: readonly (readonly [string, string, RegExp])[] = [
  ["an alias bomb", bomb, /excessive aliasing/],
  ["ten thousand aliases", `a: &a x\nb: [${"*a,".repeat(10_001)}]`, /excessive aliasing/],
  ["depth by aliases", chain, /nested more than 1000 deep/],
  ["brackets without end", "[".repeat(100_000), /nested more than 1000 deep/],
  ["JSON without end", '{"a":'.repeat(100_000), /nested more than 1000 deep|bracket|too deep/],
  ["deep JSON", `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`, /nested more than 1000 deep/],
  ["deep block YAML", Array.from({ length: 1500 }, (_, index) => `${" ".repeat(index)}a:`).join("\n"), /nested more than 1000 deep/],
  ["a list in itself", "apiVersion: v1\nkind: List\nitems: &i\n- *i\n", /contains itself/],
  ["a merge in itself", "a: &a\n  <<: *a\n", /contains itself/],
];
for (const [name, text, says] of texts) test(name, () => assert.match(read(text).join("\n"), says));

test("keys that every object inherits are harmless everywhere", () => {
  const text = `apiVersion: v1
kind: Service
metadata: {name: a, labels: {__proto__: x, constructor: y1, toString: z1}}
__proto__: {polluted: yes}
spec: {selector: {__proto__: x}, ports: [{port: 80, __proto__: {port: 81}}]}
`;
  const [object] = readInput({ files: ["-"], cwd: "/", stdin: () => text }).objects;
  assert.ok(object?.kind === "Service");
  assert.equal(object.spec?.ports?.[0]?.port, 80);
  assert.deepEqual(Object.keys(object.metadata.labels ?? {}), ["__proto__", "constructor", "toString"]);
  assert.equal(Reflect.get({}, "polluted"), undefined);
});

test("no finding carries a control character, whatever the text does", () => {
  const raw = "\u001b[31m\u202e";
  const json = JSON.stringify({ apiVersion: `${raw}`, kind: `Servic${raw}`, metadata: { name: raw } });
  const found = [
    ...read(json),
    ...read(
      JSON.stringify({
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: `a${raw}` },
        spec: { type: raw, [raw]: 1, ports: [{ port: raw }] },
      }),
    ),
    ...read(`{"apiVersion": "v1", "kind": ${JSON.stringify(raw)}}`),
    ...read(`--- ${raw}\na: 1`),
    ...read(`a: *${raw}`),
    ...read('apiVersion: cilium.io/v2\n"kind": "X\\e[31m"\n'),
    ...read('"\\e[31m": 1\n"\\e[31m": 2\n'),
  ];
  assert.ok(found.length > 6);
  for (const line of found) assert.doesNotMatch(line.replaceAll("\n  ", ""), /[\u0000-\u001f\u007f-\u009f\u202e]/);
});

const fragments = fc.constantFrom(
  "apiVersion: v1\n",
  "kind: Service\n",
  "kind: List\nitems:\n",
  "- ",
  "metadata: {name: web}\n",
  "spec:\n",
  "  ports:\n",
  "  - port: 80\n",
  "---\n",
  "...\n",
  "&a ",
  "*a",
  "<<: ",
  "{",
  "}",
  "[",
  "]",
  ",",
  ": ",
  "\n",
  "\t",
  "  ",
  "'",
  '"',
  "|\n",
  ">-\n",
  "!!binary ",
  "!x ",
  "? ",
  "# c\n",
  "%YAML 1.1\n",
  "\u0085",
  "\ufeff",
  "null",
  "~",
  "\\u",
  "{{ .Values.x }}",
  "__proto__",
  "1e999",
  "apiVersion: ktrace.dev/v1alpha1\nkind: Topology\nspec: {nodes: [{name: a}]}\n",
  '{"apiVersion":"v1","kind":"Pod"}',
);

test("reading never throws anything but a UsageError", () => {
  const texts = fc.oneof(
    fc.array(fragments, { maxLength: 25 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary", maxLength: 60 }),
  );
  fc.assert(
    fc.property(texts, (text) => void read(text)),
    { numRuns: 1500, seed: 7 },
  );
});

test("nor does any value in any object of JSON", () => {
  const kinds = fc.constantFrom("Service", "Pod", "Deployment", "Ingress", "EndpointSlice", "Node", "ServiceList", "List");
  const object = fc.record({
    apiVersion: fc.constantFrom("v1", "apps/v1", "networking.k8s.io/v1beta1", "discovery.k8s.io/v1beta1", "extensions/v1beta1"),
    kind: kinds,
    metadata: fc.jsonValue(),
    spec: fc.jsonValue(),
    items: fc.jsonValue(),
    endpoints: fc.jsonValue(),
  });
  fc.assert(
    fc.property(object, (value) => void read(JSON.stringify(value))),
    { numRuns: 500, seed: 7 },
  );
});
