import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { ktrace } from "./io.ts";

for (const shell of ["bash", "zsh", "fish"]) {
  test(`${shell}: every command is offered`, async () => {
    const { status, stdout } = await ktrace(["completion", shell]);
    assert.equal(status, 0);
    for (const { name } of COMMANDS) assert.match(stdout, new RegExp(`\\b${name}\\b`));
  });
}

test("bash completes a command and a format", async () => {
  const { stdout } = await ktrace(["completion", "bash"]);
  const complete = (...words: readonly string[]) =>
    spawnSync(
      "bash",
      ["-c", `${stdout}\nCOMP_WORDS=(${words.join(" ")}); COMP_CWORD=${words.length - 1}; _ktrace; echo "\${COMPREPLY[@]}"`],
      { encoding: "utf8" },
    ).stdout.trim();
  assert.equal(complete("ktrace", "cu"), "curl");
  assert.equal(complete("ktrace", "-o", "jsonl"), "jsonl");
  assert.equal(complete("ktrace", "--top"), "--topology");
  assert.equal(complete("ktrace", "lint", "--max"), "--max-warnings");
  assert.equal(complete("ktrace", "curl", "--max"), "");
  assert.equal(complete("ktrace", "lint", "-o", "sa"), "sarif");
});
