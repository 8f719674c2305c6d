/** What the rules look at: the input as it was written, the cluster it makes, and questions to its network. */
import type { Cluster, ClusterService } from "../cluster/cluster.ts";
import { isNamespaced } from "../manifests/kinds.ts";
import type { Written } from "../manifests/objects.ts";
import type { Expected } from "../manifests/project-lint.ts";
import type { YamlMapping } from "../manifests/yaml/construct.ts";
import type { ApiKind, ApiObject, ObjectOf, ObjectRef } from "../objects/api.ts";
import type { Diagnostic } from "../objects/diagnostic.ts";
import { type PodMaker, podMakers } from "../objects/pod-maker.ts";
import { isFields } from "../objects/record.ts";
import type { Topology } from "../objects/topology.ts";
import type { Question } from "../trace/question.ts";
import type { Trace } from "../trace/trace.ts";
import type { Proof } from "./finding.ts";
import { type Refusal, refusalsOf, targetVersion } from "./refusals.ts";
import type { RuleText } from "./rule.ts";

/** The front door, as lint is given it: everything beyond the objects is made when a rule first asks. */
export type Opened = {
  readonly cluster: Cluster;
  readonly trace: (question: Question) => Trace;
};
export type SubjectRequest = {
  readonly written: readonly Written[];
  readonly objects: readonly ApiObject[];
  readonly topology: Topology;
  readonly diagnostics: readonly Diagnostic[]; // of reading
  /** The text of a file that was read; undefined for one that was not. */
  readonly textOf: (file: string) => string | undefined;
  readonly files: readonly string[];
  readonly open: () => Opened;
  readonly options?: LintOptions;
  /** All rules, for what names them: suppressions. */
  readonly rules?: readonly RuleText[];
};

/** What a project says about rules' own settings. */
export type LintOptions = {
  readonly knownNamespaces?: readonly string[];
  /** Requests of the project file, and how they must end. */
  readonly expect?: readonly Expected[];
  /** A command line as the question that it asks; throws UsageError. Absent where nobody reads command lines. */
  readonly questionOf?: (command: string) => Question;
  /** Rules' own options, by code. */
  readonly rules?: ReadonlyMap<string, YamlMapping>;
};

export type Subject = Omit<SubjectRequest, "open"> & {
  readonly options: LintOptions;
  readonly rules: readonly RuleText[];
  /** The objects of one kind, in the order of the input. */
  readonly of: <K extends ApiKind>(kind: K) => readonly ObjectOf<K>[];
  readonly writtenOf: (kind: string) => readonly Written[];
  /** What pods are made from, the outermost makers only: not the ReplicaSet of a Deployment in a dump. */
  readonly makers: () => readonly PodMaker[];
  /** What the API server refuses of each object by itself. */
  readonly refusals: () => readonly Refusal[];
  /** Decided when it is first asked for. Refused Services are not in it: look at `objects` for those. */
  readonly cluster: () => Cluster;
  /** One question is walked once, however many rules ask it. */
  readonly trace: (question: Question) => Trace;
};

/** The subject of one run. */
export function createSubject(request: SubjectRequest): Subject {
  const byKind = new Map<string, ApiObject[]>();
  for (const object of request.objects) {
    const known = byKind.get(object.kind);
    if (known) known.push(object);
    else byKind.set(object.kind, [object]);
  }
  const isOf = <K extends ApiKind>(object: ApiObject, kind: K): object is ObjectOf<K> => object.kind === kind;
  let opened: Opened | undefined;
  const open = (): Opened => {
    opened ??= request.open();
    return opened;
  };
  let refused: readonly Refusal[] | undefined;
  let makers: readonly PodMaker[] | undefined;
  const asked = new Map<string, Trace>();
  return {
    ...request,
    options: request.options ?? {},
    rules: request.rules ?? [],
    of: (kind) => (byKind.get(kind) ?? []).filter((object) => isOf(object, kind)),
    writtenOf: (kind) => request.written.filter(({ value }) => value.kind === kind),
    makers: () => {
      makers ??= podMakers(request.objects).filter(isOutermost);
      return makers;
    },
    refusals: () => {
      refused ??= refusalsOf(request.objects, targetVersion(request.topology));
      return refused;
    },
    cluster: () => open().cluster,
    trace: (question) => {
      const key = JSON.stringify(question);
      const known = asked.get(key) ?? open().trace(question);
      asked.set(key, known);
      return known;
    },
  };
}

const isOutermost = ({ object: { metadata } }: PodMaker): boolean =>
  !(metadata.ownerReferences ?? []).some(({ controller }) => controller === true);

export const refOf = ({ kind, metadata: { namespace, name } }: ApiObject): ObjectRef => ({
  kind,
  ...(namespace === undefined ? {} : { namespace }),
  name,
});

export const serviceRef = ({ namespace, name }: ClusterService): ObjectRef => ({ kind: "Service", namespace, name });

/** The name of a document that may not have one. */
export function refOfWritten({ value }: Written): ObjectRef {
  const metadata = isFields(value.metadata) ? value.metadata : {};
  const kind = typeof value.kind === "string" ? value.kind : "";
  const name = typeof metadata.name === "string" ? metadata.name : "";
  if (!isNamespaced(kind)) return { kind, name };
  const namespace = typeof metadata.namespace === "string" && metadata.namespace !== "" ? metadata.namespace : "default";
  return { kind, namespace, name };
}

/** `Service default/web` */
export const objectName = (object: ApiObject): string => `${object.kind} ${nameOf(refOf(object))}`;

/** `default/web` */
export const nameOf = ({ namespace, name }: ObjectRef): string => (namespace === undefined ? name : `${namespace}/${name}`);

/** How a question ended, for a finding. */
export function proofOf({ from, namespace, command }: Question, { verdict, paths }: Trace): Proof {
  const telling = paths.find((path) => path.verdict !== "delivered") ?? paths[0];
  const flags = [...(from === undefined ? [] : [`--from ${from}`]), ...(namespace === "default" ? [] : [`-n ${namespace}`])];
  return {
    command: ["ktrace", ...flags, command].join(" "),
    verdict,
    reasons: [...new Set(paths.flatMap(({ reason }) => reason ?? []))].sort(),
    text: telling?.text ?? "",
  };
}
