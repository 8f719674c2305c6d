/** The topology file: read, checked against schema/topology.schema.json, and the rule files that it names. */
import { dirname, resolve } from "node:path";
import topologySchema from "../../schema/topology.schema.json" with { type: "json" };
import { EXISTING_PLUGINS, MODELLED_PLUGINS } from "../objects/cni-plugins.ts";
import { type Diagnostic, UsageError } from "../objects/diagnostic.ts";
import type { PathPart, Source } from "../objects/source.ts";
import type { Topology, TopologyHost, TopologyNode } from "../objects/topology.ts";
import { display, readBytes } from "./files.ts";
import type { TopologyDocument } from "./objects.ts";
import { dropNulls } from "./old-versions.ts";
import { checkSchema, type Definitions } from "./schema.ts";
import { describeViolation } from "./violations.ts";
import { nearest, quote } from "./words.ts";
import { isMapping } from "./yaml/construct.ts";

const SCHEMAS: Definitions = topologySchema.$defs;

type TopologyFile = { readonly metadata?: { readonly name?: string }; readonly spec?: Omit<Topology, "name" | "source" | "ruleFiles"> };
type Machine = TopologyNode | TopologyHost;

/** The topology of one document; a UsageError with all that is wrong with it. `cwd`: what the source's file is relative to. */
export function readTopology({ value, source }: TopologyDocument, cwd: string): Topology {
  const file = dropNulls(value);
  const problems = checkSchema(SCHEMAS, "Topology", file).map((violation) => describeViolation(violation, "topology", source));
  if (problems.length > 0 || !isTopologyFile(file)) throw invalid(source, problems);
  const spec = file.spec ?? {};
  const contradictions = [...checkNames(spec, source), ...checkPods(spec, source), ...checkPlugin(spec, source)];
  if (contradictions.length > 0) throw invalid(source, contradictions);
  const ruleFiles = readRuleFiles(spec.nodes ?? [], source, cwd);
  return { ...spec, ...(file.metadata?.name !== undefined && { name: file.metadata.name }), source, ...(ruleFiles && { ruleFiles }) };
}

/** What the schema has checked, said to the compiler. */
const isTopologyFile = (value: unknown): value is TopologyFile => isMapping(value) && value.kind === "Topology";

const invalid = (source: Source, problems: readonly Diagnostic[]): UsageError =>
  new UsageError(`the topology in ${source.file} cannot be used`, "`ktrace schema topology` prints all keys with their defaults", problems);

/** Machines are told apart by their names and aliases, within one kind. */
function* checkNames(spec: TopologyFile["spec"] & object, source: Source): Generator<Diagnostic> {
  const groups: readonly (readonly [string, readonly Machine[]])[] = [
    ["nodes", spec.nodes ?? []],
    ["hosts", spec.hosts ?? []],
  ];
  for (const [group, machines] of groups) {
    const owners = new Map<string, number>();
    for (const [index, machine] of machines.entries()) {
      for (const [name, field] of namesOf(machine)) {
        const owner = owners.get(name) ?? index;
        owners.set(name, owner);
        if (owner !== index)
          yield problem(`two ${group} answer to the name ${quote(name)}`, "names and aliases must differ", source, [
            "spec",
            group,
            index,
            ...field,
          ]);
      }
      const interfaces = (machine.interfaces ?? []).map(({ name }) => name);
      const twice = interfaces.findIndex((name, at) => interfaces.indexOf(name) !== at);
      if (twice !== -1) {
        const message = `${quote(machine.name)} has two interfaces ${quote(interfaces[twice] ?? "")}`;
        yield problem(message, "give one another name, or put all addresses in one list", source, [
          "spec",
          group,
          index,
          "interfaces",
          twice,
          "name",
        ]);
      }
    }
  }
}

const namesOf = (machine: Machine): readonly (readonly [string, readonly PathPart[]])[] => [
  [machine.name, ["name"]],
  ...(machine.aliases ?? []).map((alias, index): readonly [string, readonly PathPart[]] => [alias, ["aliases", index]]),
];

/** A pin to a node that is not listed; without `nodes` the input's Node objects decide, later. */
function* checkPods(spec: TopologyFile["spec"] & object, source: Source): Generator<Diagnostic> {
  const names = (spec.nodes ?? []).flatMap((node) => namesOf(node).map(([name]) => name));
  for (const [index, pod] of (spec.pods ?? []).entries()) {
    if (!pod.name.includes("/")) {
      yield problem(`the pod ${quote(pod.name)} has no namespace`, `write ${quote(`default/${pod.name}`)}`, source, [
        "spec",
        "pods",
        index,
        "name",
      ]);
    }
    if (pod.node === undefined || names.length === 0 || names.includes(pod.node)) continue;
    const meant = nearest(pod.node, names);
    const help = meant ? `did you mean ${meant}?` : `nodes: ${names.join(", ")}`;
    yield problem(`${quote(pod.name)} is pinned to ${quote(pod.node)}, which is no node`, help, source, ["spec", "pods", index, "node"]);
  }
}

/** A network plugin that nobody has heard of. */
function* checkPlugin({ cni }: TopologyFile["spec"] & object, source: Source): Generator<Diagnostic> {
  const known = [...MODELLED_PLUGINS, ...EXISTING_PLUGINS];
  if (cni?.plugin === undefined || known.includes(cni.plugin)) return;
  const meant = nearest(cni.plugin, known);
  const help = `${meant ? `did you mean ${meant}? ` : ""}modelled: ${MODELLED_PLUGINS.join(", ")}`;
  yield problem(`spec.cni.plugin is ${quote(cni.plugin)}, which is no network plugin known here`, help, source, ["spec", "cni", "plugin"]);
}

const problem = (message: string, help: string, source: Source, field: readonly PathPart[]): Diagnostic => ({
  code: "KT008",
  severity: "error",
  message: `topology: ${message}`,
  help,
  at: { source, field },
});

function readRuleFiles(nodes: readonly TopologyNode[], source: Source, cwd: string): Topology["ruleFiles"] {
  const files = nodes.flatMap(({ name, iptables }, index): [string, { file: string; text: string }][] => {
    if (iptables === undefined) return [];
    const path = resolve(cwd, dirname(source.file), iptables);
    const file = display(path, cwd);
    return [[name, { file, text: new TextDecoder().decode(readRules(path, file, source, index)) }]];
  });
  return files.length > 0 ? Object.fromEntries(files) : undefined;
}

/** The system's refusal, at the place that names the file. */
function readRules(path: string, file: string, source: Source, index: number): Uint8Array {
  try {
    return readBytes(path, file);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const help = error.help ?? "write the file as `iptables-save` prints it; its name is relative to the topology's";
    throw invalid(source, [problem(error.message, help, source, ["spec", "nodes", index, "iptables"])]);
  }
}
