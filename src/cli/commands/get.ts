/** `ktrace get KIND [NAME…]`: the simulated cluster, in kubectl's words, columns and formats. */
import type { Command } from "commander";
import { UsageError } from "../../objects/diagnostic.ts";
import type { CommandSpec } from "../command.ts";
import { chooseFormat } from "../flags.ts";

const FORMATS = ["wide", "name", "json", "yaml"] as const;

export const getCommand: CommandSpec = {
  name: "get",
  usage: "KIND [NAME…] [-A] [-l SELECTOR] [-o wide|name|json|yaml]",
  summary: "list objects of the simulated cluster as kubectl would",
  help: ["  ktrace get pods -o wide", "  ktrace get svc,endpoints -A", "  ktrace get pod/nginx -o yaml", ""].join("\n"),
  declare: (command: Command) => {
    command
      .option("-A, --all-namespaces", "of all namespaces")
      .option("-l, --selector <selector>", "only objects with these labels: app=web,tier!=db")
      .option("--no-headers", "no line of column titles")
      .option("--show-labels", "a last column with the labels");
  },
  run: async (call) => {
    const { words, options, flags, io } = call;
    const output = flags.output === undefined ? undefined : chooseFormat(flags.output, FORMATS, "wide");
    const session = await call.open(flags, io);
    const { getObjects, renderGet } = await import("../../render/get/get.ts");
    const { apiObjects } = await import("../../cluster/api/objects.ts");
    const source = (kind: string) => apiObjects(session.cluster, kind);
    const request = {
      words,
      namespace: flags.namespace ?? "default",
      allNamespaces: options.allNamespaces === true,
      ...(typeof options.selector === "string" ? { selector: options.selector } : {}),
    };
    if (output === "json" || output === "yaml") {
      const { data, messages, found } = getObjects(source, request);
      if (data === undefined && !found) throw new UsageError(messages.join("; "));
      if (data !== undefined) io.stdout.write((await import("../document.ts")).documentText(data, output));
      return finish(messages, found, io.stderr.write);
    }
    const { text, messages, found } = renderGet(source, {
      ...request,
      output: output ?? "table",
      version: session.cluster.version,
      noHeaders: options.headers === false,
      showLabels: options.showLabels === true,
    });
    io.stdout.write(text);
    return finish(messages, found, io.stderr.write);
  },
};

/** What was asked for by name and is not there is a mistake in the question, as an unknown SOURCE is: exit 2. */
function finish(messages: readonly string[], found: boolean, say: (text: string) => void): number {
  for (const message of messages) say(message.startsWith("help: ") ? `  ${message}\n` : `${found ? "" : "ktrace: error: "}${message}\n`);
  return found ? 0 : 2;
}
