/** `ktrace verify --node NAME FILE…`: the output of iptables-save, ip route… of a real node against the prediction. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Protocol } from "../../net/packet.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import type { Question } from "../../trace/question.ts";
import { commonQuestion } from "../ask.ts";
import type { Call, CommandSpec } from "../command.ts";
import { chooseFormat } from "../flags.ts";
import type { Session } from "../session.ts";
import { readHost, readPort, splitHostPort } from "../words.ts";

const PROTOCOLS: readonly Protocol[] = ["tcp", "udp", "sctp", "icmp"];

export const verifyCommand: CommandSpec = {
  name: "verify",
  usage: "--node NAME [FILE…|-] [--to HOST:PORT] [-o json]",
  summary: "compare what a real node shows (iptables-save, ip route, conntrack -L…) with the prediction",
  help: [
    "FILE holds the output of any of these, one or several after the other; - is stdin, the default:",
    "  iptables-save, ip6tables-save, nft list ruleset, ip route, ip -6 route, ip addr, ip neigh, bridge fdb,",
    "  conntrack -L, xtables-monitor --trace, nft monitor trace",
    "With --to, and --from if it is not the first outside host, only the way of that packet counts, and the first",
    "difference on it is named. Exit status: 0 equal, 1 different, 2 usage or nothing readable.",
    "",
    "  ssh node2 'iptables-save; ip route; ip neigh; bridge fdb' | ktrace verify --node node2 --to node2:31160",
    "  ktrace verify --node node2 node2.rules node2.routes",
    "",
  ].join("\n"),
  declare: (command) => {
    command
      .option("--node <name>", "the node that the captures are from")
      .option("--to <host:port>", "the packet whose way is compared")
      .option("--protocol <name>", "its protocol: tcp, udp, sctp or icmp", "tcp");
  },
  run: runVerify,
};

async function runVerify(call: Call): Promise<number> {
  const { io, flags, options } = call;
  const format = chooseFormat(flags.output, ["text", "json"] as const, "text");
  const name = typeof options.node === "string" ? options.node : undefined;
  if (name === undefined)
    throw new UsageError("verify needs --node NAME: the node that the captures are from", "ktrace get nodes lists them");
  const question = questionOf(call);
  const files = call.words.length === 0 ? ["-"] : call.words;
  if (files.includes("-") && flags.filename.includes("-")) throw new UsageError("stdin is read once: for -f or for the captures, not both");
  const { readCaptures, FORMATS } = await import("../../verify/capture.ts");
  const read = files.map((file) => readCaptures(textOf(call, file), file === "-" ? "stdin" : file));
  if (read.every(({ captures }) => captures.length === 0))
    throw new UsageError(
      `no output of a known program in ${files.map((file) => (file === "-" ? "stdin" : file)).join(", ")}`,
      `known: ${FORMATS.join(", ")}`,
    );
  const session = await call.open(flags, io);
  const node = nodeOf(session, name);
  const { verifyNode } = await import("../../verify/verify.ts");
  const verification = verifyNode({ world: session.world, apps: session.apps, startRun: neverStarted }, node, read, question);
  if (verification.isEmpty) throw new UsageError("nothing in the captures can be compared", verification.notes.join("; ") || undefined);
  const { verificationText, verificationJson } = await import("../verify/print.ts");
  const unread = read.flatMap((each) => each.unread);
  io.stdout.write(
    format === "json"
      ? verificationJson(verification, session.context, question, unread)
      : verificationText(verification, session.context, question, unread, flags.verbose > 0),
  );
  return verification.equal ? 0 : 1;
}

/** Verification begins its own runs, one for each of two worlds. */
const neverStarted = (): never => {
  throw new Error("ktrace bug: verify walks worlds of its own");
};

function textOf({ io }: Call, file: string): string {
  if (file === "-") return io.readStdin();
  try {
    return readFileSync(resolve(io.cwd, file), "utf8");
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error && "code" in error ? String(error.code) : "unreadable"}`);
  }
}

function nodeOf({ cluster, world }: Session, name: string) {
  const bare = name.replace(/^node\//, "");
  const node = cluster.nodes.find((each) => each.name === bare || each.aliases.includes(bare));
  const netns = node && world.netns(`node/${node.name}`);
  if (netns) return netns;
  throw new UsageError(`no node ${JSON.stringify(name)}`, `there is ${cluster.nodes.map((each) => each.name).join(", ")}`);
}

function questionOf({ options, flags }: Call): Question | undefined {
  const to = typeof options.to === "string" ? options.to : undefined;
  if (to === undefined) {
    if (flags.from !== undefined) throw new UsageError("--from needs --to HOST:PORT: which packet of that source?");
    return undefined;
  }
  const protocol = PROTOCOLS.find((known) => known === String(options.protocol).toLowerCase());
  if (protocol === undefined) throw new UsageError(`--protocol is one of ${PROTOCOLS.join(", ")}`);
  const split = splitHostPort(to);
  if (protocol !== "icmp" && split.port === undefined)
    throw new UsageError(`--to ${JSON.stringify(to)} has no port`, "--to HOST:PORT, --to [V6]:PORT");
  return {
    ...commonQuestion(["trace", "--to", to, ...(protocol === "tcp" ? [] : ["--protocol", protocol])], flags),
    evidence: false,
    program: "trace",
    to: {
      host: readHost(split.host, "--to"),
      ...(protocol === "icmp" || split.port === undefined ? {} : { port: readPort(split.port, "--to") }),
      protocol,
    },
  };
}
