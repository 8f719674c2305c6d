/** What `ktrace test` is told, as it is written (schema/expectations.schema.json). */
import type { Labels } from "./api.ts";
import type { Source } from "./source.ts";
import type { KubeProxyMode } from "./topology.ts";

type OneOrMore<T> = T | readonly T[];

export type PodChoice = { readonly matchLabels?: Labels; readonly app?: string };
export type SourceChoice =
  | string
  | {
      readonly podSelector?: PodChoice;
      readonly namespaceSelector?: { readonly matchLabels?: Labels };
      readonly nodes?: boolean;
      readonly hosts?: boolean;
    };

/** Kinds of backends by the key that names them. */
export const BACKEND_KINDS = {
  deployment: "Deployment",
  statefulset: "StatefulSet",
  daemonset: "DaemonSet",
  replicaset: "ReplicaSet",
  replicationcontroller: "ReplicationController",
  job: "Job",
  pod: "Pod",
  node: "Node",
  host: "Host",
} as const;
export type BackendKey = keyof typeof BACKEND_KINDS;
export type ExpectedBackends = { readonly [key in BackendKey]?: OneOrMore<string> } & {
  readonly count?: number;
  readonly addresses?: readonly string[];
};

export type Expected = {
  readonly verdict?: OneOrMore<string>;
  readonly reason?: OneOrMore<string>;
  readonly status?: number;
  readonly exitCode?: number;
  readonly backends?: ExpectedBackends;
  readonly only?: readonly string[];
  readonly clientIPSeen?: OneOrMore<string>;
  readonly clientIPAtProxy?: OneOrMore<string>;
  readonly redirect?: string;
  readonly via?: readonly string[];
  readonly notVia?: readonly string[];
  readonly maxHops?: number;
  readonly not?: Expected;
};

type Named = { readonly name: string; readonly namespace?: string };
export type WhatIf = {
  readonly nodeDown?: { readonly name: string };
  readonly podNotReady?: Named;
  readonly replicas?: Named & { readonly count: number };
  readonly policyRemoved?: Named;
  readonly removed?: Named & { readonly kind: string };
  readonly mode?: KubeProxyMode;
  readonly kubernetesVersion?: string;
  readonly phase?: "converged" | "immediate";
};

export type Expectation = {
  readonly name: string;
  readonly namespace?: string;
  readonly from?: string;
  readonly fromEach?: readonly SourceChoice[];
  readonly to?: string;
  readonly protocol?: "tcp" | "udp" | "sctp" | "icmp";
  readonly run?: string;
  readonly whatIf?: WhatIf;
  readonly expect: Expected;
  readonly skip?: string;
};
/** With its place: `["tests", 3]` in the document. */
export type PlacedExpectation = Expectation & { readonly source: Source; readonly field: readonly (string | number)[] };

export const listOf = <T>(value: OneOrMore<T> | undefined): readonly T[] | undefined =>
  value === undefined ? undefined : isList(value) ? value : [value];
const isList = <T>(value: OneOrMore<T>): value is readonly T[] => Array.isArray(value);
