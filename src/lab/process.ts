/** Starting programs: one that ends and is waited for, and PATH as the lab's tools need it. */
import { spawn } from "node:child_process";
import { toolPath } from "./tools.ts";

export type Output = { readonly status: number; readonly stdout: string; readonly stderr: string };

export const labEnv = (): NodeJS.ProcessEnv => ({ ...process.env, PATH: toolPath(process.env), LC_ALL: "C" });

/** Runs a program to its end. Never throws for an exit status; a program that cannot start has status 127. */
export function runProgram(command: string, args: readonly string[], input = ""): Promise<Output> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env: labEnv() });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (data: Buffer) => out.push(data));
    child.stderr.on("data", (data: Buffer) => err.push(data));
    child.stdin.on("error", () => {}); // it ended without reading all
    child.on("error", (error) => resolve({ status: 127, stdout: "", stderr: error.message }));
    child.on("close", (code) =>
      resolve({ status: code ?? 1, stdout: Buffer.concat(out).toString("utf8"), stderr: Buffer.concat(err).toString("utf8") }),
    );
    child.stdin.end(input);
  });
}
