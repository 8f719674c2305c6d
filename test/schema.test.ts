/** Every question of fixtures/**\/*.trace, asked once more for JSON: as the published schema says, its shares one in sum. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import test from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { ktrace } from "./cli/io.ts";
import { ROOT, splitWords } from "./transcript.ts";

const schema = JSON.parse(readFileSync(join(ROOT, "schema/trace.schema.json"), "utf8"));
const validate = new Ajv2020({ strict: true, strictRequired: false, allErrors: true }).compile(schema);
const ASKS = /^\$ ktrace (?!.*(-o |--output))(.* )?(curl|nc|ping|dig|trace|nslookup) /;

const goldens = filesUnder(join(ROOT, "fixtures")).filter((path) => path.endsWith(".trace"));
const asked = goldens.flatMap((path) =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => ASKS.test(line) && !/[|<>;`]/.test(line))
    .map((line) => ({ path, line: line.slice("$ ktrace ".length) })),
);

test("there are questions in the goldens", () => assert.ok(asked.length > 50));

for (const { path, line } of asked)
  test(`${relative(ROOT, path)}: ${line}`, async () => {
    const { stdout } = await ktrace(["-q", "-o", "json", ...splitWords(line)], { cwd: projectOf(path) });
    const document = JSON.parse(stdout);
    if (document.kind === "Error") return;
    validate(document);
    assert.deepEqual(validate.errors ?? [], []);
    const shares: string[] = document.paths.map((one: { share: string }) => one.share);
    if (document.pathsTotal === undefined || document.pathsTotal === shares.length) assert.equal(sumOf(shares), "1/1");
  });

/** Of fractions, exactly. */
function sumOf(shares: readonly string[]): string {
  const parts = shares.map((share) => share.split("/")).map(([over = "1", under = "1"]) => [BigInt(over), BigInt(under)] as const);
  const common = parts.reduce((product, [, under]) => product * under, 1n);
  const sum = parts.reduce((total, [over, under]) => total + (over * common) / under, 0n);
  return sum === common ? "1/1" : `${sum}/${common}`;
}

function projectOf(path: string): string {
  let folder = dirname(path);
  while (!existsSync(join(folder, "ktrace.yaml")) && relative(ROOT, folder) !== "") folder = dirname(folder);
  return folder;
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesUnder(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();
}
