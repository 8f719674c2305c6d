/** `ktrace nc [-u] HOST PORT`: one TCP connection, or one UDP datagram and its answer. */
import { answer, clientQuestion } from "../ask.ts";
import { parseNc } from "../client-args.ts";
import type { CommandSpec } from "../command.ts";
import { mergeOwnFlags } from "../flags.ts";

export const ncCommand: CommandSpec = {
  name: "nc",
  usage: "[-u] [-z] [-p PORT] [-s ADDRESS] [-46] HOST PORT",
  summary: "trace a TCP connection, or with -u a UDP datagram",
  raw: true,
  help: ["  ktrace nc node2 31160", "  ktrace nc -u node2 31999", ""].join("\n"),
  run: async (call) => {
    const request = parseNc(call.words);
    const flags = mergeOwnFlags(call.flags, request.own);
    return answer(call, flags, clientQuestion("nc", request, flags));
  },
};
