/** The judge: what the tracer predicted of a flow against what the kernel did, packet for packet. */
import type { Bindings } from "./compare/bindings.ts";
import { compareConntrack, usesNotrack, withoutTunnels } from "./compare/conntrack.ts";
import { agreedLength, compareWay, courseOf, type Ends, isStoppedInBridge } from "./compare/course.ts";
import type { Difference } from "./compare/difference.ts";
import { compareClient, compareServer } from "./compare/ends.ts";
import type { Observation } from "./observe.ts";
import type { Predicted } from "./predict.ts";

/** The course that the kernel took, and how it differs from it. `courses`: the predicted ones that agree on everything. */
export type Judgement = {
  readonly differences: readonly Difference[];
  readonly courses: readonly number[];
  readonly nearest: Predicted | undefined;
};

/** Holds one observed flow against all its predicted courses. It agrees when it is one of them. */
export function judgeFlow(predicted: readonly Predicted[], observed: Observation): Judgement {
  const all = predicted.map((course) => differencesOf(course, observed));
  const courses = all.flatMap((differences, i) => (differences.length === 0 ? [i] : []));
  const best =
    courses[0] ??
    all
      .map((differences, i) => ({ i, agreed: agreedLength(predicted[i], observed), count: differences.length }))
      .sort((a, b) => b.agreed - a.agreed || a.count - b.count)[0]?.i ??
    -1;
  return { differences: all[best] ?? [{ about: "request", text: "nothing was predicted" }], courses, nearest: predicted[best] };
}

function differencesOf(predicted: Predicted, observed: Observation): Difference[] {
  const bindings: Bindings = new Map();
  const course = courseOf(observed);
  const { verdict } = predicted.connection;
  const isOpen = verdict === "exits" || verdict === "unknown";
  const ends: Ends = isOpen ? "open" : isStoppedInBridge(predicted) ? "in-bridge" : "here";
  const request = compareWay("request", predicted.request, course.request, bindings, ends);
  if (request.length > 0) return request;
  if (isOpen) return []; // what is beyond the model is not judged
  return [
    ...compareWay("reply", predicted.reply, course.reply, bindings, isStoppedInBridge(predicted) ? "in-bridge" : "here"),
    ...compareWay("third", predicted.third, course.third, bindings),
    ...(predicted.aftermath.length > 0 || verdict === "unanswered"
      ? compareWay("aftermath", predicted.aftermath, course.aftermath, bindings)
      : []), // elsewhere a client's RST only ends the connection
    ...compareConntrack(withoutTunnels(predicted), observed, bindings, usesNotrack(predicted)),
    ...compareServer(predicted, observed, bindings),
    ...compareClient(predicted, observed),
  ];
}
