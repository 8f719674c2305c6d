/** Pods that a Service selects and no node takes: the scheduler's own message, and what would let them run. */

import type { ClusterNode, ClusterPod } from "../../cluster/cluster.ts";
import { refusalOf, tolerates } from "../../cluster/scheduler/node-fit.ts";
import type { Taint } from "../../objects/api.ts";
import type { PodMaker } from "../../objects/pod-maker.ts";
import { type Case, type Change, change, type Finding } from "../case.ts";
import { editPods } from "../edits.ts";
import { type Entrance, nameOf } from "../entrance.ts";

export function pendingFinding(failed: Case, { service }: Entrance, pods: readonly ClusterPod[], makers: readonly PodMaker[]): Finding {
  const [first] = pods;
  const count = pods.length === 1 ? "the one pod" : `all ${pods.length} pods`;
  const message = first?.message === undefined ? "" : `: ${withoutPreemption(first.message)}`;
  return {
    because: [
      { text: `The selector of ${nameOf(service)} fits ${count}, but no node runs ${pods.length === 1 ? "it" : "them"}${message}` },
    ],
    changes: makers.flatMap((maker) => [...withoutNodeSelector(failed, maker), ...tolerating(failed, maker)]),
  };
}

/** The scheduler adds what preemption would not mend either. */
const withoutPreemption = (message: string): string => (message.split(". preemption:")[0] ?? message).replace(/\.$/, "");

function withoutNodeSelector(failed: Case, maker: PodMaker): Change[] {
  const selector = maker.spec.nodeSelector;
  if (selector === undefined || failed.cluster.nodes.some((node) => Object.entries(selector).every(([k, v]) => node.labels[k] === v)))
    return [];
  const place = failed.place(maker.object.source, [...maker.path, "spec", "nodeSelector"]);
  const wanted = Object.entries(selector).map(([key, value]) => `${key}=${value}`);
  const without = ({ nodeSelector: _, ...spec }: PodMaker["spec"]) => spec;
  return [
    change(`drop the nodeSelector of ${maker.title}, or label a node ${wanted.join(",")}`, place, () => editPods(failed, maker, without)),
  ];
}

function tolerating(failed: Case, maker: PodMaker): Change[] {
  const taint = failed.cluster.nodes.flatMap((node) => untolerated(maker, node))[0];
  return taint === undefined ? [] : [tolerate(failed, maker, taint)];
}

const untolerated = ({ spec }: PodMaker, { taints }: ClusterNode): readonly Taint[] =>
  taints.filter((taint) => taint.effect !== "PreferNoSchedule" && !tolerates(spec.tolerations, taint));

/** A toleration for one taint, walked. */
export function tolerate(failed: Case, maker: PodMaker, taint: Taint): Change {
  const place = failed.place(maker.object.source, [...maker.path, "spec", "tolerations"]);
  const toleration = { key: taint.key, operator: "Exists", effect: taint.effect };
  return change(`tolerate ${taintText(taint)} in ${maker.title}`, place, () =>
    editPods(failed, maker, (spec) => ({ ...spec, tolerations: [...(spec.tolerations ?? []), toleration] })),
  );
}

export const taintText = ({ key, value, effect }: Taint): string =>
  `${key}${value === undefined || value === "" ? "" : `=${value}`}:${effect}`;

/** Why a node does not run a maker's pods, in a few words; undefined when it would take them. */
export function whyNotOn(maker: PodMaker, node: ClusterNode): { readonly text: string; readonly taint?: Taint } | undefined {
  const [taint] = untolerated(maker, node);
  if (taint) return { text: `its taint ${taintText(taint)} keeps them off`, taint };
  const refusal = refusalOf(maker.spec, node);
  if (refusal === undefined) return undefined;
  return { text: refusal.includes("unschedulable") ? "it is cordoned" : "it is not a node that they ask for (node selector or affinity)" };
}
