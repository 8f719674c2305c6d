/** The sources that a test asks from, and the names under which people know each of them. */

import type { Cluster, ClusterPod } from "../cluster/cluster.ts";
import { isRunning, podName, workloadName } from "../compare/who.ts";
import { UsageError } from "../objects/diagnostic.ts";
import type { Expectation, SourceChoice } from "../objects/expectation.ts";
import { matchesLabels } from "../objects/selector.ts";

/** SOURCE texts, as --from takes them. A choice that nobody is in is an error: the test would say nothing. */
export function sourcesOfTest(cluster: Cluster, test: Expectation): readonly string[] {
  if (test.fromEach === undefined) return [test.from ?? "external"];
  const found = test.fromEach.map((choice) => chosen(cluster, choice, test.namespace ?? "default"));
  const empty = found.findIndex((sources) => sources.length === 0);
  if (empty >= 0)
    throw new UsageError(
      `test ${JSON.stringify(test.name)}: fromEach[${empty}] selects nobody that runs`,
      "it would pass whatever happens",
    );
  return [...new Set(found.flat())];
}

function chosen(cluster: Cluster, choice: SourceChoice, namespace: string): readonly string[] {
  if (typeof choice === "string") return [choice];
  const { podSelector, namespaceSelector, nodes, hosts } = choice;
  const labels = { ...podSelector?.matchLabels, ...(podSelector?.app === undefined ? {} : { app: podSelector.app }) };
  const wanted = new Set(
    namespaceSelector
      ? cluster.namespaces.filter((each) => matchesLabels(namespaceSelector.matchLabels ?? {}, each.labels)).map(({ name }) => name)
      : [namespace],
  );
  const isChosen = (pod: ClusterPod): boolean => isRunning(pod) && wanted.has(pod.namespace) && matchesLabels(labels, pod.labels);
  const isPods = podSelector !== undefined || namespaceSelector !== undefined;
  return [
    ...(isPods ? cluster.pods.filter(isChosen).map((pod) => `pod/${podName(pod)}`) : []),
    ...(nodes ? cluster.nodes.map(({ name }) => `node/${name}`) : []),
    ...(hosts ? cluster.hosts.map(({ name }) => `host/${name}`) : []),
  ];
}

const LONG: Readonly<Record<string, string>> = {
  deploy: "deployment",
  sts: "statefulset",
  ds: "daemonset",
  rs: "replicaset",
  rc: "replicationcontroller",
};

/** Every name of a source: the pod's, and its workload's in the short and the long form, with and without its namespace. */
export function namesOfSource(cluster: Cluster, source: string, namespace: string): readonly string[] {
  const pod = source.startsWith("pod/") ? cluster.pods.find((each) => `pod/${podName(each)}` === source) : undefined;
  if (!pod) return [source, source.slice(source.indexOf("/") + 1)];
  const names = [source, workloadName(pod)];
  const all = names.flatMap((name) => {
    const [kind = "", ns = "", ...rest] = name.split("/");
    const kinds = [kind, LONG[kind] ?? kind];
    return kinds.flatMap((each) => [`${each}/${ns}/${rest.join("/")}`, ...(ns === namespace ? [`${each}/${rest.join("/")}`] : [])]);
  });
  return [...new Set(all)];
}
