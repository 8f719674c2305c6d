/**
 * Makes and removes labs on this machine. Everything made is on record first (`state.ts`); whatever fails, `down` removes it.
 * All network traffic stays inside the lab's namespaces.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { NetnsId } from "../linux/netns.ts";
import { type Agent, startAgent, startDaemon } from "./agents.ts";
import { LabError, labRequires } from "./error.ts";
import { labPrefix } from "./names.ts";
import type { LabNamespace, LabPlan } from "./plan.ts";
import { labEnv, runProgram } from "./process.ts";
import { renderScript } from "./script.ts";
import { closeLab, forgetLab, type LabFiles, type LabState, labFiles, readLab, recordLab, withLock } from "./state.ts";
import { checkMachine, isInstalled } from "./tools.ts";

/** A lab that this process holds: its helpers end with it. */
export type Lab = {
  readonly state: LabState;
  readonly namespace: (id: NetnsId) => LabNamespace;
  readonly agent: (id: NetnsId) => Agent;
  readonly down: () => Promise<void>;
};

/** Throws a LabError where no lab can be or be looked into. */
export const checkRoot = (): void => checkMachine({ observing: false, restores: [], bridgeNetfilter: false });

/** Builds the network and starts a helper in every namespace. For tests and `lab run`. */
export async function holdLab(plan: LabPlan): Promise<Lab> {
  return building(plan, true, async (namespaces) => {
    const agents = await Promise.all(namespaces.map(startAgent));
    const byId = new Map(agents.map((agent) => [agent.netns, agent]));
    const { steps: _, ...state } = plan;
    return {
      state,
      namespace: (id) => namespaceOf(state, id),
      agent: (id) => {
        const agent = byId.get(id);
        labRequires(agent, `no ${id} in lab ${plan.lab}`);
        return agent;
      },
      down: async () => {
        await Promise.all(agents.map((agent) => agent.stop()));
        await down(plan.lab);
      },
    };
  });
}

/** Builds the network and leaves it there. Answers what could not be served. */
export async function up(plan: LabPlan): Promise<readonly string[]> {
  return building(plan, false, async (namespaces) => {
    const failed = await Promise.all(namespaces.map(startDaemon));
    return namespaces.flatMap(({ id }, i) => (failed[i] ?? []).map((problem) => `${id}: ${problem}`));
  });
}

async function building<T>(plan: LabPlan, observing: boolean, body: (namespaces: readonly LabNamespace[]) => Promise<T>): Promise<T> {
  checkMachine(needsOf(plan, observing));
  const files = recordLab(plan, renderScript(plan));
  try {
    const built = await runProgram("flock", ["-n", "-o", files.lock, "sh", files.script]);
    if (built.status !== 0) throw new LabError(`building lab ${plan.lab} failed: ${built.stderr.trim() || `status ${built.status}`}`);
    return await body(plan.namespaces);
  } catch (error) {
    await down(plan.lab);
    throw error;
  }
}

function needsOf(plan: LabPlan, observing: boolean): Parameters<typeof checkMachine>[0] {
  const restores = plan.steps.flatMap((step) =>
    step.kind === "restore"
      ? [`${step.family === 4 ? "iptables" : "ip6tables"}-${step.backend}-restore`]
      : step.kind === "nft"
        ? ["nft"]
        : [],
  );
  const bridgeNetfilter = plan.steps.some(
    (step) =>
      step.kind === "sysctl" &&
      step.settings.some(({ path, optional, value }) => !optional && value === "1" && path.startsWith("net/bridge/")),
  );
  return { observing, restores: [...new Set(restores)].sort(), bridgeNetfilter };
}

/** Removes a lab, whole or half made. Answers false when there is none of that name. */
export async function down(lab: string): Promise<boolean> {
  const files = labFiles(lab);
  if (!existsSync(files.dir)) return false;
  if (existsSync(files.lock)) await withLock(files, async () => removeAll(lab, files));
  else forgetLab(files); // interrupted before anything was made
  return true;
}

async function removeAll(lab: string, files: LabFiles): Promise<void> {
  const state = readLab(lab);
  closeLab(files);
  const names = (state ? [state.lan, ...state.namespaces.map(({ name }) => name)] : []).filter(
    (name) => name.startsWith(labPrefix(lab)) && existsSync(`/run/netns/${name}`),
  );
  for (let round = 0; round < 5 && killProcessesIn(names) > 0; round++) await new Promise((resolve) => setTimeout(resolve, 5));
  await runProgram("ip", ["-force", "-batch", "-"], names.map((name) => `netns del ${name}\n`).join(""));
  sweepHelpers(lab);
  for (const name of names) rmSync(`/run/netns/${name}`, { force: true }); // a file that `ip` made and did not get to mount
  forgetLab(files);
}

/**
 * Ends what an interrupted `up` was starting while it was taken down: a helper that was not yet in its namespace when the
 * namespaces' processes were ended. Found by its command line, which names it; synchronous, for the last moment of a process.
 */
export function sweepHelpers(lab: string): void {
  const name = new RegExp(`agent\\.mjs\\0${labPrefix(lab).replaceAll(".", "\\.")}`);
  for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (name.test(readFileSync(`/proc/${pid}/cmdline`, "utf8"))) process.kill(Number(pid), "SIGKILL");
    } catch {
      // it has ended by itself
    }
  }
}

/** Ends every process whose network stack is one of these namespaces: helpers, captures, a forgotten shell. */
function killProcessesIn(names: readonly string[]): number {
  const inodes = new Set(names.map((name) => `net:[${statSync(`/run/netns/${name}`).ino}]`));
  const pids = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && inodes.has(netnsOf(pid)));
  for (const pid of pids) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // it has ended by itself
    }
  }
  return pids.length;
}

function netnsOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return "";
  }
}

/** The namespace of one network stack of a lab. */
export function namespaceOf(state: LabState, id: NetnsId): LabNamespace {
  const found = state.namespaces.find((namespace) => namespace.id === id);
  labRequires(found, `lab ${state.lab} has no ${id}; it has ${state.namespaces.map((each) => each.id).join(", ")}`);
  return found;
}

export type InsideOptions = { readonly output?: "inherit" | "capture"; readonly timeoutMs?: number };
export type InsideResult = { readonly status: number; readonly output: string; readonly timedOut: boolean };

/**
 * Runs a program inside, on our terminal, and answers its exit status. Names work as they do there: the stack's own hosts file
 * and resolv.conf are bound over /etc in a mount namespace of the program's own, as `ip netns exec` does it.
 */
export async function execInside(lab: string, id: NetnsId, command: readonly string[], options: InsideOptions = {}): Promise<InsideResult> {
  const state = readLab(lab);
  labRequires(state, `no lab ${lab} is up`);
  const namespace = namespaceOf(state, id);
  const [program = ""] = command;
  labRequires(
    program.includes("/") || isInstalled(program),
    `${program} is not installed on this machine: a lab runs this machine's programs`,
  );
  const dir = writeNameFiles(labFiles(lab), namespace);
  const bind = dir === undefined ? 'exec "$@"' : BIND;
  const capture = options.output === "capture";
  const words = [`--net=/run/netns/${namespace.name}`, "unshare", "--mount", "sh", "-c", bind, dir ?? "sh", ...command];
  return new Promise((resolve, reject) => {
    const child = spawn("nsenter", words, { stdio: capture ? ["ignore", "pipe", "pipe"] : "inherit", env: execEnv() });
    let output = "";
    let timedOut = false;
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (data: Buffer) => {
        output += data.toString("utf8");
      });
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(() => (timedOut = child.kill("SIGKILL")), options.timeoutMs);
    child.on("error", (error) => reject(new LabError(error.message)));
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ status: code ?? (signal ? 130 : 1), output, timedOut });
    });
  });
}

/** $0 is the folder with the files. /sys shows the devices of the stack that mounted it; not every sandbox lets one mount it. */
const BIND = `mount --bind "$0/hosts" /etc/hosts && mount --bind "$0/resolv.conf" /etc/resolv.conf || exit 126
mount -t sysfs sysfs /sys 2>/dev/null || :
exec "$@"`;

/** The user's own language and PATH, with root's directories. */
const execEnv = (): NodeJS.ProcessEnv => ({ ...process.env, PATH: labEnv().PATH });

function writeNameFiles(files: LabFiles, { name, files: content }: LabNamespace): string | undefined {
  if (!content) return undefined;
  const dir = `${files.dir}/${name}`;
  mkdirSync(dir, { recursive: true });
  writeFileSync(`${dir}/hosts`, content.hosts);
  writeFileSync(`${dir}/resolv.conf`, content.resolvConf);
  return dir;
}

/** The network stack that a word means in a lab that is up; undefined when the lab knows no such name, or several. */
export function findInLab(state: LabState, text: string): NetnsId | undefined {
  const exact = state.namespaces.find(({ id }) => id === text);
  if (exact) return exact.id;
  const named = state.namespaces.filter(({ aliases }) => aliases?.includes(text));
  return named.length === 1 ? named[0]?.id : undefined;
}
