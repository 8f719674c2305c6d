/**
 * kubectl.txt holds what kubectl 1.32 printed for the objects that `ktrace get -o json` gives for objects.yaml, with the API
 * server's defaults filled in and times replaced by <unknown>.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { alignTabs } from "../../../src/render/describe/tabwriter.ts";
import { ktrace } from "../../cli/io.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const FROM = ["-q", "-f", here("objects.yaml")];

for (const section of readFileSync(here("kubectl.txt"), "utf8")
  .split(/^### ktrace /m)
  .slice(1)) {
  const [command = "", ...lines] = section.split("\n");
  test(`${command} prints what kubectl does`, async () => {
    const { stdout, status } = await ktrace([...FROM, ...command.split(" ")]);
    assert.deepEqual([stdout, status], [lines.join("\n"), 0]);
  });
}

test("a node, with what nobody knows offline", async () => {
  const { stdout } = await ktrace([...FROM, "describe", "node", "n1"]);
  assert.match(stdout, /^Taints: {13}a:NoExecute\n {20}b=v:NoSchedule\n/m);
  assert.match(stdout, /^ {2}Ready {3}True {4}<unknown> {10}<unknown> {11}KubeletReady {3}ok\n/m);
  assert.match(stdout, /^ {2}Kernel Version: +6\.1\n/m);
  // Two of the file's, and CoreDNS, which is assumed where the input has no kube-system.
  assert.match(stdout, /^Non-terminated Pods: +\(3 in total\)\n {2}Namespace +Name +IP +Age\n/m);
});

test("a pending pod tells its events", async () => {
  const { stdout } = await ktrace([...FROM, "describe", "pod/stuck"]);
  assert.match(stdout, /^Node: +<none>\n/m);
  assert.match(stdout, /^QoS Class: +Guaranteed\n/m); // the API server takes requests from limits
  assert.match(stdout, /^ {2}Warning {2}FailedScheduling {2}<unknown> {2}default-scheduler {2}0\/2 nodes are available: /m);
});

test("names are found by their beginning, several objects stand two empty lines apart", async () => {
  const { stdout } = await ktrace([...FROM, "describe", "pod", "web-", "equal"]);
  assert.deepEqual(
    [...stdout.matchAll(/^Name: +(.{4})/gm)].map(([, name]) => name),
    ["web-", "equa"],
  );
  assert.match(stdout, /\n\n\nName: /);
});

const wrong = [
  { words: ["describe", "svc/nosuch"], says: /services "nosuch" not found/ },
  { words: ["describe", "configmap"], says: /ConfigMap objects are not described/ },
  { words: ["describe", "pod", "-o", "json"], says: /describe has no -o/ },
  { words: ["describe"], says: /must specify the type of resource/ },
];
for (const { words, says } of wrong)
  test(`${words.join(" ")}: exit 2`, async () => {
    const { status, stderr } = await ktrace([...FROM, ...words]);
    assert.equal(status, 2);
    assert.match(stderr, says);
  });

test("names that could steer a terminal are shown as text", async () => {
  const hostile =
    'apiVersion: v1\nkind: Pod\nmetadata: {name: p, uid: of a dump, labels: {a: "\\e[31m\\tx\\ny"}}\nspec: {containers: [{name: c, image: "\\u202ei"}]}\n';
  const { stdout } = await ktrace(["-q", "-f", "-", "describe", "pods"], { stdin: hostile });
  assert.match(stdout, /^Name: +p\n/m);
  assert.doesNotMatch(stdout.replaceAll("\n", ""), /[\p{Cc}\u202e]/u);
});

const aligned = [
  { name: "a column is a run of lines", text: "a\tb\nccc\td\n\ne\tf\n", out: "a    b\nccc  d\n\ne  f\n" },
  { name: "the last cell belongs to no column", text: "a\tb\tc\nlong\td\n", out: "a     b  c\nlong  d\n" },
  { name: "an empty cell keeps its column", text: "\tx\na\ty\n", out: "   x\na  y\n" },
];
for (const { name, text, out } of aligned) test(`tabs: ${name}`, () => assert.equal(alignTabs(text), out));
