/** Which objects a `get` is about: kubectl's words `pods`, `pods a b`, `pod/a svc/b`, `svc,ep`, `all`, with namespace and labels. */
import { UsageError } from "../../objects/diagnostic.ts";
import { type Fields, labelsAt, textAt } from "../../objects/record.ts";
import { pluralName, resourcesOf, resourceWords } from "./kinds.ts";
import { parseLabelSelector } from "./label-selector.ts";
import type { Resource } from "./resource.ts";

export type GetRequest = {
  readonly words: readonly string[]; // what stands after `get`
  readonly namespace: string;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
};
/** Where the objects come from: the cluster, kind by kind. */
export type ObjectSource = (kind: string) => readonly Fields[];
export type Selection = {
  readonly groups: readonly { readonly resource: Resource; readonly objects: readonly Fields[] }[];
  /** Whether names were asked for, so that one object is printed as itself and not as a list. */
  readonly named: boolean;
  readonly missing: readonly { readonly message: string; readonly help?: string }[];
};

/** Throws UsageError for words that name no kind. */
export function selectObjects(source: ObjectSource, request: GetRequest): Selection {
  const asked = askedFor(request.words);
  if (asked.some((each) => each.names.length > 0) && request.selector !== undefined)
    throw new UsageError("name cannot be provided when a selector is specified");
  if (asked.some((each) => each.names.length > 0) && request.allNamespaces)
    throw new UsageError("a resource cannot be retrieved by name across all namespaces", "use -n NAMESPACE");
  const matches = request.selector === undefined ? () => true : parseLabelSelector(request.selector);
  const found = asked.map(({ resource, names }) => {
    const everywhere = source(resource.kind);
    const objects = everywhere.filter((object) => isIn(object, resource, request));
    if (names.length > 0) return { resource, ...pick(names, objects, everywhere, resource, request) };
    return { resource, objects: objects.filter((object) => matches(labelsAt(object, "metadata", "labels"))), missing: [] };
  });
  return {
    groups: found.map(({ resource, objects }) => ({ resource, objects })),
    named: asked.some((each) => each.names.length > 0),
    missing: found.flatMap((each) => each.missing),
  };
}

type Asked = { readonly resource: Resource; readonly names: readonly string[] };

/** `pod/a svc/b` names each with its kind; otherwise the first word is the kinds and the rest names. */
function askedFor(words: readonly string[]): Asked[] {
  const [first, ...names] = words;
  if (first === undefined)
    throw new UsageError("you must specify the type of resource to get", "for example: get pods, get svc/web, get all");
  if (words.some((word) => word.includes("/"))) return words.map(typedName);
  const kinds = first.split(",").filter((word) => word !== "");
  const resources = kinds.flatMap(knownResources);
  return [...new Set(resources)].map((resource) => ({ resource, names }));
}

function typedName(word: string): Asked {
  const slash = word.indexOf("/");
  if (slash < 0)
    throw new UsageError(
      `there is no need to specify a resource type as a separate argument when passing arguments in resource/name form: ${JSON.stringify(word)}`,
    );
  const [resource] = knownResources(word.slice(0, slash));
  const name = word.slice(slash + 1);
  if (!resource || name === "" || word.slice(0, slash).toLowerCase() === "all")
    throw new UsageError(`arguments in resource/name form must have a single resource and name: ${JSON.stringify(word)}`);
  return { resource, names: [name] };
}

function knownResources(word: string): readonly Resource[] {
  const found = resourcesOf(word);
  if (found) return found;
  const near = resourceWords().find((each) => each.startsWith(word.toLowerCase().slice(0, 3)) && word.length > 2);
  throw new UsageError(
    `the server doesn't have a resource type ${JSON.stringify(word)}`,
    near === undefined ? "ktrace knows the kinds that networking rests on" : `did you mean ${near}?`,
  );
}

const isIn = (object: Fields, resource: Resource, request: GetRequest): boolean =>
  !resource.namespaced || request.allNamespaces === true || textAt(object, "metadata", "namespace") === request.namespace;

/** The named objects in the order asked for. A name of another namespace is said to be there. */
function pick(
  names: readonly string[],
  objects: readonly Fields[],
  everywhere: readonly Fields[],
  resource: Resource,
  request: GetRequest,
) {
  const byName = new Map(objects.map((object) => [textAt(object, "metadata", "name"), object]));
  const missing = names
    .filter((name) => !byName.has(name))
    .map((name) => {
      const elsewhere = everywhere
        .filter((object) => textAt(object, "metadata", "name") === name)
        .map((object) => textAt(object, "metadata", "namespace"));
      const message = `Error from server (NotFound): ${pluralName(resource)} ${JSON.stringify(name)} not found`;
      return elsewhere.length > 0 && request.namespace !== elsewhere[0]
        ? { message, help: `it exists in namespace ${elsewhere.join(", ")}` }
        : { message };
    });
  const objectsFound = names.map((name) => byName.get(name)).filter((object) => object !== undefined);
  return { objects: objectsFound, missing };
}
