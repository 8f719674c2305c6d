/** Nobody answers ARP: a dead pod that is still an endpoint, an address that a hand-written Endpoints object names, a mistyped one. */
import type { ClusterPod } from "../../cluster/cluster.ts";
import { cidrContains } from "../../net/address.ts";
import { distance } from "../../objects/near.ts";
import type { Question } from "../../trace/question.ts";
import { ask, withPort } from "../ask.ts";
import { at, type Case, change, type Finding } from "../case.ts";
import { editTopology } from "../edits.ts";
import { entranceOf, listed, nameOf, podAt, targetOf } from "../entrance.ts";
import { proxiedEntrance } from "./backend.ts";

export function hostUnreachable(failed: Case): Finding | undefined {
  const ip = failed.leg.destination?.ip ?? failed.leg.hops.at(-1)?.packetIn.dst;
  if (ip === undefined) return undefined;
  const target = targetOf(failed.leg);
  const entrance = target && target.ip !== ip ? entranceOf(failed.cluster, target) : proxiedEntrance(failed);
  const still = entrance ? `, and it is still an endpoint of ${nameOf(entrance.service)}` : "";
  const pod = podAt(failed.cluster, ip);
  if (pod?.dead) {
    const index = failed.topology.pods?.findIndex((each) => each.name === nameOf(pod)) ?? -1;
    const place = index < 0 ? undefined : failed.place(failed.topology.source, ["spec", "pods", index, "dead"]);
    const alive = () =>
      editTopology(failed, (topology) => ({
        ...topology,
        pods: (topology.pods ?? []).map((each, i) => (i === index ? { ...each, dead: false } : each)),
      }));
    return {
      because: [{ text: `${ip} is pod ${nameOf(pod)}'s, which is dead${still}`, ...at(place) }],
      changes: [
        ...(index < 0 ? [] : [change(`bring pod ${pod.name} back to life`, place, alive)]),
        { text: `delete it, so that it is no endpoint any more: kubectl delete pod ${pod.name}` },
      ],
    };
  }
  if (entrance) return writtenByHand(failed, ip, entrance.service);
  return unowned(failed, ip);
}

function writtenByHand(failed: Case, ip: string, service: { readonly namespace: string; readonly name: string }): Finding | undefined {
  const found = failed.objects.find(
    (object) =>
      (object.kind === "Endpoints" &&
        object.metadata.name === service.name &&
        (object.metadata.namespace ?? "default") === service.namespace) ||
      (object.kind === "EndpointSlice" && (object.endpoints ?? []).some(({ addresses }) => addresses.includes(ip))),
  );
  if (!found) return undefined;
  const place = failed.place(found.source, found.kind === "Endpoints" ? ["subsets"] : ["endpoints"]);
  return {
    because: [
      {
        text: `${found.kind} ${nameOf({ namespace: service.namespace, name: found.metadata.name })} lists ${ip}, and no machine or pod here has that address`,
        ...at(place),
      },
    ],
    changes: [
      {
        text: "correct the address, or list the machine that has it under `hosts` of the topology",
        ...at(place),
        outcome: "the address is yours to know",
      },
    ],
  };
}

/** An address of a node's pod network that no pod has. */
function unowned(failed: Case, ip: string): Finding | undefined {
  const node = failed.cluster.nodes.find(({ podCIDRs }) => podCIDRs.some((cidr) => cidrContains(cidr, ip)));
  if (!node) return undefined;
  const pods = failed.cluster.pods.filter((pod) => pod.node === node.name && !pod.hostNetwork && pod.ips.length > 0 && !pod.dead);
  const near = pods.toSorted((a, b) => distance(a.ips[0] ?? "", ip) - distance(b.ips[0] ?? "", ip)).slice(0, 2);
  const shown = listed(
    pods.map((pod) => `${pod.ips[0]} (${pod.name})`),
    3,
  );
  return {
    because: [{ text: `No pod has ${ip}, an address of ${node.name}; its pods are ${shown === "" ? "none" : shown}` }],
    changes: near.map((pod) => {
      const [host = ""] = pod.ips;
      const port = portOf(pod, failed.question.to);
      return change(`ask ${withPort(host, port)}, pod ${pod.name}`, undefined, () =>
        ask(failed, { host, ...(port === undefined ? {} : { port }) }),
      );
    }),
  };
}

/** The port that was asked, if the pod listens there, else one where it does. */
function portOf(pod: ClusterPod, { port, protocol }: Question["to"]): number | undefined {
  const open = pod.listens.filter((each) => each.protocol.toLowerCase() === protocol);
  return open.some((each) => each.port === port) ? port : (open[0]?.port ?? port);
}
