/** The kinds that `get` knows, one line each, and how kubectl's words for them are understood. */
import { endpointSlices, endpoints } from "./kinds/endpoints.ts";
import { ingressClasses, ingresses } from "./kinds/ingresses.ts";
import { nodes } from "./kinds/nodes.ts";
import { configMaps, events, namespaces } from "./kinds/others.ts";
import { pods } from "./kinds/pods.ts";
import { limitRanges, resourceQuotas } from "./kinds/quotas.ts";
import { services } from "./kinds/services.ts";
import { cronJobs, daemonSets, deployments, jobs, replicaSets, replicationControllers, statefulSets } from "./kinds/workloads.ts";
import type { Resource } from "./resource.ts";

export const RESOURCES: readonly Resource[] = [
  pods,
  replicationControllers,
  services,
  daemonSets,
  deployments,
  replicaSets,
  statefulSets,
  cronJobs,
  jobs,
  nodes,
  namespaces,
  endpoints,
  endpointSlices,
  ingresses,
  ingressClasses,
  configMaps,
  resourceQuotas,
  limitRanges,
  events,
];

/** The category `all`, in the order in which kubectl prints it. */
const ALL: readonly Resource[] = [
  pods,
  replicationControllers,
  services,
  daemonSets,
  deployments,
  replicaSets,
  statefulSets,
  cronJobs,
  jobs,
];

/** Resources behind a word: plural, singular, short name, kind, `name.group`, or `all`. Undefined for an unknown word. */
export function resourcesOf(word: string): readonly Resource[] | undefined {
  const asked = word.toLowerCase();
  if (asked === "all") return ALL;
  const [bare = "", ...groupParts] = asked.split(".");
  const group = groupParts.join(".").replace(/^v\d\w*\.?/, "");
  const found = RESOURCES.find(
    (each) => [each.plural, each.singular, each.kind.toLowerCase(), ...each.short].includes(bare) && (group === "" || group === each.group),
  );
  return found && [found];
}

/** `deployment.apps`: how a kind stands before a name. */
export const typeName = (resource: Resource): string =>
  resource.group === "" ? resource.singular : `${resource.singular}.${resource.group}`;
/** `deployments.apps`: how messages name a kind. */
export const pluralName = (resource: Resource): string =>
  resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;

/** Every word there is, for a "did you mean". */
export const resourceWords = (): string[] => ["all", ...RESOURCES.flatMap((each) => [each.plural, each.singular, ...each.short])];
