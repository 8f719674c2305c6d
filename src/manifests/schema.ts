/**
 * Checks a value against the JSON Schemas of schema/, which are published and read here as they are. Covers the keywords
 * they use (draft 7: type, const, enum, pattern, format, minimum, maximum, properties, required, additionalProperties,
 * items, $ref) and no others; test/manifests/schema.test.ts compares it with ajv. A compiled ajv validator of the same
 * schemas is 300 kB, whose loading alone costs more than reading a manifest.
 */
import { parseCidr, parseIp } from "../net/address.ts";
import type { PathPart } from "../objects/source.ts";

export type SchemaNode = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: { readonly [key: string]: SchemaNode };
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode;
  readonly description?: string;
};
export type Definitions = { readonly [name: string]: SchemaNode };

/** One thing that is not as the schema says. `path` leads to the value, for missing and unknown keys to the mapping. */
export type Violation = { readonly path: readonly PathPart[]; readonly value: unknown; readonly description?: string } & (
  | { readonly rule: "type"; readonly types: readonly string[] }
  | { readonly rule: "one-of"; readonly allowed: readonly string[] }
  | { readonly rule: "pattern"; readonly pattern: string }
  | { readonly rule: "format"; readonly format: string }
  | { readonly rule: "range"; readonly minimum?: number; readonly maximum?: number }
  | { readonly rule: "missing"; readonly key: string }
  | { readonly rule: "unknown-key"; readonly key: string; readonly known: readonly string[] }
);

/** All violations, in the order of the schema. */
export function checkSchema(definitions: Definitions, name: string, value: unknown): readonly Violation[] {
  const violations: Violation[] = [];
  visit(definitions[name] ?? {}, value, [], (violation) => violations.push(violation), definitions);
  return violations;
}

type Report = (violation: Violation) => void;

function visit(node: SchemaNode, value: unknown, path: readonly PathPart[], report: Report, definitions: Definitions): void {
  const target = node.$ref === undefined ? node : (definitions[node.$ref.slice("#/$defs/".length)] ?? {});
  const about = { path, value, ...(node.description !== undefined && { description: node.description }) };
  const types = target.type === undefined ? [] : [target.type].flat();
  if (types.length > 0 && !types.some((type) => hasType(value, type))) report({ ...about, rule: "type", types });
  else if (typeof value === "string") visitText(target, value, about, report);
  else if (typeof value === "number") visitNumber(target, value, about, report);
  else if (Array.isArray(value))
    for (const [index, item] of value.entries()) visit(target.items ?? {}, item, [...path, index], report, definitions);
  else if (isRecord(value)) visitMapping(target, value, path, report, definitions);
}

type About = { readonly path: readonly PathPart[]; readonly value: unknown };

function visitText(node: SchemaNode, text: string, about: About, report: Report): void {
  const allowed = node.enum ?? (node.const === undefined ? undefined : [node.const]);
  if (allowed !== undefined && !allowed.includes(text)) report({ ...about, rule: "one-of", allowed });
  else if (node.pattern !== undefined && !new RegExp(node.pattern, "u").test(text))
    report({ ...about, rule: "pattern", pattern: node.pattern });
  else if (node.format !== undefined && !FORMATS[node.format]?.(text)) report({ ...about, rule: "format", format: node.format });
}

function visitNumber({ minimum, maximum }: SchemaNode, value: number, about: About, report: Report): void {
  if (value >= (minimum ?? -Infinity) && value <= (maximum ?? Infinity)) return;
  report({ ...about, rule: "range", ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) });
}

function visitMapping(node: SchemaNode, value: Record, path: readonly PathPart[], report: Report, definitions: Definitions): void {
  const { properties = {}, required = [], additionalProperties = true } = node;
  for (const key of required) if (!Object.hasOwn(value, key)) report({ path, value, rule: "missing", key });
  for (const [key, member] of Object.entries(value)) {
    const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (known !== undefined) visit(known, member, [...path, key], report, definitions);
    else if (additionalProperties === false) report({ path, value, rule: "unknown-key", key, known: Object.keys(properties) });
    else if (additionalProperties !== true) visit(additionalProperties, member, [...path, key], report, definitions);
  }
}

/** parseCidr takes a lone address for a /32; where a length belongs, its absence is a slip. */
function isNetwork(text: string): boolean {
  return text.includes("/") && parseCidr(text) !== undefined;
}

/** The formats of our schemas: what `net` can parse is what a later room can use. */
export const FORMATS: { readonly [format: string]: (text: string) => boolean } = {
  ip: (text) => parseIp(text) !== undefined,
  cidr: (text) => isNetwork(text.trim()), // the API tolerates spaces
  "cluster-ip": (text) => text === "" || text === "None" || parseIp(text) !== undefined,
  "interface-address": isNetwork,
  "route-target": (text) => text === "default" || isNetwork(text) || parseIp(text) !== undefined,
};

function hasType(value: unknown, type: string): boolean {
  if (type === "integer") return Number.isInteger(value);
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isRecord(value);
  return typeof value === type; // string, number, boolean
}

type Record = { readonly [key: string]: unknown };
export const isRecord = (value: unknown): value is Record => typeof value === "object" && value !== null && !Array.isArray(value);
