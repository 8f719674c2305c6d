/** KT903: what had to be assumed about the cluster, once a run: a verdict is only as good as what it rests on. */
import type { Assumption, Cluster } from "../../cluster/cluster.ts";
import type { Finding } from "../finding.ts";
import { groupPods, listed } from "../pod-groups.ts";
import { outermostMakers } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";
import type { Subject } from "../subject.ts";
import { topologyRef } from "../topology-faults.ts";

export const KT903: Rule = {
  code: "KT903",
  name: "assumption-made",
  severity: "info",
  needs: "graph",
  fix: "no",
  title: "what the input does not say, and had to be assumed",
  why: "Where the input is silent the usual is taken: kubeadm's ranges, flannel, containers that listen on what they declare. If the cluster differs, so may the packets.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: q, labels: {app: q}}
spec: {containers: [{name: c, image: x}]}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: q, labels: {app: q}}
spec: {containers: [{name: c, image: x, ports: [{containerPort: 8080}]}]}
`,
  },
  check: function* (subject) {
    if (outermostMakers(subject).length + subject.of("Service").length === 0) return; // no packet goes anywhere
    const cluster = subject.cluster();
    const silent = silentPods(cluster);
    const made = [
      ...cluster.assumptions.filter((one) => !isFreeChoice(one)).map(({ about, what }) => `${about}: ${what}`),
      ...(silent.length > 0 ? [`${listed(silent)}: nothing listens there, as no port is declared`] : []),
    ];
    const at = placeOf(subject);
    if (made.length === 0 || !at) return;
    const keys = [...new Set(cluster.assumptions.filter((one) => !isFreeChoice(one)).flatMap(({ key }) => key ?? []))];
    yield {
      message: `assumed, as the input does not say: ${made.slice(0, MOST_SHOWN).join("; ")}${made.length > MOST_SHOWN ? `; and ${made.length - MOST_SHOWN} more` : ""}`,
      at,
      help:
        keys.length > 0
          ? `say it in a topology file (\`ktrace schema topology\`): ${listed(keys, 3)}`
          : "declare the ports that containers listen on, or list them in the topology: spec.pods[].listens",
      about: [topologyRef(subject)],
    };
  },
};

const MOST_SHOWN = 6;

/** What every cluster gives out anew, and no verdict turns on: names, nodes and addresses among equals. */
const FREE =
  /^(?:cluster address |node port |load balancer address |pod-template-hash |given out in order|which node each pod|the random ends|exists, though)/;
const isFreeChoice = ({ what }: Assumption): boolean => FREE.test(what);

/** Workloads whose containers declare no port, and that nothing else shows to listen anywhere. */
const silentPods = ({ pods }: Cluster): string[] =>
  groupPods(pods.filter(({ listens, hostNetwork, phase }) => listens.length === 0 && !hostNetwork && phase === "Running")).map(
    ({ title }) => title,
  );

/** The topology file, or the first object. */
function placeOf({ topology: { source }, written: [first] }: Subject): Finding["at"] | undefined {
  const from = source ?? first?.source;
  return from && { source: from, field: ["kind"] };
}
