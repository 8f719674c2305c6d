/** Rules in words: each can be explained, and the documentation is what the rules say. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { RULES } from "../../../src/lint/rules.ts";
import { ktrace } from "../../cli/io.ts";
import { rulePages } from "./rule-pages.ts";

const folder = new URL("../../../docs/rules/", import.meta.url);

test("docs/rules/ is what the rules say: if not, `npm run docs` writes it", () => {
  const pages = rulePages();
  assert.deepEqual(readdirSync(folder).sort(), [...pages.keys()].sort());
  for (const [name, text] of pages) assert.equal(readFileSync(new URL(name, folder), "utf8"), text, name);
});

test("each rule is explained by code and by name", async () => {
  for (const { code, name, why } of RULES) {
    const { status, stdout } = await ktrace(["explain", code]);
    assert.equal(status, 0);
    assert.match(stdout, new RegExp(`^${code} ${name} \\(`));
    assert.ok(stdout.replaceAll(/\s+/g, " ").includes(why.replaceAll(/\s+/g, " ")), code);
    assert.equal((await ktrace(["explain", name])).stdout, stdout);
  }
});

test("a rule without its examples or its words is no rule", () => {
  for (const { code, name, title, why, bad, good } of RULES) {
    assert.match(`${code} ${name}`, /^KT\d{3} [a-z0-9-]+$/);
    assert.ok(title.length > 10 && title.length <= 120 && !title.endsWith("."), `${code}: ${title}`);
    assert.ok(why.length > 40 && why.length <= 900, code);
    for (const { manifests, topology } of [bad, good]) assert.ok(manifests !== undefined || topology !== undefined, code);
  }
});

test("JSON, prefixes, lists and slips", async () => {
  assert.equal(JSON.parse((await ktrace(["explain", "kt101", "-o", "json"])).stdout).code, "KT101");
  assert.match((await ktrace(["explain", "KT1"])).stdout, /^KT101 /);
  const { rules, reasons, fields } = JSON.parse((await ktrace(["explain", "--list", "-o", "json"])).stdout);
  assert.deepEqual([rules.length, reasons.length > 20, fields.length > 20], [RULES.length, true, true]);
  const list = (await ktrace(["explain", "--list"])).stdout;
  for (const { code, name } of RULES) assert.match(list, new RegExp(`^ {2}${code} +${name} +`, "m"));
  const slip = await ktrace(["explain", "service-selects-no-pod"]);
  assert.deepEqual([slip.status, /did you mean service-selects-no-pods\?/.test(slip.stderr)], [2, true]);
});
