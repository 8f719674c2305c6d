/** What stands behind a Service's port: its ready endpoints, and the workloads that a fault of theirs is a cause of. */
import type { Cluster, ClusterPod, ClusterService, ClusterServicePort, ClusterSlice } from "../cluster/cluster.ts";
import { indexPods } from "../cluster/endpoints/selected-pods.ts";
import { groupBy } from "../cluster/order.ts";
import type { Ip } from "../net/address.ts";
import type { ObjectRef } from "../objects/api.ts";
import { matchesSelector } from "../objects/selector.ts";
import { refOfPod } from "./pod-groups.ts";
import type { Subject } from "./subject.ts";

export type Backend = { readonly ip: Ip; readonly port: number; readonly node?: string; readonly pod?: ClusterPod };
export type Backends = {
  /** Ready endpoints of one port, of the slices' order. */
  readonly of: (service: ClusterService, port: ClusterServicePort) => readonly Backend[];
  /** The workloads and Pods that the selector picks. */
  readonly makers: (service: ClusterService) => readonly ObjectRef[];
};

const MOST_MAKERS = 8;

/** Indexed once for all Services. */
export function backendsOf({ slices, pods }: Cluster): Backends {
  const byService = groupBy(slices, ({ namespace, service }) => `${namespace}/${service}`);
  const byName = new Map(pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod]));
  const select = indexPods(pods);
  return {
    of: (service, port) => (byService.get(`${service.namespace}/${service.name}`) ?? []).flatMap((slice) => ready(slice, port, byName)),
    makers: (service) => {
      const refs = new Map<string, ObjectRef>();
      for (const pod of service.selector ? select(service.namespace, service.selector) : []) {
        const ref = refOfPod(pod);
        refs.set(`${ref.kind}/${ref.name}`, ref);
        if (refs.size === MOST_MAKERS) break;
      }
      return [...refs.values()];
    },
  };
}

function ready(slice: ClusterSlice, { name, protocol }: ClusterServicePort, pods: ReadonlyMap<string, ClusterPod>): Backend[] {
  const found = slice.ports.find((each) => each.name === name && each.protocol === protocol);
  if (!found) return [];
  return slice.endpoints.flatMap(({ addresses: [ip], ready: isReady, nodeName, pod: ref }) => {
    if (!isReady || ip === undefined) return [];
    const pod = ref && pods.get(`${ref.namespace}/${ref.name}`);
    return [{ ip, port: found.port, ...(nodeName === undefined ? {} : { node: nodeName }), ...(pod ? { pod } : {}) }];
  });
}

/** Whether the pod behind it is known to take connections there. */
export const isServed = ({ pod, port }: Backend, protocol: string): boolean =>
  pod !== undefined && !pod.dead && pod.listens.some((listen) => listen.port === port && listen.protocol === protocol);

/** Which policies select a pod, as text: pods that differ in them are not alike to the network. */
export function isolationOf(subject: Subject): (pod: ClusterPod | undefined) => string {
  const byNamespace = groupBy(subject.of("NetworkPolicy"), ({ metadata }) => metadata.namespace ?? "default");
  return (pod) => {
    if (pod === undefined) return "";
    const selecting = (byNamespace.get(pod.namespace) ?? []).filter(({ spec }) => matchesSelector(spec?.podSelector ?? {}, pod.labels));
    return selecting.map(({ metadata }) => `${pod.namespace}/${metadata.name}`).join(" ");
  };
}
