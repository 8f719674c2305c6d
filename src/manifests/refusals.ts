/**
 * A schema's violation by an API object, as the API server says it. What cannot be decoded is a decoding error, in the words of
 * Go's encoding/json; what can be and is not allowed, a field error (objects/violation.ts), as in cluster/validation.
 */

import { parseIp } from "../net/address.ts";
import type { Diagnostic } from "../objects/diagnostic.ts";
import type { PathPart, Source } from "../objects/source.ts";
import { formatPath, invalid, mendingOf, notSupported, type Violation as Refusal, required, violationText } from "../objects/violation.ts";
import type { Violation } from "./schema.ts";
import { typeHelp, typeMessage } from "./violations.ts";
import { escapeText, nearest } from "./words.ts";

/** `about` is who the value belongs to, e.g. `Service default/tomcat6`. */
export function describeRefusal(violation: Violation, kind: string, about: string, source: Source): Diagnostic {
  const left = `the API server refuses the ${kind}, so it is left out`;
  const at = { source, field: violation.path };
  if (violation.rule === "range" && typeof violation.value === "number" && Math.abs(violation.value) > LARGEST_INT32)
    return describeRefusal({ path: violation.path, value: violation.value, rule: "type", types: ["integer"] }, kind, about, source);
  if (violation.rule === "type") {
    const help = selectorHelp(kind, violation.path) ?? typeHelp(violation.types, violation.value).help;
    return {
      code: "KT008",
      severity: "error",
      message: `${about}: ${escapeText(formatPath(violation.path))} ${typeMessage(violation.types, violation.value)}${decodingError(violation.types, violation.value)}`,
      help: `${help}; ${left}`,
      at,
    };
  }
  const refusal = refusalOf(violation);
  const mending = mendingOf(refusal);
  return {
    code: refusal.code,
    severity: "error",
    message: `${about}: ${escapeText(violationText(refusal))}`,
    help: mending === undefined ? left : `${mending}; ${left}`,
    at,
  };
}

/** The selectors of Services and ReplicationControllers are older than LabelSelector. */
const selectorHelp = (kind: string, path: readonly PathPart[]): string | undefined =>
  (kind === "Service" || kind === "ReplicationController") && path.join(".") === "spec.selector.matchLabels"
    ? `write the labels directly below selector: matchLabels is not for a ${kind}`
    : undefined;

const LARGEST_INT32 = 2 ** 31 - 1; // what is larger cannot be decoded, so nobody gets to say that it is out of range

const GO_TYPES = new Map([
  ["string", "string"],
  ["integer", "int32"],
  ["boolean", "bool"],
]);

/** ` (json: cannot unmarshal string into Go value of type int32)`; lists and structs have Go names that say nothing here. */
function decodingError(types: readonly string[], value: unknown): string {
  const wanted = types.length === 1 ? GO_TYPES.get(types[0] ?? "") : undefined;
  const found = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  const literal = typeof value === "number" && wanted === "int32" ? `number ${value}` : found;
  return wanted === undefined ? "" : ` (json: cannot unmarshal ${literal} into Go value of type ${wanted})`;
}

type NoType = Exclude<Violation, { readonly rule: "type" }>;

function refusalOf(violation: NoType): Refusal {
  const { path, value } = violation;
  switch (violation.rule) {
    case "one-of": {
      const known = violation.allowed.filter((word) => word !== "");
      const meant = typeof value === "string" ? nearest(value, known) : undefined;
      return notSupported(path, value, known, meant === undefined ? {} : { help: `did you mean ${meant}?` });
    }
    case "pattern":
      return value === "" ? required(path, nameDetail(path)) : invalid(path, value, "must not begin with white space");
    case "format":
      return formatRefusal(path, value, violation.format);
    case "range":
      return rangeRefusal(path, value, violation.minimum, violation.maximum);
    case "missing":
      return missingRefusal(path, violation.key);
    case "unknown-key":
      return invalid([...path, violation.key], undefined, "unknown field", { code: "KT006" });
    default:
      return violation satisfies never;
  }
}

const nameDetail = (path: readonly PathPart[]): string => (path.join(".") === "metadata.name" ? "name or generateName is required" : "");

/** IP addresses and prefixes (apimachinery/pkg/util/validation/ip.go). */
function formatRefusal(path: readonly PathPart[], value: unknown, format: string): Refusal {
  const text = typeof value === "string" ? value : "";
  if (format === "cidr") return invalid(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
  if (parseIp(text.replace(/(^|\.)0+(?=\d)/g, "$1")) !== undefined)
    return invalid(path, value, "must not have leading 0s", {
      code: "KT009",
      help: "write each number without leading zeros: some programs read them as octal",
    });
  const help = {
    help: format === "cluster-ip" ? "write an IP address or None, or leave it out" : "names are not looked up: write the address",
  };
  return invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)", help);
}

const NODE_PORTS: ReadonlySet<PathPart> = new Set(["nodePort", "healthCheckNodePort"]);

function rangeRefusal(path: readonly PathPart[], value: unknown, minimum: number | undefined, maximum: number | undefined): Refusal {
  if (NODE_PORTS.has(path.at(-1) ?? ""))
    return invalid(path, value, "provided port is not in the valid range", {
      code: "KT301",
      help: "leave it out, and a free one is allocated",
    });
  if (maximum === 65535)
    return invalid(path, value, "must be between 1 and 65535, inclusive", { help: "write a port number of that range" });
  if (maximum !== undefined) return invalid(path, value, `must be greater than 0 and less than ${maximum}`);
  return invalid(path, value, `must be greater than or equal to ${minimum ?? 0}`);
}

/** A number left out is 0 to the server; text, "". */
function missingRefusal(path: readonly PathPart[], key: string): Refusal {
  const field = [...path, key];
  if (key === "port") return invalid(field, 0, "must be between 1 and 65535, inclusive", { help: "add port" });
  if (key === "selector") return required(field, "", { help: "add a selector with the labels of the pod template" });
  if (key === "pathType")
    return required(field, "pathType must be specified", { help: "add pathType: Prefix, Exact or ImplementationSpecific" });
  return required(field, nameDetail(field));
}
