/** What a schema's violation by one of ktrace's own files says to a person: what is there, what was expected, how to mend it. */

import { parseIp } from "../net/address.ts";
import type { Diagnostic } from "../objects/diagnostic.ts";
import type { PathPart, Source } from "../objects/source.ts";
import { formatPath as pathText } from "../objects/violation.ts";
import type { Violation } from "./schema.ts";
import { escapeText, nearest, quote } from "./words.ts";

/** `about` is who the value belongs to, e.g. `Service default/tomcat6`; `path` leads to it in the object as it was written. */
export function describeViolation(violation: Violation, about: string, source: Source): Diagnostic {
  const { message, help } = explain(violation);
  const field = formatPath(violation.path);
  return {
    code: violation.rule === "unknown-key" ? "KT006" : "KT008",
    severity: "error",
    message: `${about}: ${field && violation.rule !== "missing" && violation.rule !== "unknown-key" ? `${field} ` : ""}${message}`,
    ...(help !== undefined && { help }),
    at: { source, field: violation.rule === "unknown-key" ? [...violation.path, violation.key] : violation.path },
  };
}

/** `spec.nodes[0].name`, with nothing in it that a terminal would obey. */
const formatPath = (path: readonly PathPart[]): string => escapeText(pathText(path));

function explain(violation: Violation): { readonly message: string; readonly help?: string } {
  const { value } = violation;
  switch (violation.rule) {
    case "type":
      return { message: typeMessage(violation.types, value), ...typeHelp(violation.types, value) };
    case "one-of": {
      const meant = typeof value === "string" ? nearest(value, violation.allowed) : undefined;
      const allowed = violation.allowed.filter((word) => word !== "").join(", ");
      return {
        message: `is ${describe(value)}, which is none of ${allowed}`,
        help: meant ? `did you mean ${meant}?` : `write one of ${allowed}`,
      };
    }
    case "pattern":
      return {
        message: `is ${describe(value)}, which has not the expected form`,
        ...(violation.description && { help: violation.description }),
      };
    case "format":
      return {
        message: `is ${describe(value)}, which is not ${FORMAT_NAMES.get(violation.format) ?? violation.format}`,
        help: formatHelp(violation.format, value),
      };
    case "range":
      return {
        message: `is ${describe(value)}; it must be ${rangeText(violation.minimum, violation.maximum)}`,
        help: `write a number of that range, or leave it out`,
      };
    case "missing": {
      const where = formatPath(violation.path);
      return { message: `${where ? `${where}.` : ""}${violation.key} is missing`, help: `add \`${escapeText(violation.key)}:\`` };
    }
    case "unknown-key": {
      const meant = nearest(violation.key, violation.known);
      const where = formatPath(violation.path);
      const help = meant ? `did you mean ${meant}?` : `known here: ${violation.known.join(", ")}`;
      return { message: `${where ? `${where} has` : "there is"} no key ${quote(violation.key)}`, help };
    }
    default:
      return violation satisfies never;
  }
}

const TYPE_NAMES = new Map([
  ["string", "text"],
  ["integer", "a whole number"],
  ["number", "a number"],
  ["boolean", "true or false"],
  ["array", "a list"],
  ["object", "a mapping (key: value)"],
]);
const FORMAT_NAMES = new Map([
  ["ip", "an IP address"],
  ["cidr", "a network such as 10.0.0.0/8"],
  ["cluster-ip", "an IP address or None"],
  ["interface-address", "an address with its prefix length, such as 10.0.2.5/24"],
  ["route-target", "a network, an address or `default`"],
]);

/** `must be a whole number, not the text "80"` */
export const typeMessage = (types: readonly string[], value: unknown): string => `must be ${listTypes(types)}, not ${describe(value)}`;

const listTypes = (types: readonly string[]): string => types.map((type) => TYPE_NAMES.get(type) ?? type).join(" or ");

function describe(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (typeof value === "string") return `the text ${quote(value)}`;
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a mapping" : String(value);
}

/** How to turn the value into one of these types. */
export function typeHelp(types: readonly string[], value: unknown): { readonly help: string } {
  if (types.includes("string") && typeof value === "boolean")
    return { help: "put it in quotes: without, y, n, yes, no, on, off, true and false are no text" };
  if (types.includes("string") && typeof value === "number") return { help: "put it in quotes" };
  if (types.includes("integer") && typeof value === "string" && /^[0-9]+$/.test(value)) return { help: `remove the quotes: ${value}` };
  if (types.includes("boolean") && (value === "true" || value === "false")) return { help: `remove the quotes: ${value}` };
  if (types.includes("array") && typeof value !== "object") return { help: "write each member on a line of its own that begins with `- `" };
  if (types.includes("array")) return { help: "begin each member with `- `" };
  if (types.includes("object") && Array.isArray(value)) return { help: "remove the `- ` before the keys" };
  if (types.includes("object")) return { help: "write its members below it, one a line, each as `key: value`" };
  if (types.includes("integer")) return { help: "write a whole number, in digits and without quotes" };
  if (types.includes("boolean")) return { help: "write true or false, without quotes" };
  return { help: "write one text there" };
}

function formatHelp(format: string, value: unknown): string {
  const text = typeof value === "string" ? value : "";
  if (/(?:^|\.)0[0-9]/.test(text)) return "write each number without leading zeros: some programs read them as octal";
  const bare = parseIp(text);
  if (bare !== undefined && format === "interface-address") return `add the length of its network, for example ${bare}/24`;
  if (bare !== undefined && format === "cidr") return `add the length of the prefix, for example ${bare}/16`;
  return FORMAT_HELP.get(format) ?? "write it in that form";
}

const FORMAT_HELP = new Map([
  ["ip", "write four numbers of at most 255 with dots between, or an IPv6 address; names are not looked up"],
  ["cidr", "write an address, `/`, and a length of at most 32, or 128 for IPv6"],
  ["interface-address", "write an address, `/`, and the length of its network"],
  ["route-target", "write `default`, an address, or a network such as 10.9.0.0/16"],
]);

function rangeText(minimum: number | undefined, maximum: number | undefined): string {
  if (minimum === undefined) return `at most ${maximum}`;
  return maximum === undefined ? `at least ${minimum}` : `${minimum} to ${maximum}`;
}
