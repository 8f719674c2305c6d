/** `ktrace describe KIND/NAME`: one object of the simulated cluster in full, in kubectl's layout. */
import type { Command } from "commander";
import { UsageError } from "../../objects/diagnostic.ts";
import type { CommandSpec } from "../command.ts";

export const describeCommand: CommandSpec = {
  name: "describe",
  usage: "KIND [NAME…] [-A] [-l SELECTOR]",
  summary: "describe pods, services, nodes, namespaces, workloads and quotas as kubectl would",
  help: ["  ktrace describe svc/tomcat6", "  ktrace describe pod nginx", "  ktrace describe ingress -A", ""].join("\n"),
  declare: (command: Command) => {
    command
      .option("-A, --all-namespaces", "of all namespaces")
      .option("-l, --selector <selector>", "only objects with these labels: app=web,tier!=db");
  },
  run: async ({ words, options, flags, io, open }) => {
    if (flags.output !== undefined) throw new UsageError("describe has no -o", "ktrace get prints objects with -o json and -o yaml");
    const session = await open(flags, io);
    const { renderDescribe } = await import("../../render/describe/describe.ts");
    const { apiObjects } = await import("../../cluster/api/objects.ts");
    const namespace = flags.namespace ?? "default";
    const { text, missing } = renderDescribe((kind) => apiObjects(session.cluster, kind), {
      words,
      namespace,
      allNamespaces: options.allNamespaces === true,
      ...(typeof options.selector === "string" ? { selector: options.selector } : {}),
    });
    io.stdout.write(text);
    for (const { message, help } of missing) io.stderr.write(`ktrace: error: ${message}\n${help === undefined ? "" : `  help: ${help}\n`}`);
    if (text === "" && missing.length === 0)
      io.stderr.write(`No resources found${options.allNamespaces ? "" : ` in ${namespace} namespace.`}\n`);
    return missing.length > 0 ? 2 : 0;
  },
};
