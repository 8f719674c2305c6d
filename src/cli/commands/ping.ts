/** `ktrace ping HOST`: one ICMP echo request and its answer. */
import { answer, clientQuestion } from "../ask.ts";
import { parsePing } from "../client-args.ts";
import type { CommandSpec } from "../command.ts";
import { mergeOwnFlags } from "../flags.ts";

export const pingCommand: CommandSpec = {
  name: "ping",
  usage: "[-t TTL] [-I DEVICE|ADDRESS] [-46] HOST",
  summary: "trace an ICMP echo request",
  raw: true,
  help: ["  ktrace ping node2", "  ktrace exec pod/nginx -- ping 10.244.2.10", ""].join("\n"),
  run: async (call) => {
    const request = parsePing(call.words);
    const flags = mergeOwnFlags(call.flags, request.own);
    return answer(call, flags, clientQuestion("ping", request, flags));
  },
};
