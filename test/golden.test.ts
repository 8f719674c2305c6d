/**
 * Every fixtures/**\/*.trace: `$ ktrace …`, its exact output, `# exit N`. Other lines that begin with `#` are remarks. A
 * command runs in the nearest folder upward that has a ktrace.yaml. KTRACE_UPDATE=1 rewrites.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import test from "node:test";
import { ROOT, runLine, UPDATE } from "./transcript.ts";

type Entry = { readonly remarks: readonly string[]; readonly command: string; readonly output: readonly string[] };

for (const path of goldensUnder(join(ROOT, "fixtures"))) {
  test(relative(ROOT, path), async (t) => {
    const { entries, rest } = parse(readFileSync(path, "utf8"));
    assert.ok(entries.length > 0, "no `$ ktrace` line");
    const fresh: Entry[] = [];
    for (const entry of entries) {
      const { lines, status } = await runLine(entry.command, projectOf(path));
      const output = [...lines, `# exit ${status}`];
      assert.doesNotMatch(output.join("\n"), /ktrace bug/);
      fresh.push({ ...entry, output });
      if (!UPDATE) await t.test(entry.command, () => assert.equal(output.join("\n"), entry.output.join("\n")));
    }
    if (UPDATE)
      writeFileSync(
        path,
        `${[...fresh.flatMap(({ remarks, command, output }) => [...remarks, `$ ${command}`, ...output]), ...rest].join("\n")}\n`,
      );
  });
}

/** Remarks, command and output; the output ends with its `# exit N`, or before the next command when it is new. */
function parse(text: string): { readonly entries: readonly Entry[]; readonly rest: readonly string[] } {
  const entries: Entry[] = [];
  let remarks: string[] = [];
  let open: { command: string; output: string[] } | undefined;
  const close = () => {
    if (open === undefined) return;
    entries.push({ remarks, ...open });
    remarks = [];
    open = undefined;
  };
  for (const line of text.replace(/\n$/, "").split("\n")) {
    if (line.startsWith("$ ktrace")) {
      close();
      open = { command: line.slice(2), output: [] };
    } else if (open === undefined) remarks.push(line);
    else {
      open.output.push(line);
      if (/^# exit \d+$/.test(line)) close();
    }
  }
  close();
  return { entries, rest: remarks };
}

function projectOf(path: string): string {
  let folder = dirname(path);
  while (!existsSync(join(folder, "ktrace.yaml")) && relative(ROOT, folder) !== "") folder = dirname(folder);
  return folder;
}

function goldensUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? goldensUnder(join(folder, entry.name)) : [join(folder, entry.name)]))
    .filter((path) => path.endsWith(".trace"))
    .sort();
}
