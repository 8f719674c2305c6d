/** Every command, in the order in which help lists them. A new one is a file in commands/ and a line here. */
import type { CommandSpec } from "./command.ts";
import { compareCommand } from "./commands/compare.ts";
import { completionCommand } from "./commands/completion.ts";
import { curlCommand } from "./commands/curl.ts";
import { describeCommand } from "./commands/describe.ts";
import { diffCommand } from "./commands/diff.ts";
import { digCommand } from "./commands/dig.ts";
import { execCommand } from "./commands/exec.ts";
import { explainCommand } from "./commands/explain.ts";
import { exportCommand } from "./commands/export.ts";
import { getCommand } from "./commands/get.ts";
import { initCommand } from "./commands/init.ts";
import { labCommand } from "./commands/lab.ts";
import { lintCommand } from "./commands/lint.ts";
import { matrixCommand } from "./commands/matrix.ts";
import { ncCommand } from "./commands/nc.ts";
import { pingCommand } from "./commands/ping.ts";
import { schemaCommand } from "./commands/schema.ts";
import { snapshotCommand } from "./commands/snapshot.ts";
import { testCommand } from "./commands/test.ts";
import { traceCommand } from "./commands/trace.ts";
import { verifyCommand } from "./commands/verify.ts";

export const COMMANDS: readonly CommandSpec[] = [
  curlCommand,
  ncCommand,
  pingCommand,
  digCommand,
  traceCommand,
  execCommand,
  getCommand,
  describeCommand,
  labCommand,
  verifyCommand,
  compareCommand,
  testCommand,
  diffCommand,
  matrixCommand,
  lintCommand,
  snapshotCommand,
  exportCommand,
  explainCommand,
  schemaCommand,
  initCommand,
  completionCommand,
];
