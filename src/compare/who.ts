/** Pods and workloads by the names that people and `--from` use. */
import type { Cluster, ClusterPod, ClusterService } from "../cluster/cluster.ts";

export const isRunning = (pod: ClusterPod): boolean => pod.phase === "Running" && pod.node !== undefined && pod.ips.length > 0 && !pod.dead;

/** `default/tomcat6-5f7ccf4cb9-8jxz7` */
export const podName = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string => `${namespace}/${name}`;

const SHORT: Readonly<Record<string, string>> = {
  Deployment: "deploy",
  StatefulSet: "sts",
  DaemonSet: "ds",
  ReplicaSet: "rs",
  ReplicationController: "rc",
  Job: "job",
  CronJob: "cronjob",
};

/** `deploy/default/tomcat6`: the topmost owner, or the pod itself. */
export function workloadName(pod: ClusterPod): string {
  const owner = pod.workload ?? pod.owner;
  return owner === undefined ? `pod/${podName(pod)}` : `${SHORT[owner.kind] ?? owner.kind.toLowerCase()}/${pod.namespace}/${owner.name}`;
}

/** The pods that are endpoints of a Service, ready or not. */
export const endpointPods = (cluster: Cluster, { namespace, name }: ClusterService): ReadonlySet<string> =>
  new Set(
    cluster.slices
      .filter((slice) => slice.namespace === namespace && slice.service === name)
      .flatMap(({ endpoints }) => endpoints.flatMap(({ pod }) => (pod ? [podName(pod)] : []))),
  );
