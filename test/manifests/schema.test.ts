import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv } from "ajv";
import fc from "fast-check";
import configSchema from "../../schema/config.schema.json" with { type: "json" };
import objectSchemas from "../../schema/objects.schema.json" with { type: "json" };
import topologySchema from "../../schema/topology.schema.json" with { type: "json" };
import { checkSchema, type Definitions, FORMATS, isRecord, type SchemaNode } from "../../src/manifests/schema.ts";

const ajv = new Ajv({
  allErrors: true,
  allowUnionTypes: true,
  strict: true,
  formats: FORMATS,
  schemas: [objectSchemas, topologySchema, configSchema],
});

const roots: readonly { readonly name: string; readonly id: string; readonly definitions: Definitions }[] = [
  ...Object.keys(objectSchemas.$defs)
    .filter((name) => /^[A-Z]/.test(name))
    .map((name) => ({ name, id: `${objectSchemas.$id}#/$defs/${name}`, definitions: objectSchemas.$defs })),
  { name: "Topology", id: topologySchema.$id, definitions: topologySchema.$defs },
  { name: "Config", id: configSchema.$id, definitions: configSchema.$defs },
];

/** Values that mostly follow the schema, with a slip here and there. */
function valuesOf(node: SchemaNode, definitions: Definitions, depth: number): fc.Arbitrary<unknown> {
  const target = node.$ref === undefined ? node : (definitions[node.$ref.slice("#/$defs/".length)] ?? {});
  return fc.oneof(
    { weight: 30, arbitrary: rightly(target, definitions, depth) },
    { weight: 1, arbitrary: fc.constantFrom(0, -1, 70000, 1.5, "", " ", "x", true, [], {}, [0]) },
  );
}

function rightly(node: SchemaNode, definitions: Definitions, depth: number): fc.Arbitrary<unknown> {
  const allowed = node.const === undefined ? node.enum : [node.const];
  if (allowed !== undefined) return fc.constantFrom(...allowed);
  const types = [node.type ?? []].flat();
  if (types.includes("array")) return fc.array(valuesOf(node.items ?? {}, definitions, depth + 1), { maxLength: depth > 5 ? 0 : 2 });
  if (types.includes("object")) return mappings(node, definitions, depth);
  if (types.includes("integer")) return fc.integer({ min: -1, max: 70000 });
  if (types.includes("boolean")) return fc.boolean();
  return fc.constantFrom(
    "x",
    "10.0.0.1",
    "10.0.0.0/8",
    "fe80::1/64",
    "1.31",
    "default/x",
    "30000-32767",
    "08:00:27:3c:4e:df",
    "default",
    "None",
  );
}

function mappings(node: SchemaNode, definitions: Definitions, depth: number): fc.Arbitrary<unknown> {
  const required = node.required ?? [];
  const properties = Object.entries(node.properties ?? {}).filter(([key]) => depth < 6 || required.includes(key));
  const model = Object.fromEntries(
    properties.map(([key, member]) => [
      key,
      fc.option(valuesOf(member, definitions, depth + 1), { nil: undefined, freq: required.includes(key) ? 30 : 2 }),
    ]),
  );
  const extra = fc.dictionary(fc.constantFrom("a", "__proto__", "toString"), fc.constantFrom<unknown>("x", 1), {
    maxKeys: depth % 3 === 0 ? 1 : 0,
  });
  return fc
    .tuple(fc.record(model), extra)
    .map(([known, more]) =>
      Object.fromEntries([...Object.entries(known), ...Object.entries(more)].filter(([, value]) => value !== undefined)),
    );
}

for (const { name, id, definitions } of roots) {
  test(`${name}: our checker and ajv agree`, () => {
    const validate = ajv.getSchema(id);
    assert.ok(validate);
    fc.assert(
      fc.property(valuesOf({ $ref: `#/$defs/${name}` }, definitions, 0), (value) => {
        const ours = checkSchema(definitions, name, value);
        assert.equal(ours.length === 0, validate(value), JSON.stringify({ ours, ajv: validate.errors }));
      }),
      { numRuns: 60, seed: 1 },
    );
  });
}

const KNOWN = new Set([
  "$ref",
  "type",
  "const",
  "enum",
  "pattern",
  "format",
  "minimum",
  "maximum",
  "properties",
  "required",
  "additionalProperties",
  "items",
  "description",
  "default",
]);

/** Every schema within a schema, with its path. */
function* nodesOf(node: unknown, path: string): Generator<readonly [string, Readonly<Record<string, unknown>>]> {
  if (!isRecord(node)) return;
  yield [path, node];
  for (const [key, member] of Object.entries(isRecord(node.properties) ? node.properties : {})) yield* nodesOf(member, `${path}.${key}`);
  yield* nodesOf(node.items, `${path}[]`);
  yield* nodesOf(node.additionalProperties, `${path}.*`);
}

test("the schemas use only keywords that the checker knows, and references that exist", () => {
  for (const { definitions } of roots) {
    for (const [name, definition] of Object.entries(definitions)) {
      for (const [path, node] of nodesOf(definition, name)) {
        assert.deepEqual(
          Object.keys(node).filter((key) => !KNOWN.has(key)),
          [],
          path,
        );
        if (typeof node.format === "string") assert.ok(Object.hasOwn(FORMATS, node.format), path);
        if (typeof node.$ref === "string") assert.ok(Object.hasOwn(definitions, node.$ref.slice("#/$defs/".length)), path);
      }
    }
  }
});

test("every key of the topology says what it is for", () => {
  for (const [name, definition] of Object.entries(topologySchema.$defs)) {
    for (const [path, node] of nodesOf(definition, name)) {
      for (const [key, member] of Object.entries(isRecord(node.properties) ? node.properties : {})) {
        const described =
          isRecord(member) && (typeof member.description === "string" || (typeof member.$ref === "string" && /spec$/.test(member.$ref)));
        assert.ok(described, `${path}.${key}`);
      }
    }
  }
});
