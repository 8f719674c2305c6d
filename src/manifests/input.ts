/**
 * Everything a command reads, in one call. `-f` wins whole: with it the project file is not looked at, not even for its
 * topology. Without it the nearest ktrace.yaml upward says what to read, and `-t` replaces the topology that it names.
 * A `kind: Topology` among the manifests counts when no topology is named.
 */
import { resolve } from "node:path";
import type { ApiObject } from "../objects/api.ts";
import { type Diagnostic, UsageError } from "../objects/diagnostic.ts";
import type { Place, Source } from "../objects/source.ts";
import type { Topology } from "../objects/topology.ts";
import { applyObjects } from "./apply.ts";
import { withFacts } from "./facts.ts";
import { display, type InputFile, listFiles, readText, STDIN } from "./files.ts";
import { pathMatcher } from "./glob.ts";
import { type JsonSlip, jsonSlip } from "./json-slips.ts";
import { peekKind } from "./kinds.ts";
import { withKubeProxyConfig } from "./kube-proxy-config.ts";
import { createCollector, type ObjectCollector, type TopologyDocument, type Written } from "./objects.ts";
import { findProject } from "./project.ts";
import { mayHoldSecret, withoutQuotes } from "./secrets.ts";
import { createSources, type SourceStore, type Sources } from "./sources.ts";
import { needsRendering, templateHelp, withTemplateHelp } from "./templates.ts";
import { readTopology } from "./topology.ts";
import { quote } from "./words.ts";
import type { DuplicateKey } from "./yaml/construct.ts";
import { type DocumentText, splitDocuments } from "./yaml/documents.ts";
import { type Problem, parseDocument } from "./yaml/parse.ts";

export type InputRequest = {
  readonly files: readonly string[]; // the -f of the command line, in order
  readonly topology?: string; // -t
  readonly apply?: readonly string[]; // manifests laid over the input, as `kubectl apply` would
  readonly cwd: string;
  readonly stdin?: () => string | Uint8Array;
  readonly stdinName?: string; // what standard input is called in findings
  readonly config?: string | false; // a project file by name; false: none is looked for
  /** The project's topology and exclusions hold although files are named, and refused objects are input too: for lint. */
  readonly lint?: boolean;
};
export type Input = {
  readonly objects: readonly ApiObject[]; // in the order of the input; of two with one name the later
  readonly topology: Topology;
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: Sources;
  readonly written: readonly Written[]; // the same as in the files, refused objects too
  readonly refused: readonly ApiObject[]; // read, but with numbers that the API server refuses
  readonly files: readonly string[]; // that were read, in order
  readonly expectations: readonly TopologyDocument[]; // for `ktrace test`
};

/** Reads it. Throws only UsageError: nothing named, nothing found, nothing readable, or a topology that cannot be used. */
export function readInput(request: InputRequest): Input {
  const { files, topology, base, exclude } = chooseInput(request);
  const all = listFiles(files, base, request.cwd);
  const listed = { ...all, files: all.files.filter((file) => file.named || !exclude(file.path)).map((file) => called(file, request)) };
  const sources = createSources();
  const collector = createCollector();
  const named = topology === undefined ? undefined : resolve(base, topology);
  const manifests = listed.files.filter(({ path }) => path !== named); // a topology may lie among the manifests
  const problems = manifests.flatMap((file) => readFile(file, request, sources, collector));
  const found = named === undefined ? undefined : readNamedTopology(named, request, sources);
  const {
    objects: before,
    topologies,
    expectations,
    configs,
    settings,
    documents,
    written,
    refused,
    diagnostics: more,
  } = collector.finish(sources);
  const over = readApplied(request, sources);
  const objects = applyObjects(before, over.objects);
  const isEmpty =
    files.length > 0 &&
    objects.length === 0 &&
    topologies.length === 0 &&
    expectations.length === 0 &&
    configs.length === 0 &&
    settings.length === 0;
  const chosen = chooseTopology(found, topologies, request.cwd, sources);
  const { topology: configured, diagnostics: inConfig } = withKubeProxyConfig(chosen, configs, objects);
  const { topology: whole, diagnostics: inFacts } = withFacts(configured, objects, settings);
  const order = new Map([...manifests, ...over.files].map(({ file }, index) => [file, index]));
  const diagnostics = [...listed.diagnostics, ...problems, ...more, ...over.diagnostics, ...inConfig, ...inFacts]
    .map((one) => withTemplateHelp(withPlace(one, sources)))
    .sort(byPlace(order));
  if (isEmpty && (documents === 0 || (!request.lint && diagnostics.some(({ severity }) => severity === "error"))))
    throw nothingRead(files, manifests, diagnostics);
  const read = manifests.map(({ file }) => file);
  return { objects, topology: whole, diagnostics, sources, written: [...written, ...over.written], refused, files: read, expectations };
}

/** What `--apply` names: manifests only. */
function readApplied(request: InputRequest, sources: SourceStore) {
  const { files, diagnostics } = listFiles(request.apply ?? [], request.cwd, request.cwd);
  const collector = createCollector();
  const problems = files.flatMap((file) => readFile(file, request, sources, collector));
  const found = collector.finish(sources);
  if (files.length > 0 && found.documents === 0) throw nothingRead(request.apply ?? [], files, problems);
  return { files, objects: found.objects, written: found.written, diagnostics: [...diagnostics, ...problems, ...found.diagnostics] };
}

/** Input in which nothing could be read is no input; one whose kinds do not matter to networking is. */
function nothingRead(named: readonly string[], files: readonly InputFile[], diagnostics: readonly Diagnostic[]): UsageError {
  const names = named.map((name) => (name === STDIN ? "standard input" : quote(name))).join(", ");
  const found = diagnostics.length > 0 ? diagnostics : files.slice(0, MOST_EMPTY).map(({ file }) => emptyFile(file));
  return new UsageError(`no Kubernetes object could be read from ${names}`, undefined, found);
}

const MOST_EMPTY = 10; // files said one by one
const emptyFile = (file: string): Diagnostic => ({
  code: "KT001",
  severity: "error",
  message: "there is nothing in it but space and comments",
  help: "write an object that begins with `apiVersion:` and `kind:`",
  at: startOf(file),
});

/** In the order of reading, then down the file. */
const byPlace =
  (files: ReadonlyMap<string, number>) =>
  (a: Diagnostic, b: Diagnostic): number => {
    const [left, right] = [placeOf(a), placeOf(b)];
    if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
    return (files.get(left.file) ?? -1) - (files.get(right.file) ?? -1) || left.line - right.line || left.column - right.column;
  };

const placeOf = ({ at }: Diagnostic): Place | undefined => (at !== undefined && "line" in at ? at : undefined);

type Choice = {
  readonly files: readonly string[];
  readonly topology?: string;
  readonly base: string;
  readonly exclude: (path: string) => boolean;
};

/** What to read, and the directory that the names are relative to. */
function chooseInput(request: InputRequest): Choice {
  const byFlag = request.topology === undefined ? {} : { topology: resolve(request.cwd, request.topology) };
  const isNamed = request.files.length > 0;
  const project = isNamed && !request.lint ? undefined : findProject(request.cwd, request.config);
  const byProject = project?.topology === undefined ? {} : { topology: resolve(project.directory, project.topology) };
  const exclude = project === undefined ? () => false : pathMatcher(project.exclude, project.directory);
  if (isNamed) return { files: request.files, base: request.cwd, exclude, ...byProject, ...byFlag };
  if (project !== undefined) return { files: project.manifests, base: project.directory, exclude, ...byProject, ...byFlag };
  if (request.topology !== undefined) return { files: [], base: request.cwd, exclude, ...byFlag };
  throw new UsageError(
    request.config === false
      ? "nothing to read: no -f, and --no-config"
      : "nothing to read: no -f, and no ktrace.yaml here or in a directory above",
    "name the manifests: `ktrace -f k8s/ …`, or `kubectl get all,ep,ing,nodes -A -o yaml | ktrace -f - …`",
  );
}

/** Standard input under the name that it was given. */
const called = (file: InputFile, { stdinName }: InputRequest): InputFile =>
  file.path === STDIN && stdinName !== undefined ? { ...file, file: stdinName } : file;

function readFile(file: InputFile, request: InputRequest, sources: SourceStore, collector: ObjectCollector): readonly Diagnostic[] {
  const rendered = needsRendering(file.file);
  if (rendered !== undefined) return [rendered];
  const content = readText(file, request.stdin ?? (() => ""));
  if ("problem" in content)
    return [{ code: "KT001", severity: "error", message: content.problem, help: content.help, at: startOf(file.file) }];
  const documents = splitDocuments(content.text);
  sources.add(file.file, content.text, documents);
  return documents.flatMap((document) => readDocument(document, file, sources, collector));
}

function readDocument(document: DocumentText, file: InputFile, sources: SourceStore, collector: ObjectCollector): readonly Diagnostic[] {
  const source: Source = { file: file.file, offset: document.offset, path: [] };
  const peeked = document.json === undefined && document.badSeparator === undefined ? peekKind(document.text) : undefined;
  if (peeked !== undefined && !peeked.kind.endsWith("List") && collector.addUnread(peeked.apiVersion, peeked.kind, source)) return [];
  const parsed = parseDocument(document);
  const slip = document.json === undefined && /\.json$/i.test(file.file) ? jsonSlip(document.text) : undefined;
  if ("problem" in parsed) return [describeProblem(slip ?? parsed.problem, document, file.file, sources)];
  collector.addDocument(parsed.value, source, file.named);
  const duplicates = parsed.duplicates.map((duplicate) => describeDuplicate(duplicate, document, file.file, sources));
  return slip === undefined ? duplicates : [...duplicates, describeSlip(slip, document, file.file, sources)];
}

/** Newer kubectl reads it all the same, as YAML. */
const describeSlip = (slip: JsonSlip, document: DocumentText, file: string, sources: SourceStore): Diagnostic => ({
  code: "KT001",
  severity: "warning",
  message: slip.message,
  help: `${slip.help}; kubectl before 1.35 refuses the file`,
  at: sources.placeAt(file, { start: document.offset + slip.start, end: document.offset + slip.end }),
});

function describeProblem(problem: Problem, document: DocumentText, file: string, sources: SourceStore): Diagnostic {
  const at = sources.placeAt(file, { start: document.offset + problem.start, end: document.offset + problem.end });
  const help = templateHelp(document.text) ?? problem.help;
  const message = mayHoldSecret(document.text) ? withoutQuotes(problem.message) : problem.message;
  return { code: "KT001", severity: "error", message, ...(help !== undefined && { help }), at };
}

const describeDuplicate = (duplicate: DuplicateKey, document: DocumentText, file: string, sources: SourceStore): Diagnostic => ({
  code: "KT002",
  severity: "warning",
  message: `the key ${quote(duplicate.key)} stands twice in one mapping; the last one counts`,
  help: "remove one of them",
  at: sources.placeAt(file, { start: document.offset + duplicate.start, end: document.offset + duplicate.end }),
});

const startOf = (file: string) => ({ file, line: 1, column: 1, endLine: 1, endColumn: 1 });

/** Files of expectations that were named one by one. Throws UsageError when one cannot be read, or holds none. */
export function readExpectationFiles({ files, cwd, stdin }: Pick<InputRequest, "files" | "cwd" | "stdin">): {
  readonly expectations: readonly TopologyDocument[];
  readonly sources: Sources;
} {
  const sources = createSources();
  const collector = createCollector();
  const request: InputRequest = { files, cwd, ...(stdin ? { stdin } : {}) };
  const listed = listFiles(files, cwd, cwd);
  const problems = listed.files.flatMap((file) => readFile(file, request, sources, collector));
  const { expectations, diagnostics } = collector.finish(sources);
  const errors = [...listed.diagnostics, ...problems, ...diagnostics].filter(({ severity }) => severity === "error");
  if (errors.length > 0)
    throw new UsageError(
      "the expectations cannot be read",
      undefined,
      errors.map((one) => withPlace(one, sources)),
    );
  const [first] = files;
  if (expectations.length === 0)
    throw new UsageError(`${quote(first ?? "")} holds no expectations`, "`kind: Expectations`, `apiVersion: ktrace.dev/v1alpha1`");
  return { expectations, sources };
}

function readNamedTopology(path: string, request: InputRequest, sources: SourceStore): TopologyDocument {
  const file: InputFile = { file: display(path, request.cwd), path, named: true };
  const collector = createCollector();
  const problems = readFile(file, request, sources, collector);
  const { topologies, objects, diagnostics } = collector.finish(sources);
  const [first] = topologies;
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new UsageError(`the topology ${quote(file.file)} cannot be read`, undefined, errors);
  if (topologies.length > 1) {
    throw new UsageError(`${quote(file.file)} holds ${topologies.length} topologies`, undefined, others(topologies.slice(1), sources));
  }
  if (first !== undefined) return first;
  const help =
    objects.length > 0
      ? "it holds manifests: read them with -f"
      : "it must begin with `apiVersion: ktrace.dev/v1alpha1` and `kind: Topology`";
  throw new UsageError(
    `${quote(file.file)} is no topology`,
    help,
    diagnostics.map((one) => withPlace(one, sources)),
  );
}

/** Topologies that are too many, each at its `kind`. */
const others = (topologies: readonly TopologyDocument[], sources: Sources): Diagnostic[] =>
  topologies.map(({ source }) =>
    withPlace(
      {
        code: "KT008",
        severity: "error",
        message: "topology: one more of them",
        help: "keep one; -t chooses among files",
        at: { source, field: ["kind"] },
      },
      sources,
    ),
  );

function chooseTopology(named: TopologyDocument | undefined, met: readonly TopologyDocument[], cwd: string, sources: Sources): Topology {
  const [first, second] = met;
  if (named === undefined && first !== undefined && second !== undefined) {
    const found = others(met.slice(1), sources);
    throw new UsageError(`two topologies: in ${first.source.file} and in ${second.source.file}`, "say which one with -t", found);
  }
  const chosen = named ?? first;
  if (chosen === undefined) return {};
  try {
    return readTopology(chosen, cwd);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(
      error.message,
      error.help,
      error.diagnostics.map((one) => withPlace(one, sources)),
    ); // the sources end here
  }
}

function withPlace(diagnostic: Diagnostic, sources: Sources): Diagnostic {
  const { at } = diagnostic;
  const place = at !== undefined && "source" in at ? sources.place(at.source, at.field) : undefined;
  return place === undefined ? diagnostic : { ...diagnostic, at: place };
}
