/** Documents → API objects: lists unpacked, kinds judged, old versions rewritten, types checked, duplicates settled. */
import type { ApiObject, ObjectMeta } from "../objects/api.ts";
import type { Diagnostic } from "../objects/diagnostic.ts";
import { formatPlace, type PathPart, type Source } from "../objects/source.ts";
import { isModelled, isNamespaced, judgeKind, servedVersion } from "./kinds.ts";
import { objectViolations, todaysForm } from "./object-schema.ts";
import { describeRefusal } from "./refusals.ts";
import type { Sources } from "./sources.ts";
import { escapeText, quote } from "./words.ts";
import { isMapping, type Yaml, type YamlMapping } from "./yaml/construct.ts";

/** A `kind: Topology` met among the manifests. */
export type TopologyDocument = { readonly value: YamlMapping; readonly source: Source };

/** An object as it was written: no default filled in, no old version rewritten. */
export type Written = { readonly value: YamlMapping; readonly source: Source };

/** Where the objects of all documents come together. */
export type ObjectCollector = {
  /** `expected`: the document was named by the user, so it has to be a Kubernetes object. */
  readonly addDocument: (value: Yaml, source: Source, expected: boolean) => void;
  /** True when an object of that kind is to be passed over, and why was noted; false when it has to be read. */
  readonly addUnread: (apiVersion: string, kind: string, source: Source) => boolean;
  readonly finish: (sources: Sources) => {
    readonly objects: readonly ApiObject[];
    readonly topologies: readonly TopologyDocument[];
    readonly expectations: readonly TopologyDocument[];
    readonly configs: readonly TopologyDocument[]; // kube-proxy's
    readonly settings: readonly YamlMapping[]; // custom resources that are read for facts only
    readonly diagnostics: readonly Diagnostic[];
    readonly documents: number; // that had any content
    readonly written: readonly Written[]; // of the kinds that are read, refused ones too
    readonly refused: readonly ApiObject[]; // for numbers out of range alone: what else is wrong with them can still be said
  };
};

const READ_JUDGEMENTS: ReadonlySet<string> = new Set(["read", "topology", "expectations", "kube-proxy", "setting", "noted"]);

type NotModelled = { readonly source: Source; readonly count: number };

/** An empty collector. */
export function createCollector(): ObjectCollector {
  const objects: ApiObject[] = [];
  const written: Written[] = [];
  const refused: ApiObject[] = [];
  const topologies: TopologyDocument[] = [];
  const expectations: TopologyDocument[] = [];
  const configs: TopologyDocument[] = [];
  const settings: YamlMapping[] = [];
  const diagnostics: Diagnostic[] = [];
  const notModelled = new Map<string, NotModelled>();
  let documents = 0;

  function addValue(value: Yaml, source: Source, expected: boolean): void {
    if (value === null) return;
    if (!isMapping(value)) {
      const what = Array.isArray(value) ? "a list" : "text";
      const mend = Array.isArray(value) ? "a list of objects is `kind: List` with `items`, or documents with `---` between" : BEGINNING;
      complain(`a Kubernetes object is a mapping (key: value), this is ${what}`, mend, source, expected);
      return;
    }
    const { apiVersion, kind } = value;
    if (typeof apiVersion !== "string" || typeof kind !== "string") complainAboutType(value, source, expected);
    else if (kind.endsWith("List") && Array.isArray(value.items)) addList(value.items, apiVersion, kind, source, expected);
    else if (addUnread(apiVersion, kind, source)) return;
    else if (apiVersion.startsWith("ktrace.dev/")) (kind === "Expectations" ? expectations : topologies).push({ value, source });
    else if (judgeKind(apiVersion, kind).kind === "kube-proxy") configs.push({ value, source });
    else if (judgeKind(apiVersion, kind).kind === "setting") settings.push(value);
    else if (judgeKind(apiVersion, kind).kind === "noted") written.push({ value, source });
    else addObject(value, kind, source);
  }

  /** The members of a typed list, `kind: PodList`, need not say what they are. */
  function addList(items: readonly Yaml[], apiVersion: string, kind: string, source: Source, expected: boolean): void {
    const fallback = kind === "List" ? {} : { apiVersion, kind: kind.slice(0, -"List".length) };
    for (const [index, item] of items.entries()) {
      const member = isMapping(item) ? { ...fallback, ...item } : item;
      addValue(member, { ...source, path: [...source.path, "items", index] }, expected);
    }
  }

  function addUnread(apiVersion: string, kind: string, source: Source): boolean {
    const judgement = judgeKind(apiVersion, kind);
    if (judgement.kind === "mistaken") {
      const { message, help, field } = judgement;
      diagnostics.push({ code: "KT008", severity: "error", message, help, at: { source, field: [field] } });
    } else if (judgement.kind === "not-modelled") countNotModelled(apiVersion, kind, source);
    return !READ_JUDGEMENTS.has(judgement.kind);
  }

  function countNotModelled(apiVersion: string, kind: string, source: Source): void {
    const key = `${kind} (${apiVersion})`;
    const known = notModelled.get(key);
    notModelled.set(key, { source: known?.source ?? source, count: (known?.count ?? 0) + 1 });
  }

  function addObject(value: YamlMapping, kind: string, source: Source): void {
    const isRead = kind !== "ConfigMap" || isNetworkConfig(value);
    if (isRead || isExpectation(value)) written.push({ value, source });
    if (!isRead) return;
    const object = todaysForm(value);
    const violations = objectViolations(kind, object);
    const about = nameOf(object, kind);
    diagnostics.push(...violations.map((violation) => describeRefusal(violation, kind, about, source)));
    if (!isObjectOf(object, kind)) return;
    if (violations.length === 0) objects.push(withDefaults(object, source));
    else if (violations.every(({ rule }) => rule === "range")) refused.push(withDefaults(object, source));
    if (!isModelled(kind)) countNotModelled(String(value.apiVersion), kind, source);
  }

  function complainAboutType(value: YamlMapping, source: Source, expected: boolean): void {
    const [there, missing] = typeof value.kind === "string" ? ["kind", "apiVersion"] : ["apiVersion", "kind"];
    const [known, other] = [value[there], value[missing] ?? undefined];
    const version = typeof value.kind === "string" ? servedVersion(value.kind) : undefined;
    const mend = hintOfComment(value) ?? (version === undefined ? BEGINNING : `add apiVersion: ${version}`);
    if (other !== undefined) complain(`${missing} must be text`, `write one word after ${missing}:`, source, true, [missing]);
    else if (typeof known !== "string") complain("no Kubernetes object: it has neither apiVersion nor kind", mend, source, expected);
    else complain(`${there} is ${quote(known)}, but ${missing} is missing`, mend, source, true);
  }

  function complain(message: string, mend: string, source: Source, expected: boolean, field: readonly PathPart[] = []): void {
    const help = expected ? `${mend}; kubectl refuses the document` : "it was passed over";
    diagnostics.push({ code: "KT008", severity: expected ? "error" : "info", message, help, at: { source, field } });
  }

  return {
    addDocument: (value, source, expected) => {
      if (value !== null) documents += 1;
      addValue(value, source, expected);
    },
    addUnread: (apiVersion, kind, source) => {
      const isUnread = addUnread(apiVersion, kind, source);
      if (isUnread) documents += 1;
      return isUnread;
    },
    finish: (sources) => {
      const unique = lastOfEach(objects, sources);
      const infos = [...notModelled].map(([kind, seen]) => describeNotModelled(kind, seen));
      return {
        objects: unique.objects,
        topologies,
        expectations,
        configs,
        settings,
        documents,
        written,
        refused,
        diagnostics: [...diagnostics, ...unique.diagnostics, ...infos],
      };
    },
  };
}

const BEGINNING = "a manifest begins with `apiVersion:` and `kind:`";

/** A comment of another language reads as a part of the key after it. */
const hintOfComment = (value: YamlMapping): string | undefined =>
  Object.keys(value).some((key) => /^\/[/*]/.test(key)) ? "JSON has no comments, and in YAML they begin with #" : undefined;

type Unsourced<T> = T extends unknown ? Omit<T, "source"> : never;

/** What the schema of the kind has checked, said to the compiler: the schemas and objects/api.ts hold the same fields. */
const isObjectOf = (object: unknown, kind: string): object is Unsourced<ApiObject> => isMapping(object) && object.kind === kind;

function withDefaults(object: Unsourced<ApiObject>, source: Source): ApiObject {
  const { namespace, ...rest } = object.metadata;
  const metadata: ObjectMeta = isNamespaced(object.kind) ? { ...rest, namespace: namespace || "default" } : rest;
  return { ...object, metadata, source };
}

/** Only these ConfigMaps say something about the network; any other may hold anything, and is not kept. */
function isNetworkConfig(value: YamlMapping): boolean {
  const { name, namespace } = asMapping(value.metadata ?? null);
  return typeof name === "string" && typeof namespace === "string" && NETWORK_CONFIGS.test(`${namespace}/${name}`);
}

/** A request that somebody expects to work (`ktrace.dev/expect: "curl http://… => 200"`), for rules of lint. */
function isExpectation(value: YamlMapping): boolean {
  const { annotations } = asMapping(value.metadata ?? null);
  return isMapping(annotations) && Object.hasOwn(annotations, "ktrace.dev/expect");
}

const NETWORK_CONFIGS =
  /^(?:kube-system\/(?:kube-proxy(?:-config)?|kubeadm-config|kubelet-config(?:-1\.\d+)?|coredns|calico-config|canal-config|cilium-config)|[^/]+\/kube-flannel-cfg)$/;

/** Two objects of one name: kubectl applies both, so the later one stands. The message names both places. */
function lastOfEach(
  objects: readonly ApiObject[],
  sources: Sources,
): { objects: readonly ApiObject[]; diagnostics: readonly Diagnostic[] } {
  const byName = new Map<string, ApiObject>();
  const diagnostics: Diagnostic[] = [];
  for (const object of objects) {
    const { name, namespace = "" } = object.metadata;
    const key = `${object.kind}/${namespace}/${name}`;
    const earlier = byName.get(key);
    byName.delete(key); // so that the later one also takes the later place
    byName.set(key, object);
    if (earlier === undefined) continue;
    const place = sources.place(earlier.source, ["metadata", "name"]);
    diagnostics.push({
      code: "KT007",
      severity: "warning",
      message: `${nameOf(object, object.kind)} is defined twice; this one stands, the one at ${place ? formatPlace(place) : earlier.source.file} does not`,
      help: "remove one, or give it another name or namespace",
      at: { source: object.source, field: ["metadata", "name"] },
    });
  }
  return { objects: [...byName.values()], diagnostics };
}

const describeNotModelled = (kind: string, { source, count }: NotModelled): Diagnostic => ({
  code: "not-modelled",
  severity: "info",
  message: `${escapeText(kind)} is not modelled: ${count} ${count === 1 ? "object was" : "objects were"} passed over`,
  at: { source, field: ["kind"] },
});

const LONGEST_NAME = 300; // namespace and name of an object that may be taken

/** `Service default/tomcat6` */
function nameOf(object: { readonly metadata?: unknown }, kind: string): string {
  const metadata = isMapping(object.metadata) ? object.metadata : {};
  if (typeof metadata.name !== "string") return kind;
  const namespace = typeof metadata.namespace === "string" && metadata.namespace !== "" ? metadata.namespace : "default";
  const name = isNamespaced(kind) ? `${namespace}/${metadata.name}` : metadata.name;
  return `${kind} ${escapeText(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name)}`;
}

const asMapping = (value: Yaml): YamlMapping => (isMapping(value) ? value : {});
