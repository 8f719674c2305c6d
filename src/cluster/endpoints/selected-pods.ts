/** Which pods a Service's selector picks, from an index by namespace and label, so that 10,000 Services do not each read 150,000 pods. */
import type { Labels } from "../../objects/api.ts";
import { matchesLabels } from "../../objects/selector.ts";

type Labelled = { readonly namespace: string; readonly labels: Labels };
export type PodsBySelector<P> = (namespace: string, selector: Labels) => readonly P[];

/** The pods in their given order. An empty selector picks none: the API keeps no empty selector of a Service. */
export function indexPods<P extends Labelled>(pods: readonly P[]): PodsBySelector<P> {
  const byLabel = new Map<string, P[]>();
  for (const pod of pods)
    for (const [key, value] of Object.entries(pod.labels)) {
      const at = labelKey(pod.namespace, key, value);
      const list = byLabel.get(at);
      if (list) list.push(pod);
      else byLabel.set(at, [pod]);
    }
  return (namespace, selector) => {
    const lists = Object.entries(selector).map(([key, value]) => byLabel.get(labelKey(namespace, key, value)) ?? []);
    const [shortest] = lists.sort((a, b) => a.length - b.length);
    return shortest?.filter((pod) => matchesLabels(selector, pod.labels)) ?? [];
  };
}

const labelKey = (namespace: string, key: string, value: string): string => JSON.stringify([namespace, key, value]);
