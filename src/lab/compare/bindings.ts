/**
 * Packets of a prediction against packets of a capture. A port that the kernel drew at random is a symbol in the prediction;
 * it must be the same number wherever the symbol stands.
 */
import type { Packet, Port } from "../../net/packet.ts";
import type { Sighting } from "../capture.ts";
import type { SeenThere } from "../predict.ts";

/** Symbols of the prediction and the numbers they turned out to be. */
export type Bindings = Map<string, Port>;

export const samePort = (bindings: Bindings, predicted: Port, observed: Port): boolean => {
  if (typeof predicted === "number") return predicted === observed;
  const bound = bindings.get(predicted);
  if (bound === undefined) bindings.set(predicted, observed);
  return bound === undefined || bound === observed;
};

function samePacket(bindings: Bindings, a: Packet, b: Packet): boolean {
  if (a.protocol !== b.protocol || a.src !== b.src || a.dst !== b.dst || a.segment.kind !== b.segment.kind) return false;
  if (a.ttl !== b.ttl || !samePort(bindings, a.sport, b.sport) || !samePort(bindings, a.dport, b.dport)) return false;
  if (a.segment.kind !== "icmp-error" || b.segment.kind !== "icmp-error") return true;
  return a.segment.type === b.segment.type && a.segment.code === b.segment.code && sameEnds(bindings, a.segment.quoted, b.segment.quoted);
}

/** What an ICMP error quotes: its TTL is that of the moment, its TCP flags are cut off. */
const sameEnds = (bindings: Bindings, a: Packet, b: Packet): boolean =>
  a.protocol === b.protocol &&
  a.src === b.src &&
  a.dst === b.dst &&
  samePort(bindings, a.sport, b.sport) &&
  samePort(bindings, a.dport, b.dport);

/** The same packet at the same interface, in the same tunnel. */
export function sameSighting(bindings: Bindings, predicted: SeenThere, observed: Sighting): boolean {
  if (predicted.netns !== observed.netns || predicted.dev !== observed.dev || predicted.direction !== observed.direction) return false;
  if (!samePacket(bindings, predicted.packet, observed.packet)) return false;
  const [a, b] = [predicted.outer, observed.outer];
  if (!a || !b) return a === b;
  return a.src === b.src && a.dst === b.dst && a.ttl === b.ttl && a.dport === b.dport && a.inner?.vni === b.inner?.vni;
}
