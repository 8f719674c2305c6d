/**
 * In which order interfaces can be made so that each namespace gets its own in the order in which the World lists them:
 * the kernel takes the first suitable address of the devices *in that order* when one has none (inet_select_addr).
 * A veth pair is one act for two namespaces, so it waits until both are ready for it.
 */
import type { Link, LinkEnd, Netns, NetnsId } from "../linux/netns.ts";
import { LabError } from "./error.ts";

/** Links that one namespace makes in one go, the far ends of its veths included. */
export type CreationRun = { readonly netns: Netns; readonly links: readonly Link[] };

/** Runs in an order that suits all. A namespace goes on as long as it can, so that few runs are needed. */
export function creationRuns(stacks: readonly Netns[]): CreationRun[] {
  const byId = new Map(stacks.map((netns) => [netns.id, netns]));
  const waiting = new Map(stacks.map((netns) => [netns.id, netns.links.filter(({ type }) => type.kind !== "loopback")]));
  const isReady = (end: LinkEnd): boolean => !byId.has(end.netns) || waiting.get(end.netns)?.[0]?.name === end.link;
  const runs: CreationRun[] = [];
  for (;;) {
    const before = runs.length;
    for (const netns of byOwnLinks(stacks)) {
      const links = takeReady(netns.id, waiting, isReady);
      if (links.length > 0) runs.push({ netns, links });
    }
    if (runs.length === before) break;
  }
  const stuck = [...waiting].find(([, links]) => links.length > 0);
  if (stuck)
    throw new LabError(
      `${stuck[0]}: the veth ${stuck[1][0]?.name} has no matching far end, or two namespaces list their veths in opposite orders`,
    );
  return runs;
}

/** Those with most interfaces first: nodes make their pods' veths, not the pods. */
const byOwnLinks = (stacks: readonly Netns[]): Netns[] => [...stacks].sort((a, b) => b.links.length - a.links.length);

function takeReady(id: NetnsId, waiting: Map<NetnsId, Link[]>, isReady: (end: LinkEnd) => boolean): Link[] {
  const own = waiting.get(id) ?? [];
  const taken: Link[] = [];
  for (let link = own[0]; link !== undefined; link = own[0]) {
    if (link.type.kind === "veth") {
      if (!isReady(link.type.peer)) break;
      waiting.get(link.type.peer.netns)?.shift();
    }
    own.shift();
    taken.push(link);
  }
  return taken;
}
