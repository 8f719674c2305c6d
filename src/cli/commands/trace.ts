/** `ktrace trace --to HOST:PORT`: the plain form for scripts, free of any client program's habits. */

import type { Protocol } from "../../net/packet.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import { answer, commonQuestion } from "../ask.ts";
import type { CommandSpec } from "../command.ts";
import { readHost, readPort, splitHostPort } from "../words.ts";

const PROTOCOLS: readonly Protocol[] = ["tcp", "udp", "sctp", "icmp"];

export const traceCommand: CommandSpec = {
  name: "trace",
  usage: "--to HOST:PORT [--protocol tcp|udp|sctp|icmp] [flags]",
  summary: "trace a connection given by address, port and protocol",
  help: ["  ktrace trace --from pod/nginx --to 10.96.246.235:80 -o json", "  ktrace trace --to node2 --protocol icmp", ""].join("\n"),
  declare: (command) => {
    command.option("--to <host:port>", "where to").option("--protocol <name>", "tcp, udp, sctp or icmp", "tcp");
  },
  run: async (call) => {
    if (call.words.length > 0) throw new UsageError(`trace takes flags only, not ${JSON.stringify(call.words[0])}`, "trace --to HOST:PORT");
    const protocol = PROTOCOLS.find((known) => known === String(call.options.protocol).toLowerCase());
    if (protocol === undefined) throw new UsageError(`--protocol is one of ${PROTOCOLS.join(", ")}`);
    const to = typeof call.options.to === "string" ? call.options.to : undefined;
    if (to === undefined) throw new UsageError("trace needs --to HOST:PORT");
    const split = splitHostPort(to);
    if (protocol !== "icmp" && split.port === undefined)
      throw new UsageError(`--to ${JSON.stringify(to)} has no port`, "--to HOST:PORT, --to [V6]:PORT");
    return answer(call, call.flags, {
      ...commonQuestion(["trace", "--to", to, ...(protocol === "tcp" ? [] : ["--protocol", protocol])], call.flags),
      program: "trace",
      to: {
        host: readHost(split.host, "--to"),
        ...(protocol === "icmp" || split.port === undefined ? {} : { port: readPort(split.port, "--to") }),
        protocol,
      },
    });
  },
};
