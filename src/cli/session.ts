/** The front door as the commands are given it: opened when one first needs the cluster. */
import type { Session } from "../ktrace.ts";
import type { GlobalFlags } from "./flags.ts";
import type { Io } from "./io.ts";

export type { Session } from "../ktrace.ts";
export type OpenSession = (flags: GlobalFlags, io: Io) => Promise<Session>;
