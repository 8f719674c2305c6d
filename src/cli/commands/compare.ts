/** `ktrace compare`: one cluster under several kube-proxy modes or Kubernetes releases, and which flows then differ. */
import type { Flow } from "../../compare/flows.ts";
import type { Protocol } from "../../net/packet.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import type { KubeProxyMode, Topology } from "../../objects/topology.ts";
import { note } from "../ask.ts";
import type { Call, CommandSpec } from "../command.ts";
import { chooseFormat } from "../flags.ts";
import { readHost, readPort, splitHostPort } from "../words.ts";

const MODES: readonly KubeProxyMode[] = ["iptables", "nftables", "ipvs", "userspace", "none"];
const PROTOCOLS: readonly Protocol[] = ["tcp", "udp", "sctp", "icmp"];
/** A grid over all Services is only as useful as it is quick. */
const MOST_FLOWS = 2000;

export const compareCommand: CommandSpec = {
  name: "compare",
  usage: "--modes MODE,MODE… | --kubernetes VERSION,VERSION… [--to HOST:PORT] [--from SOURCE]",
  summary: "walk the same flows under several kube-proxy modes or releases, and list those that differ",
  help: [
    "Without --to, flows to every port of every Service are asked, from pods, nodes and outside. Listed is what differs in",
    "verdict, backends, the source address seen, or hops. Exit status 1 when anything does.",
    "",
    "  ktrace compare --modes iptables,nftables,ipvs",
    "  ktrace compare --modes nftables --kubernetes 1.30,1.36 --from pod/nginx",
    "  ktrace compare --modes iptables,nftables --to node2:31160 -o json",
    "",
  ].join("\n"),
  declare: (command) => {
    command
      .option("--modes <list>", `kube-proxy modes: ${MODES.join(", ")}`)
      .option("--kubernetes <list>", "Kubernetes releases, such as 1.30,1.36")
      .option("--to <host:port>", "one flow only")
      .option("--protocol <name>", "of --to: tcp, udp, sctp or icmp", "tcp");
  },
  run: async (call) => {
    if (call.words.length > 0) throw new UsageError(`compare takes flags only, not ${JSON.stringify(call.words[0])}`);
    const format = chooseFormat(call.flags.output, ["text", "json"] as const, "text");
    const session = await call.open(call.flags, call.io);
    const forms = await readForms(call, session.input.topology);
    const { compareVariants } = await import("../../compare/compare.ts");
    const { decideCluster } = await import("../../cluster/decide.ts");
    const { sessionOf } = await import("../../ktrace.ts");
    const namespace = call.flags.namespace ?? "default";
    const variants = forms.map(({ name, topology }) => {
      const { trace } = sessionOf({ ...session.input, topology }, decideCluster(session.input.objects, topology), namespace);
      return { name, trace };
    });
    const flows = await flowsOf(call, session);
    const comparison = compareVariants(variants, flows, namespace);
    const { renderComparison, renderComparisonJson } = await import("../../render/comparison.ts");
    call.io.stdout.write(format === "json" ? renderComparisonJson(comparison) : renderComparison(comparison));
    return comparison.changes.length === 0 ? 0 : 1;
  },
};

type Form = { readonly name: string; readonly topology: Topology };

/** Every mode with every release. */
async function readForms({ options }: Call, topology: Topology): Promise<Form[]> {
  const { parseVersion } = await import("../../cluster/version.ts");
  const modes = listOf(options.modes).map((text) => {
    const mode = MODES.find((known) => known === text);
    if (mode === undefined) throw new UsageError(`--modes: no mode ${JSON.stringify(text)}`, `known: ${MODES.join(", ")}`);
    return mode;
  });
  const versions = listOf(options.kubernetes).map((text) => {
    if (!parseVersion(text)) throw new UsageError(`--kubernetes: ${JSON.stringify(text)} is no release`, "for example 1.30,1.36");
    return text;
  });
  const forms = (modes.length === 0 ? [undefined] : modes).flatMap((mode) =>
    (versions.length === 0 ? [undefined] : versions).map((version) => ({
      name:
        [
          ...(mode === undefined || (modes.length === 1 && versions.length > 0) ? [] : [mode]),
          ...(version === undefined ? [] : [version]),
        ].join(" ") || "as it is",
      topology: {
        ...topology,
        ...(mode === undefined ? {} : { kubeProxy: { ...topology.kubeProxy, mode } }),
        ...(version === undefined ? {} : { kubernetes: { ...topology.kubernetes, version } }),
      },
    })),
  );
  if (forms.length < 2)
    throw new UsageError("compare needs two modes or two releases", "for example: ktrace compare --modes iptables,nftables");
  return forms;
}

const listOf = (value: unknown): string[] =>
  typeof value === "string"
    ? [
        ...new Set(
          value
            .split(",")
            .map((part) => part.trim())
            .filter((part) => part !== ""),
        ),
      ]
    : [];

async function flowsOf(call: Call, session: Awaited<ReturnType<Call["open"]>>): Promise<readonly Flow[]> {
  const { options, flags } = call;
  const { from } = flags;
  if (from !== undefined) session.sourceOf(from);
  if (typeof options.to === "string") return [flowTo(options.to, String(options.protocol), from)];
  const { gridOf } = await import("../../compare/flows.ts");
  const flows = gridOf(session.cluster, from);
  if (flows.length > MOST_FLOWS)
    note(call, flags, [`${flows.length} flows would be asked; these are the first ${MOST_FLOWS}. Narrow them with --from or --to`]);
  return flows.slice(0, MOST_FLOWS);
}

function flowTo(to: string, name: string, from = "external"): Flow {
  const protocol = PROTOCOLS.find((known) => known === name.toLowerCase());
  if (protocol === undefined) throw new UsageError(`--protocol is one of ${PROTOCOLS.join(", ")}`);
  const split = splitHostPort(to);
  if (protocol !== "icmp" && split.port === undefined)
    throw new UsageError(`--to ${JSON.stringify(to)} has no port`, "--to HOST:PORT, --to [V6]:PORT");
  const port = protocol === "icmp" || split.port === undefined ? {} : { port: readPort(split.port, "--to") };
  return { from, host: readHost(split.host, "--to"), ...port, protocol, about: "" };
}
