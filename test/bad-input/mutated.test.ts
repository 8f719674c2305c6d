/** Any bytes, and valid manifests with anything done to them: ktrace answers 0, 1 or 2, soon, in words that no terminal obeys. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { ktrace } from "../cli/io.ts";
import { ROOT } from "../transcript.ts";

const cwd = mkdtempSync(join(tmpdir(), "ktrace-bytes-"));
after(() => rmSync(cwd, { recursive: true, force: true }));
const SLOWEST = 3; // CPU seconds of one run

async function check(words: readonly string[], stdin = ""): Promise<void> {
  const before = process.cpuUsage();
  const { status, stdout, stderr } = await ktrace(words, { cwd, stdin });
  const { user, system } = process.cpuUsage(before);
  assert.ok([0, 1, 2].includes(status), String(status));
  assert.doesNotMatch(stderr, /ktrace bug/);
  assert.doesNotMatch(
    `${stdout}${stderr}`.replaceAll("\n", ""),
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/,
  );
  assert.ok(user + system < SLOWEST * 1e6, `${(user + system) / 1e6} s`);
}

test("any bytes", async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string({ unit: "binary", maxLength: 200 }).map((text) => Buffer.from(text)),
  );
  await fc.assert(
    fc.asyncProperty(bytes, fc.constantFrom("a.yaml", "a.json"), async (content, name) => {
      writeFileSync(join(cwd, name), content);
      await check(["-f", name, "get", "svc"]);
    }),
    { numRuns: 300, seed: 11 },
  );
});

const fixture = (name: string): string => readFileSync(join(ROOT, "fixtures", name), "utf8");
const MANIFESTS = ["services/basic.yaml", "services/pods.yaml", "services/endpoints.yaml", "services/policies.yaml"].map(fixture);
const TOPOLOGY = fixture("services/topology.yaml");

/** Values and pieces that mean trouble somewhere. */
const PIECES = [
  ..."0 -1 70000 1e400 .inf 08 0o17 null ~ yes true [] {} [[]] {a: b} *a &a << !!binary !x | > - : ? # ' \" , \t".split(" "),
  "\u001b[31m",
  "\u202e",
  "\u0000",
  "\u0085",
  "__proto__: {a: b}",
  "constructor",
  "9".repeat(400),
  "a".repeat(5000),
  "::ffff:10.0.0.1",
  "10.96.010.10",
  "255.255.255.255/0",
  "::/0",
  "fe80::1%eth0",
  "\n---\n",
  "\n...\n",
  "{{ .Values.x }}",
  "99999999999999999999",
  "-0",
  "<b>",
];

type Edit = { readonly at: number; readonly cut: number; readonly put: string; readonly value: boolean };
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(1_000_000),
  cut: fc.constantFrom(0, 0, 1, 3, 20),
  put: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 5 })),
  value: fc.boolean(),
});

/** With `value`, what follows a colon is replaced, so that the document still reads; else characters are. */
function apply(text: string, { at, cut, put, value }: Edit): string {
  if (!value) {
    const from = at % (text.length + 1);
    return text.slice(0, from) + put + text.slice(from + cut);
  }
  const values = [...text.matchAll(/(?<=[:-] )[^\s,{}[\]]+/g)];
  const found = values[at % Math.max(values.length, 1)];
  return found === undefined ? text : text.slice(0, found.index) + put + text.slice(found.index + found[0].length);
}

const edits = fc.array(edit, { minLength: 1, maxLength: 4 });

test("manifests with anything done to them", async () => {
  const commands = fc.constantFrom(["get", "svc,ep,pods,ing"], ["curl", "10.96.0.10"], ["get", "svc", "-o", "json"]);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...MANIFESTS), edits, commands, async (text, changes, command) => {
      await check(["-f", "-", ...command], changes.reduce(apply, text));
    }),
    { numRuns: 400, seed: 12 },
  );
});

test("a topology with anything done to it", async () => {
  await fc.assert(
    fc.asyncProperty(edits, async (changes) => {
      writeFileSync(join(cwd, "t.yaml"), changes.reduce(apply, TOPOLOGY));
      writeFileSync(join(cwd, "m.yaml"), MANIFESTS[0] ?? "");
      await check(["-f", "m.yaml", "-t", "t.yaml", "--from", "external", "curl", "10.96.0.10"]);
    }),
    { numRuns: 200, seed: 13 },
  );
});
