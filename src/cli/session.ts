/** The front door as the commands see it: opened once, when a command first needs the cluster. */
import type { Cluster } from "../cluster/cluster.ts";
import type { World } from "../linux/netns.ts";
import type { RenderContext } from "../render/context.ts";
import type { Question } from "../trace/question.ts";
import type { Party, Trace } from "../trace/trace.ts";
import type { GlobalFlags } from "./flags.ts";
import type { Io } from "./io.ts";

export type Session = {
  readonly cluster: Cluster;
  readonly world: World;
  readonly trace: (question: Question) => Trace;
  readonly context: RenderContext;
  /** Who SOURCE is; an unknown or ambiguous one is a UsageError. */
  readonly sourceOf: (text: string) => Party;
};
export type OpenSession = (flags: GlobalFlags, io: Io) => Promise<Session>;
