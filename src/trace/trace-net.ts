/** The network a question is walked through: the kernels, the processes, and how a run begins. */
import type { Apps } from "../apps/apps.ts";
import type { World } from "../linux/netns.ts";
import type { Choose, Run, RunState } from "../linux/run.ts";

export type TraceNet = {
  readonly world: World;
  readonly apps: Apps;
  readonly startRun: (choose: Choose, before?: RunState) => Run;
};
