import assert from "node:assert/strict";
import test from "node:test";
import { load } from "js-yaml";
import { printYaml } from "../../src/manifests/yaml/print.ts";
import { ktrace } from "./io.ts";

const REFERENCE = ["-f", "fixtures/tomcat6", "-t", "fixtures/tomcat6/topology.yaml"];

test("-o json and -o yaml print the same objects", async () => {
  for (const words of [
    ["get", "pods", "-A"],
    ["get", "svc", "tomcat6"],
    ["get", "all", "-n", "ingress-nginx"],
  ]) {
    const json = await ktrace([...REFERENCE, ...words, "-o", "json"]);
    const yaml = await ktrace([...REFERENCE, ...words, "-o", "yaml"]);
    assert.deepEqual([json.status, yaml.status], [0, 0]);
    assert.deepEqual(load(yaml.stdout), JSON.parse(json.stdout));
  }
});

test("what is not there: exit 2, and an Error document for a script", async () => {
  const text = await ktrace([...REFERENCE, "get", "pod", "ngnix"]);
  assert.equal(text.status, 2);
  assert.match(text.stderr, /^ktrace: error: .*pods "ngnix" not found/);
  const json = await ktrace([...REFERENCE, "get", "pod", "ngnix", "-o", "json"]);
  assert.deepEqual([json.status, JSON.parse(json.stdout).kind], [2, "Error"]);
});

test("text that steers a terminal is spelled out in every format", async () => {
  const pod = JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "a", labels: { x: "\u001b[31mred\u202e" } },
    spec: { containers: [{ name: "c", image: "i" }] },
  });
  for (const output of ["json", "yaml", "wide"]) {
    const { status, stdout, stderr } = await ktrace(["-f", "-", "get", "pods", "--show-labels", "-o", output], { stdin: pod });
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(`${stdout}${stderr}`, /[\u001b\u202e]/);
  }
});

test("YAML: keys sorted, text that looks like something else quoted", () => {
  assert.equal(
    printYaml({ b: ["yes", "012", "12:30", 1, null], a: { c: undefined, d: "text" } }),
    ["a:", "  d: text", "b:", '- "yes"', '- "012"', '- "12:30"', "- 1", "- null", ""].join("\n"),
  );
});
