/** Questions of rules: one that has no answer for want of a source, or of a name, is no finding. */
import type { ClusterPod } from "../cluster/cluster.ts";
import type { Protocol } from "../net/packet.ts";
import { UsageError } from "../objects/diagnostic.ts";
import type { Question } from "../trace/question.ts";
import { plainQuestion } from "../trace/questions.ts";
import type { Path, Trace } from "../trace/trace.ts";
import type { Proof } from "./finding.ts";
import { proofOf, type Subject } from "./subject.ts";

export type Answer = { readonly trace: Trace; readonly packet: Proof };

/** Undefined when the question cannot be asked of this cluster: a pod that runs nowhere, no outside host. */
export function ask(subject: Subject, question: Question): Answer | undefined {
  try {
    const trace = subject.trace(question);
    return { trace, packet: proofOf(question, trace) };
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

/** A plain request, in the order in which one says it. */
export const question = (from: string, host: string, port: number, protocol: Protocol = "tcp"): Question =>
  plainQuestion({ from, host, port, protocol });

/** What ends with certainty: the model knows the whole way, and nothing answered. */
export const isDead = ({ verdict }: Path): boolean => verdict === "dropped" || verdict === "rejected" || verdict === "looped";

export const isDelivered = ({ verdict }: Path): boolean => verdict === "delivered";

/** SOURCE of a pod, as typed. */
export const podSource = ({ namespace, name }: Pick<ClusterPod, "namespace" | "name">): string => `pod/${namespace}/${name}`;
