/** A process that sends a client where it sent it before: kube-proxy's ClientIP affinity in userspace mode. */
import type { ProcessForward, Upstream } from "../apps/process.ts";
import type { RunState } from "../linux/run.ts";
import type { Course } from "./course.ts";

/** Where in the list it begins: anywhere, or for a client that it knows at the upstream which that one had. */
export function startsOf(upstreams: readonly Upstream[], left: RunState, { keeps }: ProcessForward): readonly number[] {
  const kept = keeps === undefined ? undefined : left.persistence.get(keeps);
  const all = upstreams.map((_, index) => index);
  const known = all.filter((index) => kept !== undefined && upstreams[index]?.ip === kept.ip && upstreams[index]?.port === kept.port);
  return known.length > 0 ? known : all;
}

/** What the process knows after a course that reached an upstream. */
export function remembering({ left, verdict, destination }: Course, { keeps }: ProcessForward): RunState {
  const port = destination?.port;
  if (keeps === undefined || verdict !== "delivered" || !destination || port === undefined) return left;
  return { ...left, persistence: new Map([...left.persistence, [keeps, { ip: destination.ip, port }]]) };
}
