/** What a walked change came to, in a few words: the verdict, and whose address the pods then see. */
import type { Trace } from "../trace/trace.ts";

/** "delivered, the pods see 192.168.56.1": of all traces together, which all delivered. */
export function outcomeText(traces: readonly Trace[]): string {
  const paths = traces.flatMap((trace) => trace.paths);
  const direct = paths.every((path) => path.legs.filter((leg) => leg.kind === "transport").length === 1);
  const pods = paths.filter(({ destination }) => destination?.kind === "pod");
  const seen = [...new Set(pods.flatMap(({ destination }) => destination?.clientIPSeen ?? []))];
  if (!direct || seen.length === 0) return "delivered";
  if (seen.length > 2) return "delivered, the pods see addresses of the nodes";
  const names = new Set(pods.map(({ destination }) => destination?.name));
  return `delivered, ${names.size === 1 ? "the pod sees" : "the pods see"} ${seen.join(" or ")}`;
}

/** "not enough alone: then rejected, not-listening" */
export function shortfallText(trace: Trace): string {
  const path = trace.paths.find(({ verdict }) => verdict !== "delivered");
  return `not enough alone: then ${path?.verdict ?? trace.verdict}${path?.reason === undefined ? "" : `, ${path.reason}`}`;
}
