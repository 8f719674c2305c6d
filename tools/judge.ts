/**
 * The judge is judged: faults are put into src/linux one at a time, and the kernel suite must catch each. What a real kernel
 * did with the suite's flows is recorded once; each faulty tree then has to predict the same. `npm run test:judge`
 * (Linux, root). Exits 1 when a fault survives or no longer applies.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FAULTS, type Fault } from "./judge/faults.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const COPIED = ["src", "test", "tools", "fixtures", "schema", "package.json", "tsconfig.json"];
const AT_ONCE = 2;

type Result = { readonly fault: string; readonly caught: boolean; readonly how: string };

async function main(): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), "ktrace-judge-"));
  try {
    const recording = join(work, "recording.json");
    const recorded = await run(ROOT, "tools/judge/record.ts", recording);
    if (recorded.status !== 0) throw new Error(`recording failed:\n${recorded.output}`);
    const healthy = await inCopy(work, "healthy", undefined, recording);
    if (healthy.status !== 0) throw new Error(`the tree disagrees with the kernel before any fault is in it: ${healthy.output}`);
    const results = await judgeAll(work, recording);
    for (const { fault, caught, how } of results)
      process.stdout.write(`${caught ? "caught  " : "SURVIVED"}  ${fault.padEnd(46)}  ${how.slice(0, 150)}\n`);
    const survivors = results.filter(({ caught }) => !caught).length;
    process.stdout.write(`${results.length - survivors} of ${results.length} faults caught\n`);
    process.exitCode = survivors > 0 ? 1 : 0;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function judgeAll(work: string, recording: string): Promise<Result[]> {
  const results = new Array<Result | undefined>(FAULTS.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < FAULTS.length; i = next++) {
      const fault = FAULTS[i];
      if (fault) results[i] = await judgeFault(work, recording, fault, i);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results.filter((result) => result !== undefined);
}

async function judgeFault(work: string, recording: string, fault: Fault, i: number): Promise<Result> {
  const { status, output } = await inCopy(work, `fault-${i}`, fault, recording);
  const [, count = "", how = ""] = /^(\d+) (.*)$/m.exec(output) ?? [];
  // A tree that cannot even run has caught nothing: the fault is badly written.
  if (count === "") return { fault: fault.name, caught: false, how: `does not run: ${output.trim().split("\n").slice(0, 6).join(" ")}` };
  return { fault: fault.name, caught: status === 1, how: `${count} differences; ${how}` };
}

async function inCopy(work: string, name: string, fault: Fault | undefined, recording: string): Promise<Output> {
  const tree = join(work, name);
  try {
    for (const part of COPIED) cpSync(join(ROOT, part), join(tree, part), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(tree, "node_modules"));
    if (fault) {
      const file = join(tree, "src/linux", fault.file);
      const text = readFileSync(file, "utf8");
      if (text.split(fault.from).length !== 2)
        return { status: 2, output: `no longer applies: ${fault.from} is not once in ${fault.file}` };
      writeFileSync(
        file,
        text.replace(fault.from, () => fault.to),
      );
    }
    return await run(tree, "tools/judge/rejudge.ts", recording);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

type Output = { readonly status: number; readonly output: string };

function run(tree: string, script: string, ...args: readonly string[]): Promise<Output> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--import", "tsx", script, ...args], { cwd: tree, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => {
        output += data.toString("utf8");
      });
    child.on("close", (status) => resolve({ status: status ?? 2, output }));
  });
}

main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
});
