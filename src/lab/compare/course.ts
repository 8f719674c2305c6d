/** The way of one packet: every interface that it was predicted at, against every one where it was seen. */
import type { Step } from "../../linux/step.ts";
import type { Sighting } from "../capture.ts";
import { isForward } from "../flow.ts";
import type { Observation } from "../observe.ts";
import type { Predicted, SeenThere } from "../predict.ts";
import { ROUTER_ID } from "../router.ts";
import { showSighting } from "../show.ts";
import { type Bindings, sameSighting } from "./bindings.ts";
import type { Difference } from "./difference.ts";

export type Course = {
  readonly request: readonly Sighting[];
  readonly reply: readonly Sighting[];
  readonly third: readonly Sighting[];
  readonly aftermath: readonly Sighting[];
};

/** The first packet, the first answer, the client's first packet with content, and refusals of the answer; without what was sent twice. */
export function courseOf(observed: Observation): Course {
  const forward = ({ packet }: Sighting): boolean => isForward(packet, observed, observed.conntrack);
  const kind = ({ packet }: Sighting): string => packet.segment.kind;
  const once = (sightings: readonly Sighting[]): Sighting[] =>
    [...new Map(sightings.map((each) => [showSighting(each), each] as const).reverse()).values()].reverse();
  const inModel = observed.sightings.filter(({ netns }) => netns !== ROUTER_ID);
  const isRefusal = (each: Sighting): boolean => kind(each) === "rst" || kind(each) === "icmp-error";
  return {
    request: once(inModel.filter((each) => forward(each) && kind(each) !== "third" && !isRefusal(each))),
    reply: once(inModel.filter((each) => !forward(each) && kind(each) !== "third")),
    third: once(inModel.filter((each) => forward(each) && kind(each) === "third" && each.length > 0)),
    aftermath: once(inModel.filter((each) => forward(each) && isRefusal(each))),
  };
}

/** How far the request goes as predicted. */
export function agreedLength(predicted: Predicted | undefined, observed: Observation): number {
  if (!predicted) return -1;
  const bindings: Bindings = new Map();
  const { request } = courseOf(observed);
  const differs = predicted.request.findIndex((seen, i) => {
    const there = request[i];
    return !there || !sameSighting(bindings, seen, there);
  });
  return differs < 0 ? predicted.request.length : differs;
}

/** `open`: where it goes on is not known. `in-bridge`: a bridge hands it on to none of its ports. */
export type Ends = "here" | "open" | "in-bridge";

/** A bridge took it and no port did: nothing shows where it ended. */
export const isStoppedInBridge = ({ connection: { hops, reply } }: Predicted): boolean =>
  [hops.at(-1), reply.hops.at(-1)].some(
    (hop) =>
      hop && hop.out === undefined && hop.steps.some((step) => (step.kind === "bridge" && step.why.endsWith("bridged")) || isHairpin(step)),
  );
const isHairpin = (step: Step): boolean => step.kind === "drop" && step.reason === "hairpin-off";

/** The first difference of one way. */
export function compareWay(
  about: "request" | "reply" | "third" | "aftermath",
  predicted: readonly SeenThere[],
  observed: readonly Sighting[],
  bindings: Bindings,
  ends: Ends = "here",
): Difference[] {
  let at = 0;
  for (const seen of predicted) {
    if (isBridgeEcho(observed[at], observed[at + 1], seen)) at += 1;
    const there = observed[at];
    if (!there) return [{ about, text: `the packet does not come to\n    ${showSighting(seen)}` }];
    if (!sameSighting(bindings, seen, there))
      return [{ about, text: `predicted\n    ${showSighting(seen)}\n  seen\n    ${showSighting(there)}` }];
    at += 1;
  }
  if (ends === "in-bridge" && observed.length === at + 1 && isBridgeEchoAtEnd(observed[at - 1], observed[at])) return [];
  const further = ends === "open" ? undefined : observed[at];
  return further ? [{ about, text: `the packet goes on, to\n    ${showSighting(further)}` }] : [];
}

/**
 * A packet that br_netfilter hands from port to port shows on the bridge itself, too, before its source is translated, as
 * long as the kernel has no cached link-layer header for its neighbour (br_nf_pre_routing_finish_bridge): chance, and not
 * predicted.
 */
const isBridgeEcho = (here: Sighting | undefined, next: Sighting | undefined, predicted: SeenThere): boolean =>
  here !== undefined &&
  next !== undefined &&
  here.direction === "out" &&
  here.dev !== predicted.dev &&
  next.dev === predicted.dev &&
  next.direction === "out" &&
  here.netns === next.netns &&
  here.packet.dst === next.packet.dst &&
  here.packet.dport === next.packet.dport &&
  here.packet.ttl === next.packet.ttl &&
  here.packet.segment.kind === next.packet.segment.kind &&
  !here.outer &&
  !next.outer;

/** The same of a packet that no port takes: in by a port, and once more on the bridge. */
const isBridgeEchoAtEnd = (before: Sighting | undefined, here: Sighting | undefined): boolean =>
  before?.direction === "in" && here?.direction === "out" && before.netns === here.netns && before.dev !== here.dev;
