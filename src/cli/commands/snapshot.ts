/** `ktrace snapshot`: a dump of the live cluster, made with the kubectl on the PATH, that every other command reads with -f. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { UsageError } from "../../objects/diagnostic.ts";
import type { Call, CommandSpec } from "../command.ts";
import { diagnosticText } from "../trouble.ts";

export const snapshotCommand: CommandSpec = {
  name: "snapshot",
  usage: "[--context NAME] [--kubeconfig FILE] [-n NAMESPACE] [-o yaml|json|FILE]",
  summary: "write a dump of the live cluster with the kubectl on the PATH; Secrets are never in it",
  help: [
    "Prints YAML, or writes FILE (JSON when it ends in .json). All namespaces, or with -n one beside the system's own. Left",
    "out: Secrets, ConfigMaps other than the network's, managedFields, last-applied annotations. Environment variables of",
    "pods are in it as their manifests have them.",
    "",
    "  ktrace snapshot -o dump.yaml",
    "  ktrace snapshot --context prod | ktrace -f - exec -n shop pod/web -- curl http://db:5432",
    "",
  ].join("\n"),
  declare: (command: Command) => {
    command
      .option("--context <name>", "kubectl's context")
      .option("--kubeconfig <file>", "kubectl's configuration file")
      .option("-A, --all-namespaces", "of all namespaces (the default)");
  },
  run: async (call) => {
    const { words, options, flags, io } = call;
    if (words.length > 0) throw new UsageError(`snapshot takes no words, not ${JSON.stringify(words[0])}`, "-n chooses a namespace");
    if (flags.namespace !== undefined && options.allNamespaces === true)
      throw new UsageError("-n names one namespace, -A means all: which?");
    const { findKubectl } = await import("../snapshot/kubectl.ts");
    const { takeSnapshot } = await import("../snapshot/take.ts");
    const kubectl = findKubectl(
      {
        ...(typeof options.context === "string" ? { context: options.context } : {}),
        ...(typeof options.kubeconfig === "string" ? { kubeconfig: options.kubeconfig } : {}),
      },
      io,
    );
    const { items, missing } = takeSnapshot(kubectl, flags.namespace);
    if (!flags.quiet) for (const one of missing) io.stderr.write(diagnosticText(one, io));
    await put(call, { apiVersion: "v1", kind: "List", items });
    return 0;
  },
};

async function put({ flags, io }: Call, list: unknown): Promise<void> {
  const { documentText } = await import("../document.ts");
  const { output = "yaml" } = flags;
  if (output === "yaml" || output === "json") return io.stdout.write(documentText(list, output));
  const { writeWhole } = await import("../snapshot/write-file.ts");
  writeWhole(resolve(io.cwd, output), output, documentText(list, output.endsWith(".json") ? "json" : "yaml"));
}
