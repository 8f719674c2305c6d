/** `ktrace schema NAME`: the JSON Schema of a file that ktrace reads or a document that it prints. */
import { readdirSync, readFileSync } from "node:fs";
import { UsageError } from "../../objects/diagnostic.ts";
import type { CommandSpec } from "../command.ts";

const SUFFIX = ".schema.json";

export const schemaCommand: CommandSpec = {
  name: "schema",
  usage: "[NAME]",
  summary: "print a JSON Schema; without a name, list them",
  run: async ({ words: [name], io }) => {
    const folder = schemaFolder();
    const names = readdirSync(folder)
      .filter((file) => file.endsWith(SUFFIX))
      .map((file) => file.slice(0, -SUFFIX.length))
      .sort();
    if (name === undefined) {
      io.stdout.write(names.map((known) => `${known}\n`).join(""));
      return 0;
    }
    if (!names.includes(name)) throw new UsageError(`no schema ${JSON.stringify(name)}`, `known: ${names.join(", ")}`);
    io.stdout.write(readFileSync(new URL(`${name}${SUFFIX}`, folder), "utf8"));
    return 0;
  },
};

/** Beside dist/ in the package, three folders up in the source tree. */
const schemaFolder = (): URL => new URL(import.meta.url.endsWith("/dist/cli.cjs") ? "../schema/" : "../../../schema/", import.meta.url);
