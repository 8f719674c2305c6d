/** What a program shown by `exec` is: its words and where it runs in, its output and exit status out. */
import type { ClusterPod } from "../../cluster/cluster.ts";
import type { Netns } from "../../linux/netns.ts";
import type { Party } from "../../trace/trace.ts";
import type { Session } from "../session.ts";

export type Where = {
  readonly session: Session;
  readonly party: Party;
  readonly netns: Netns;
  readonly pod?: ClusterPod;
  readonly container?: string;
};
export type Shown = { readonly stdout: string; readonly stderr: string; readonly status: number };
export type Program = (args: readonly string[], where: Where) => Shown;

export const shows = (stdout: string): Shown => ({ stdout, stderr: "", status: 0 });
export const fails = (stderr: string, status = 1): Shown => ({ stdout: "", stderr: `${stderr}\n`, status });
