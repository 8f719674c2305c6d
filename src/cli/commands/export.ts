/** `ktrace export topology`: what a dump says of the machines, and what was decided for manifests, as a topology file. */
import type { Command } from "commander";
import { UsageError } from "../../objects/diagnostic.ts";
import type { CommandSpec } from "../command.ts";
import { chooseFormat } from "../flags.ts";

const FORMATS = ["yaml", "json"] as const;

export const exportCommand: CommandSpec = {
  name: "export",
  usage: "topology [-n NAMESPACE] [-o yaml|json]",
  summary: "print the cluster's machines and settings as a topology file",
  help: [
    "With the file, the manifests that a dump was made of give the same traces as the dump. -n leaves out the pods and",
    "Services of other namespaces than that one and kube-system.",
    "",
    "  ktrace -f dump.yaml export topology > topology.yaml",
    "  ktrace -f k8s/ -t topology.yaml curl http://node1:30080/",
    "",
  ].join("\n"),
  declare: (_command: Command) => undefined,
  run: async ({ words, flags, io, open }) => {
    const [what, ...more] = words;
    if (what !== "topology" || more.length > 0)
      throw new UsageError("what is to be exported?", "`export topology`; a trace is exported with its -o");
    const output = chooseFormat(flags.output, FORMATS, "yaml");
    const session = await open(flags, io);
    const { topologyOf } = await import("../../cluster/topology-of.ts");
    const { documentText, yamlOf } = await import("../document.ts");
    const topology = topologyOf(session.cluster, session.input.topology, flags.namespace);
    io.stdout.write(output === "json" ? documentText(topology, "json") : yamlOf(JSON.stringify(topology)));
    return 0;
  },
};
