/**
 * Traffic policy Local, and none of the Service's ready pods is on this node: where they are, why none is here, and the
 * three ways out (KEP-1669, Service externalTrafficPolicy and internalTrafficPolicy).
 */
import type { Cluster, ClusterNode } from "../../cluster/cluster.ts";
import { type PodMaker, podMakers } from "../../objects/pod-maker.ts";
import { matchesLabels } from "../../objects/selector.ts";
import { askNodes } from "../ask.ts";
import { at, type Case, type Change, change, type Finding } from "../case.ts";
import { editService } from "../edits.ts";
import { type Backend, backendsOf, entranceOf, listed, nameOf, nodeOf, targetOf } from "../entrance.ts";
import { taintText, whyNotOn } from "./pending.ts";

export function noLocalEndpoints(failed: Case): Finding | undefined {
  const target = targetOf(failed.leg);
  const entrance = target && entranceOf(failed.cluster, target);
  const here = nodeAtEnd(failed);
  if (!target || !entrance || !here) return undefined;
  const { service, port } = entrance;
  const field = entrance.how === "cluster-ip" ? "internalTrafficPolicy" : "externalTrafficPolicy";
  const place = failed.place(service.origin?.source, ["spec", field]);
  const backends = backendsOf(failed.cluster, service, port);
  const maker = podMakers(failed.objects).find(
    (each) => each.namespace === service.namespace && service.selector !== undefined && matchesLabels(service.selector, each.labels),
  );
  const why = maker && whyNotOn(maker, here);
  const text = `${field} is Local and ${here.name} runs no ready pod of ${nameOf(service)}${why === undefined ? "" : `: ${why.text}`}`;
  const asksNode = nodeOf(failed.cluster, target.ip) !== undefined;
  const others = failed.cluster.nodes.filter((node) => node !== here && backends.some((backend) => backend.node === node.name));
  return {
    because: [{ text, ...at(place) }, { text: `Ready endpoints: ${countText(failed.cluster, backends)}` }],
    changes: [
      ...(asksNode ? askNodes(failed, others) : []),
      change(`${field}: Cluster`, place, () => editService(failed, service, (spec) => ({ ...spec, [field]: "Cluster" }))),
      ...runHere(failed, maker, here),
    ],
  };
}

/** The node whose rules decided: for a cluster IP that is the one that the asker is on. */
function nodeAtEnd({ cluster, leg }: Case): ClusterNode | undefined {
  const netns = leg.hops.findLast((hop) => hop.netns.startsWith("node/"))?.netns;
  return cluster.nodes.find((node) => `node/${node.name}` === netns);
}

function countText(cluster: Cluster, backends: readonly Backend[]): string {
  const count = (node: ClusterNode) => backends.filter((backend) => backend.node === node.name).length;
  const few = cluster.nodes.length <= 6 ? cluster.nodes : cluster.nodes.filter((node) => count(node) > 0);
  return listed(
    few.map((node) => `${node.name} ${count(node)}`),
    6,
  );
}

/** Where the scheduler puts a pod is its own affair: this cannot be promised. */
function runHere({ place }: Case, maker: PodMaker | undefined, here: ClusterNode): Change[] {
  const why = maker && whyNotOn(maker, here);
  if (!maker || !why) return [];
  const where = at(place(maker.object.source, [...maker.path, "spec", "tolerations"]));
  const outcome = `a pod may then run on ${here.name}, or not`;
  return [
    {
      text: why.taint ? `tolerate ${taintText(why.taint)} in ${maker.title}` : `let ${maker.title} run on ${here.name}`,
      ...where,
      outcome,
    },
  ];
}
