/** Configuration that stands as text inside objects: YAML in a ConfigMap's data, flags on a container's command line. */
import type { ApiObject, ConfigMap, Container, Pod } from "../../objects/api.ts";
import { isMapping, type YamlMapping } from "../yaml/construct.ts";
import { splitDocuments } from "../yaml/documents.ts";
import { parseDocument } from "../yaml/parse.ts";

/** The ConfigMaps whose name the expression covers, in the order of the input. */
export const configMapsNamed = (objects: readonly ApiObject[], name: RegExp): readonly ConfigMap[] =>
  objects.flatMap((object) => (object.kind === "ConfigMap" && name.test(object.metadata.name) ? [object] : []));

/** The first mapping in a ConfigMap's entry; undefined when there is none that can be read. */
export function mappingIn(config: ConfigMap, key: string): YamlMapping | undefined {
  const text = config.data && Object.hasOwn(config.data, key) ? config.data[key] : undefined;
  for (const document of splitDocuments(text ?? "")) {
    const parsed = parseDocument(document);
    if ("value" in parsed && isMapping(parsed.value)) return parsed.value;
  }
  return undefined;
}

/** The text of a ConfigMap's entry. */
export const textIn = (config: ConfigMap, key: string): string | undefined =>
  config.data && Object.hasOwn(config.data, key) ? config.data[key] : undefined;

/** The value of `--flag=value` or `--flag value` on a container's command line. */
export function flagOf(container: Container | undefined, flag: string): string | undefined {
  const words = [...(container?.command ?? []), ...(container?.args ?? [])];
  for (const [at, word] of words.entries()) {
    if (word === flag) return words[at + 1];
    if (word.startsWith(`${flag}=`)) return word.slice(flag.length + 1);
  }
  return undefined;
}

/** The static pods of a control-plane component, as kubeadm labels them. */
export const componentPods = (objects: readonly ApiObject[], component: string): readonly Pod[] =>
  objects.flatMap((object) =>
    object.kind === "Pod" && object.metadata.namespace === "kube-system" && object.metadata.labels?.component === component ? [object] : [],
  );

/** Whether an API server reported this pod: nobody writes where a pod runs by hand. */
export const isLivePod = (pod: Pod): boolean => pod.status?.hostIP !== undefined || pod.status?.podIP !== undefined;
