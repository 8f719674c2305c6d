/**
 * The documentation says what is so: every `$ ktrace …` in a code block of the README and docs/ is run in the repository's
 * root, and where output follows it is the exact output. Links to files lead somewhere. KTRACE_UPDATE=1 rewrites the output.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test, { before } from "node:test";
import { COMMANDS } from "../src/cli/commands.ts";
import { ROOT, runLine, UPDATE } from "./transcript.ts";

const pages = ["README.md", "src/README.md", ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`)].filter((page) =>
  page.endsWith(".md"),
);

before(() => {
  if (!existsSync(join(ROOT, "dist/cli.cjs"))) spawnSync("npm", ["run", "build"], { cwd: ROOT, stdio: "ignore" });
});

for (const page of pages) {
  const path = join(ROOT, page);
  const text = readFileSync(path, "utf8");

  test(`${page}: examples`, async (t) => {
    const lines = text.split("\n");
    const fresh: string[] = [];
    for (let at = 0; at < lines.length; at++) {
      const line = lines[at] ?? "";
      fresh.push(line);
      if (!line.startsWith("$ ktrace")) continue;
      const shown = outputAfter(lines, at);
      at += shown.length;
      const { lines: output, status } = await runLine(line.slice(2), ROOT);
      assert.doesNotMatch(output.join("\n"), /ktrace bug/);
      fresh.push(...(shown.length === 0 ? [] : [...output, ...blanksAfter(shown)]));
      await t.test(line, () => {
        assert.notEqual(status, shown.length === 0 ? 2 : -1, output.join("\n"));
        if (shown.length > 0 && !UPDATE) assert.equal(output.join("\n"), trimEnd(shown).join("\n"));
      });
    }
    if (UPDATE && fresh.join("\n") !== text) writeFileSync(path, fresh.join("\n"));
  });

  test(`${page}: links`, () => {
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target = ""]) => target);
    assert.deepEqual(
      targets.filter((target) => !existsSync(join(dirname(path), target))),
      [],
    );
  });
}

test("the README begins with the two commands that CI runs", () => {
  const commands = [...readFileSync(join(ROOT, "README.md"), "utf8").matchAll(/^\$ (npm .*)$/gm)].map(([, command]) => command);
  const ci = readFileSync(join(ROOT, ".ci/run"), "utf8");
  assert.deepEqual(commands.slice(0, 2), ["npm ci && npx ktrace curl node2:31160", "npm test"]);
  for (const command of commands.slice(0, 2)) assert.ok(ci.includes(command ?? ""), `.ci/run does not run ${command}`);
});

test("the README names every command", () => {
  const text = readFileSync(join(ROOT, "README.md"), "utf8");
  assert.deepEqual(
    COMMANDS.map(({ name }) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(text)),
    [],
  );
});

test("the map of the house names every room", () => {
  const text = readFileSync(join(ROOT, "src/README.md"), "utf8");
  const rooms = readdirSync(join(ROOT, "src"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  assert.deepEqual(
    rooms.filter((room) => !text.includes(`\`${room}/\``)),
    [],
  );
});

/** The lines below a command up to the next one or the end of its block. */
function outputAfter(lines: readonly string[], command: number): string[] {
  const rest = lines.slice(command + 1);
  const end = rest.findIndex((line) => line.startsWith("$ ") || line.startsWith("```"));
  return rest.slice(0, Math.max(0, end));
}

function trimEnd(lines: readonly string[]): string[] {
  return lines.slice(0, lines.length - blanksAfter(lines).length);
}

function blanksAfter(lines: readonly string[]): string[] {
  const last = lines.findLastIndex((line) => line !== "");
  return lines.slice(last + 1);
}
