/** `ktrace curl URL`: a pasted curl command, traced instead of sent. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { escapeText } from "../../render/escape.ts";
import type { Trace } from "../../trace/trace.ts";
import { answer, curlQuestion, note } from "../ask.ts";
import type { Call, CommandSpec } from "../command.ts";
import { expandWriteOut, parseCurl } from "../curl-args.ts";
import { type GlobalFlags, mergeOwnFlags } from "../flags.ts";

export const curlCommand: CommandSpec = {
  name: "curl",
  usage: "[curl's flags] URL",
  summary: "trace an HTTP request; takes a pasted curl command",
  raw: true,
  help: [
    "After `curl` every short flag but -o is curl's own: -f is --fail, -k is --insecure. ktrace's flags stand before",
    "`curl`; their long forms may stand anywhere.",
    "",
    "  ktrace curl node2:31160",
    "  ktrace curl -H 'Host: www.test.com' http://node2/",
    "  ktrace -f manifests/ -t topology.yaml curl -sS http://node2:31160/ -o json",
    "",
  ].join("\n"),
  run: (call) => runCurl(call, call.words, call.flags, false),
};

/** Also `exec SOURCE -- curl …`, which exits as curl does. */
export async function runCurl(call: Call, words: readonly string[], before: GlobalFlags, clientExit: boolean): Promise<number> {
  const request = parseCurl(words, (path) => existsSync(resolve(call.io.cwd, path)));
  const flags = mergeOwnFlags(before, request.own);
  note(call, flags, request.notes);
  const { writeOut } = request;
  const epilogue = writeOut === undefined ? undefined : (trace: Trace) => writeOutLine(writeOut, trace);
  return answer(call, flags, curlQuestion(request, flags), { clientExit, ...(epilogue === undefined ? {} : { epilogue }) });
}

/** curl's -w of the first path. What a delivered request's application answers is its own affair, so its status stays unknown. */
function writeOutLine(format: string, { request, paths }: Trace): string {
  const path = paths[0];
  const answered = path?.verdict === "delivered" || path?.verdict === "http-error";
  const values = new Map([
    ["http_code", path?.status === undefined ? (answered ? "(the application's)" : "000") : String(path.status)],
    ["remote_ip", answered ? (request.to.ip ?? "") : ""],
    ["remote_port", answered ? String(request.to.port ?? "") : ""],
    ["local_ip", request.from.ip ?? ""],
  ]);
  return `  -w prints    ${escapeText(expandWriteOut(format, values).replace(/\n+$/, ""))}\n`;
}
