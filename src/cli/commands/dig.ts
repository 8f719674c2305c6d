/** `ktrace dig NAME [TYPE]`: one DNS question and its answer. */
import { answer, clientQuestion } from "../ask.ts";
import type { CommandSpec } from "../command.ts";
import { parseDig } from "../dig-args.ts";
import { mergeOwnFlags } from "../flags.ts";

export const digCommand: CommandSpec = {
  name: "dig",
  usage: "[@SERVER] NAME [TYPE]",
  summary: "trace a DNS question",
  raw: true,
  help: ["  ktrace exec pod/nginx -- dig tomcat6.default.svc.cluster.local", ""].join("\n"),
  run: async (call) => {
    const request = parseDig(call.words);
    const flags = mergeOwnFlags(call.flags, request.own);
    return answer(call, flags, clientQuestion("dig", request, flags));
  },
};
