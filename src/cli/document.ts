/** Data on stdout as JSON or YAML. Text from the input that could steer a terminal is escaped as JSON escapes it, and JSON is YAML too. */
import { printYaml } from "../manifests/yaml/print.ts";
import { escapeJson, escapeText } from "../render/escape.ts";

/** API objects, as kubectl prints them. */
export function documentText(data: unknown, output: "json" | "yaml"): string {
  const json = JSON.stringify(data, null, 4);
  return output === "json" || !isPlain(JSON.stringify(data)) ? `${escapeJson(json)}\n` : printYaml(data);
}

/** A JSON document of ours as YAML, its members in the same order. */
export const yamlOf = (json: string): string =>
  isPlain(json.replaceAll("\n", "")) ? printYaml(JSON.parse(json), { sorted: false }) : json;

const isPlain = (text: string): boolean => escapeText(text) === text;
