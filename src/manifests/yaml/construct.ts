/**
 * From js-yaml's events to a value, as go-yaml v2 builds it for kubectl. js-yaml's own constructor differs in four things
 * that change what an object means: `<<` is applied in place (a key written before it loses), unknown tags are passed over,
 * a null key is an error, and a duplicate key keeps the last value. So the events are read here.
 */
import {
  type AliasEvent,
  EVENT_ID,
  type Event,
  getScalarValue,
  type MappingEvent,
  SCALAR_STYLE,
  type ScalarEvent,
  YAMLException,
} from "js-yaml";
import { readPlain, type Scalar } from "./scalar.ts";

export type Yaml = Scalar | readonly Yaml[] | YamlMapping;
export type YamlMapping = { readonly [key: string]: Yaml };

/** A key written a second time in one mapping: offsets in the source. */
export type DuplicateKey = { readonly key: string; readonly start: number; readonly end: number };
export type Constructed = { readonly value: Yaml; readonly duplicates: readonly DuplicateKey[] };

export const MAX_DEPTH = 1000; // Go allows 10,000; js-yaml's own recursion breaks before that
const MAX_ALIASES = 10_000;
const MAX_ALIASED_NODES = 1_000_000; // what aliases may add in sum: a "billion laughs" is refused, as Go refuses it
const MAX_KEY_LENGTH = 1024; // YAML 1.1, 7.3.3: an implicit key
const LONE_SURROGATE = /(?:^|[^\\])(?:\\\\)*\\u[dD][89a-fA-F]/;

type Anchor = { readonly value: Yaml; readonly nodes: number; readonly height: number } | "open";

/** The first document of the events. Throws YAMLException with a position, for what Go refuses too. */
export function construct(source: string, events: readonly Event[]): Constructed {
  const anchors = new Map<string, Anchor>();
  const duplicates: DuplicateKey[] = [];
  let next = 0;
  let nodes = 0;
  let aliased = 0;
  let aliases = 0;
  let deepest = 0;

  const fail = (position: number, reason: string): never => YAMLException.throwAt(source, position, reason);
  const take = (): Event => events[next++] ?? fail(source.length, "unexpected end of the document");

  function readNode(depth: number): Yaml {
    const event = take();
    nodes += 1;
    if (depth > deepest) deepest = depth;
    if (event.type === EVENT_ID.ALIAS) return readAlias(event, depth);
    if (event.type === EVENT_ID.POP || event.type === EVENT_ID.DOCUMENT) return null;
    if (event.anchorStart === -1) return readContent(event, depth);

    const name = source.slice(event.anchorStart, event.anchorEnd);
    const [nodesBefore, deepestBefore] = [nodes, deepest];
    anchors.set(name, "open");
    deepest = depth;
    const value = readContent(event, depth);
    anchors.set(name, { value, nodes: nodes - nodesBefore + 1, height: deepest - depth });
    deepest = Math.max(deepest, deepestBefore);
    return value;
  }

  function readContent(event: Exclude<Event, AliasEvent>, depth: number): Yaml {
    if (event.type === EVENT_ID.SCALAR) return readScalar(source, event);
    if (event.type === EVENT_ID.MAPPING) return readMapping(event, depth);
    const items: Yaml[] = [];
    while (events[next] !== undefined && events[next]?.type !== EVENT_ID.POP) items.push(readNode(depth + 1));
    next += 1;
    return items;
  }

  function readAlias(event: AliasEvent, depth: number): Yaml {
    const name = source.slice(event.anchorStart, event.anchorEnd);
    const anchor = anchors.get(name);
    aliases += 1;
    if (anchor === undefined) return fail(event.anchorStart - 1, `unidentified alias "${name}"`);
    if (anchor === "open") return fail(event.anchorStart - 1, `alias "${name}" contains itself`);
    nodes += anchor.nodes;
    aliased += anchor.nodes;
    deepest = Math.max(deepest, depth + anchor.height);
    if (aliases > MAX_ALIASES || aliased > MAX_ALIASED_NODES) return fail(event.anchorStart - 1, "excessive aliasing");
    if (deepest > MAX_DEPTH) return fail(event.anchorStart - 1, "nesting exceeded maxDepth");
    return anchor.value;
  }

  function readMapping(mapping: MappingEvent, depth: number): YamlMapping {
    const result: { [key: string]: Yaml } = {};
    const merged = new Set<string>();
    while (events[next] !== undefined && events[next]?.type !== EVENT_ID.POP) {
      const keyEvent = take();
      if (isMergeKey(source, keyEvent)) {
        mergeInto(result, readNode(depth + 1), merged, () => fail(mapping.start, "only a mapping can be merged with <<"));
        continue;
      }
      const key = readMappingKey(keyEvent, mapping.start);
      if (Object.hasOwn(result, key) && !merged.delete(key)) duplicates.push({ key, ...extentOf(keyEvent) });
      setOwn(result, key, readNode(depth + 1));
    }
    next += 1;
    return result;
  }

  function readMappingKey(event: Event, fallback: number): string {
    if (event.type === EVENT_ID.ALIAS) {
      const value = readAlias(event, 0);
      return typeof value === "object" ? fail(event.anchorStart - 1, "a key must be text") : String(value);
    }
    if (event.type !== EVENT_ID.SCALAR)
      return fail("start" in event ? event.start : fallback, "a key must be text, not a list or a mapping");
    const value = readScalar(source, event);
    const position = event.valueStart === -1 ? fallback : event.valueStart;
    if (event.anchorStart !== -1) anchors.set(source.slice(event.anchorStart, event.anchorEnd), { value, nodes: 1, height: 0 });
    if (value === null) return fail(position, "a key must not be null");
    if (event.valueEnd - event.valueStart > MAX_KEY_LENGTH) return fail(position, "a key must not be longer than 1024 characters");
    return String(value);
  }

  if (events[0]?.type === EVENT_ID.DOCUMENT) next = 1;
  return { value: next < events.length ? readNode(1) : null, duplicates };
}

/** Sets a property of that name, `__proto__` too: parsed data never reaches a prototype. */
export function setOwn(target: { [key: string]: Yaml }, key: string, value: Yaml): void {
  if (key === "__proto__") Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

export const isMapping = (value: unknown): value is YamlMapping => typeof value === "object" && value !== null && !Array.isArray(value);

/** The text of a scalar event as a mapping's key, as `construct` would name it; undefined when it is no key. */
export function keyOf(source: string, event: Event): string | undefined {
  if (event.type !== EVENT_ID.SCALAR) return undefined;
  if (event.style !== SCALAR_STYLE.PLAIN || event.tagStart !== -1) return getScalarValue(source, event);
  const value = readPlain(getScalarValue(source, event));
  return value === undefined ? undefined : String(value);
}

export const isMergeKey = (source: string, event: Event): boolean =>
  event.type === EVENT_ID.SCALAR && event.style === SCALAR_STYLE.PLAIN && event.tagStart === -1 && getScalarValue(source, event) === "<<";

function readScalar(source: string, event: ScalarEvent): Scalar {
  const text = getScalarValue(source, event);
  const fail = (reason: string): never => YAMLException.throwAt(source, Math.max(event.valueStart, 0), reason);
  const tag = event.tagStart === -1 ? "" : shortTag(source.slice(event.tagStart, event.tagEnd));
  if (event.style === SCALAR_STYLE.DOUBLE_QUOTED && LONE_SURROGATE.test(source.slice(event.valueStart, event.valueEnd))) {
    return fail("\\u escapes of surrogates are not YAML; write the character itself or \\U and eight digits");
  }
  if (tag === "binary") return Buffer.from(text, "base64").toString("utf8");
  if (tag === "" ? event.style !== SCALAR_STYLE.PLAIN : !TYPED_TAGS.has(tag)) return text; // an unknown tag says nothing, but stops guessing
  const value = readPlain(text);
  if (value === undefined) return fail(".inf and .nan cannot be said in JSON, so the API has no such number");
  if (tag !== "" && !TYPED_TAGS.get(tag)?.(value)) return fail(`cannot read this as !!${tag}`);
  return value;
}

/** Tags that ask for a type. The others leave the scalar as text. */
const TYPED_TAGS: ReadonlyMap<string, (value: Scalar) => boolean> = new Map([
  ["int", Number.isInteger],
  ["float", (value) => typeof value === "number"],
  ["bool", (value) => typeof value === "boolean"],
  ["null", (value) => value === null],
]);

const shortTag = (raw: string): string => raw.replace(/^(?:!!|!<tag:yaml\.org,2002:)([^>]*)>?$/, "$1");

/** go-yaml v2 decode.go merge(): sets the keys now, over what is there; of a list the first member wins. */
function mergeInto(target: { [key: string]: Yaml }, value: Yaml, merged: Set<string>, refuse: () => never): void {
  for (const mapping of Array.isArray(value) ? value.toReversed() : [value]) {
    for (const [key, member] of Object.entries(isMapping(mapping) ? mapping : refuse())) {
      setOwn(target, key, member);
      merged.add(key);
    }
  }
}

const extentOf = (event: Event): { start: number; end: number } =>
  event.type === EVENT_ID.SCALAR ? { start: event.valueStart, end: event.valueEnd } : { start: 0, end: 0 };
