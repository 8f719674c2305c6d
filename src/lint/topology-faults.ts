/** Findings about the topology: what deciding the cluster found wrong with it, and where its keys are written. */
import type { Cluster, ClusterNode } from "../cluster/cluster.ts";
import type { ObjectRef } from "../objects/api.ts";
import type { Diagnostic } from "../objects/diagnostic.ts";
import type { PathPart } from "../objects/source.ts";
import type { Finding, Mark } from "./finding.ts";
import type { Subject } from "./subject.ts";

export const topologyRef = ({ topology: { name = "" } }: Subject): ObjectRef => ({ kind: "Topology", name });

/** A key of the topology file's spec; undefined where there is no file. */
export const topologyMark = ({ topology: { source } }: Subject, ...field: PathPart[]): Mark | undefined =>
  source && { source, field: ["spec", ...field] };

/** A key of a node that the topology lists. */
export const nodeMark = ({ origin }: ClusterNode, ...field: PathPart[]): Mark | undefined =>
  origin && origin.field.length > 0 ? { source: origin.source, field: [...origin.field, ...field] } : undefined;

export const nodeRef = ({ name }: Pick<ClusterNode, "name">): ObjectRef => ({ kind: "Node", name });

/** What deciding the cluster reported under a code, wherever it stands. */
export const clusterFaults = (subject: Subject, { diagnostics }: Cluster, code: string): Finding[] =>
  diagnostics.filter((each) => each.code === code).flatMap((each) => asFinding(subject, each));

function asFinding(subject: Subject, { message, help, severity, at }: Diagnostic): Finding[] {
  if (at === undefined || !("source" in at)) return [];
  const object = subject.objects.find(({ source }) => source === at.source);
  const about = object ? { kind: object.kind, name: object.metadata.name } : topologyRef(subject);
  return [{ message, at, about: [about], ...(help === undefined ? {} : { help }), ...(severity === "error" ? {} : { severity }) }];
}
