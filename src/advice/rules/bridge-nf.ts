/** An answer that crossed the bridge past NAT: bridge-netfilter is off where the request was rewritten (br_netfilter). */
import { at, type Case, change, type Finding } from "../case.ts";
import { editNode } from "../edits.ts";

const KEY = "net.bridge.bridge-nf-call-iptables";

export function bridgeNf(failed: Case): Finding | undefined {
  const name = failed.leg.hops
    .find((hop) => hop.steps.some((step) => step.kind === "nat" && step.manip === "dst"))
    ?.netns.replace(/^node\//, "");
  const node = failed.cluster.nodes.find((each) => each.name === name && each.sysctls[KEY] === "0");
  const { destination } = failed.path;
  if (!node) return undefined;
  const place = failed.place(node.origin?.source, [...(node.origin?.field ?? []), "sysctls", KEY]);
  const who = destination?.name ?? "The endpoint";
  return {
    because: [
      {
        text: `${who} and its client are on one bridge of ${node.name}, which has ${KEY} 0: the answer crosses it past iptables, and keeps the pod's own address`,
        ...at(place),
      },
    ],
    changes: [
      change(`${KEY}: 1 on ${node.name}`, place, () =>
        editNode(failed, node.name, (each) => ({ ...each, sysctls: { ...each.sysctls, [KEY]: 1 } })),
      ),
    ],
  };
}
