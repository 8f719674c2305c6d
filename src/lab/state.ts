/**
 * What a lab has made, written down before it is made, so that `down` can remove what an interrupted `up` left. Under /run:
 * only root writes there, and it is empty after a reboot, as the namespaces are. A lock keeps `up` and `down` apart: a script
 * that an interrupted `up` left running ends before `down` begins, and one that comes too late finds the state gone.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { LabError, labRequires } from "./error.ts";
import { checkLabName, labPrefix } from "./names.ts";
import type { LabPlan } from "./plan.ts";
import { toolPath } from "./tools.ts";

const ROOT = "/run/ktrace-lab";

export type LabFiles = {
  readonly dir: string;
  readonly state: string;
  readonly closing: string;
  readonly lock: string;
  readonly script: string;
};

export function labFiles(lab: string): LabFiles {
  checkLabName(lab);
  const dir = `${ROOT}/${lab}`;
  return { dir, state: `${dir}/state.json`, closing: `${dir}/closing.json`, lock: `${dir}/lock`, script: `${dir}/up.sh` };
}

/** A plan without its steps: what is there, for `exec`, `run` and `down`. */
export type LabState = Omit<LabPlan, "steps">;

/** Names of the labs that are up, or were being made or removed. */
export const labsUp = (): string[] => (existsSync(ROOT) ? readdirSync(ROOT).sort() : []);

/** Takes the lab's name and writes down what is going to be made. Throws LabError when it is taken. */
export function recordLab(plan: LabPlan, script: string): LabFiles {
  const files = labFiles(plan.lab);
  const prefix = labPrefix(plan.lab);
  mkdirSync(ROOT, { recursive: true, mode: 0o755 });
  try {
    mkdirSync(files.dir, { mode: 0o700 });
  } catch {
    throw new LabError(`lab ${plan.lab} is there already: ktrace lab down ${plan.lab}`);
  }
  const foreign = existsSync("/run/netns") ? readdirSync("/run/netns").filter((name) => name.startsWith(prefix)) : [];
  if (foreign.length > 0) {
    forgetLab(files);
    throw new LabError(`network namespaces named ${prefix}… exist and no lab is on record for them: ${foreign.join(", ")}`);
  }
  const { steps: _, ...state } = plan;
  writeFileSync(files.lock, "");
  writeFileSync(files.script, `[ -e ${files.state} ] || exit 1\n${script}`);
  writeFileSync(`${files.state}.new`, JSON.stringify(state));
  renameSync(`${files.state}.new`, files.state); // all there or not at all
  return files;
}

/** What is on record for the lab; undefined when nothing was made. */
export function readLab(lab: string): LabState | undefined {
  const files = labFiles(lab);
  const path = [files.state, files.closing].find((each) => existsSync(each));
  if (path === undefined) return undefined;
  const state: LabState = JSON.parse(readFileSync(path, "utf8"));
  return state;
}

/** From here on a late `up` script makes nothing. */
export function closeLab(files: LabFiles): void {
  if (existsSync(files.state)) renameSync(files.state, files.closing);
}

/** Removes the record, last of all. */
export function forgetLab(files: LabFiles): void {
  rmSync(files.dir, { recursive: true, force: true });
  try {
    rmdirSync(ROOT); // only when it was the last
  } catch {
    return;
  }
}

/** Runs the body while nobody else makes or removes this lab. Waits for a script of an interrupted `up` to end. */
export async function withLock<T>(files: LabFiles, body: () => Promise<T>): Promise<T> {
  const holder = spawn("flock", ["-w", "30", files.lock, "sh", "-c", "echo held; read -r _"], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, PATH: toolPath(process.env) },
  });
  const ended = new Promise<void>((resolve) => holder.on("close", () => resolve()));
  try {
    const held = await new Promise<boolean>((resolve) => {
      holder.stdout.once("data", () => resolve(true));
      holder.on("error", () => resolve(false));
      holder.on("close", () => resolve(false));
    });
    labRequires(held, `another ktrace is at work on this lab (${files.lock})`);
    return await body();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
