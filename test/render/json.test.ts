import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { addFractions, fraction, ZERO } from "../../src/net/fraction.ts";
import { escapeJson } from "../../src/render/escape.ts";
import { REASON_CODES } from "../../src/render/explain/reasons.ts";
import { renderJson, renderJsonLines, renderJsonText } from "../../src/render/json.ts";
import { CONTEXT, ingressTrace, nodePortTrace, SAMPLES } from "./sample-trace.ts";

const schema = JSON.parse(readFileSync(new URL("../../schema/trace.schema.json", import.meta.url), "utf8"));
const validate = new Ajv2020({ strict: true, strictRequired: false, allErrors: true }).compile(schema);
const errorsOf = (value: unknown) =>
  validate(value) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);

for (const [name, trace] of SAMPLES) {
  test(`${name}: the document is as its schema says`, () => {
    assert.deepEqual(errorsOf(JSON.parse(renderJsonText(trace, CONTEXT))), []);
  });
  test(`${name}: every line is as its schema says, the summary last`, () => {
    const lines = [...renderJsonLines(trace, CONTEXT)].map((one) => JSON.parse(one));
    for (const one of lines) assert.deepEqual(errorsOf(one), []);
    assert.deepEqual(
      lines.map((one) => one.kind),
      [...trace.paths.map(() => "Path"), "Summary"],
    );
  });
}

test("the schema refuses a field it does not know, and a reason on a delivered path", () => {
  const document = JSON.parse(renderJsonText(nodePortTrace, CONTEXT));
  assert.notDeepEqual(errorsOf({ ...document, extra: 1 }), []);
  document.paths[0].reason = "no-route";
  assert.notDeepEqual(errorsOf(document), []);
});

test("the schema lists exactly the reason codes there are", () => assert.deepEqual([...schema.$defs.reason.enum].sort(), REASON_CODES));

test("names and order of the contract's example", () => {
  const document = JSON.parse(renderJsonText(nodePortTrace, CONTEXT));
  assert.deepEqual(Object.keys(document), [
    "apiVersion",
    "kind",
    "generator",
    "request",
    "verdict",
    "clientSees",
    "paths",
    "pathsTotal",
    "warnings",
    "assumed",
  ]);
  const [path] = document.paths;
  assert.equal(path.reason, null);
  assert.deepEqual(document.request.to, { host: "node2", ip: "192.168.56.101", port: 31160, protocol: "TCP" });
  const hop = path.legs[0].hops[1];
  assert.deepEqual(hop.packetIn, {
    src: "192.168.56.1",
    sport: 49152,
    dst: "192.168.56.101",
    dport: 31160,
    protocol: "TCP",
    ttl: 64,
    segment: "syn",
  });
  assert.deepEqual(hop.packetOut, {
    src: "10.244.1.1",
    sport: "mport1",
    dst: "10.244.1.11",
    dport: 8080,
    protocol: "TCP",
    ttl: 63,
    segment: "syn",
  });
  const nat = hop.steps.find((step: { kind: string }) => step.kind === "nat");
  assert.equal(nat.before, "192.168.56.101:31160");
  assert.equal(nat.after, "10.244.1.11:8080");
  assert.deepEqual(nat.object, { kind: "Service", namespace: "default", name: "tomcat6", at: "service.yaml:12:7" });
  assert.equal(nat.because.at(-1).chain, "KUBE-SEP-Q6SMEY66ISTMDIKU");
});

test("the tunnel packet stands beside the hop that made it", () => {
  const document = JSON.parse(renderJsonText(nodePortTrace, CONTEXT));
  const { outer, seen } = document.paths[1].legs[0].hops[1];
  assert.deepEqual([outer.src, outer.dst, outer.dport, outer.protocol, outer.vni], ["10.0.2.5", "10.0.2.15", 8472, "UDP", 1]);
  assert.deepEqual(
    seen.map((entry: { device: string }) => entry.device),
    ["eth1", "flannel.1", "eth0"],
  );
});

test("shares are exact and sum to one", () => {
  const document = JSON.parse(renderJsonText(nodePortTrace, CONTEXT));
  const sum = document.paths.reduce((total: typeof ZERO, path: { share: string }) => {
    const [num, den = "1"] = path.share.split("/");
    return addFractions(total, fraction(BigInt(num ?? "0"), BigInt(den)));
  }, ZERO);
  assert.deepEqual(sum, fraction(1, 1));
});

test("same trace, same bytes", () =>
  assert.equal(renderJsonText(ingressTrace, CONTEXT), renderJsonText(structuredClone(ingressTrace), CONTEXT)));

test("nothing that a terminal obeys is in the text, and the value stays the same", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const context = { ...CONTEXT, ruleText: () => text };
      const printed = renderJsonText(nodePortTrace, context);
      assert.doesNotMatch(printed.replaceAll("\n", ""), /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      assert.deepEqual(JSON.parse(printed), JSON.parse(JSON.stringify(renderJson(nodePortTrace, context))));
      assert.equal(JSON.parse(escapeJson(JSON.stringify(text))), text);
    }),
    { numRuns: 50 },
  );
});
