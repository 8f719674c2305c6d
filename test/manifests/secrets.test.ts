/** Nothing of a Secret reaches an output: not in findings about it, nor in a dump's other findings, nor in any command's result. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ktrace } from "../cli/io.ts";
import { workspace } from "./workspace.ts";

const GOOD = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n";
const rows: readonly { readonly name: string; readonly text: string; readonly shows?: RegExp }[] = [
  {
    name: "a Secret that is no YAML",
    text: `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: hunter2: bad\n---\n${GOOD}`,
  },
  {
    name: "an alias where a quote is missing",
    text: `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: *hunter2}\n---\n${GOOD}`,
  },
  { name: "a key twice", text: `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  a: hunter2\n  a: hunter2\n---\n${GOOD}` },
  { name: "in JSON", text: `{"kind": "Secret", "apiVersion": "v1", "data": {"a": "hunter2", }}` },
  {
    name: "in a List, beside a Service whose lines are shown",
    text: "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  data: {a: hunter2, a: hunter2}\n  kind: Secret\n  metadata: {name: s}\n- apiVersion: v1\n  kind: Service\n  metadata: {name: a, name: b}\n  spec: {ports: [{port: 80}]}\n",
    shows: /metadata: \{name: a, name: b\}/,
  },
  {
    name: "a Secret as it should be",
    text: `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n---\n${GOOD}`,
  },
];
for (const { name, text, shows } of rows) {
  test(name, async (t) => {
    const cwd = workspace(t, { "a.yaml": text });
    for (const words of [
      ["get", "svc", "-o", "yaml"],
      ["get", "svc", "-o", "json"],
      ["export", "topology"],
    ]) {
      const { stdout, stderr } = await ktrace(["-f", "a.yaml", ...words], { cwd });
      assert.doesNotMatch(`${stdout}${stderr}`, /hunter/);
      if (shows) assert.match(stderr, shows);
    }
  });
}

test("a template's action in a value is named for what it is", async (t) => {
  const cwd = workspace(t, {
    "a.yaml": 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: "{{ .Values.port }}"}]}\n',
  });
  const { stderr } = await ktrace(["-f", "a.yaml", "get", "svc"], { cwd });
  assert.match(stderr, /help: this looks like a Helm template; render it first: `helm template CHART \| ktrace -f - …`/);
});
