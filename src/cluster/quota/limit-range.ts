/**
 * The LimitRanger admission plugin (plugin/pkg/admission/limitranger/admission.go): defaults for containers that do not say
 * what they take, then the bounds. A LimitRange's own defaults are filled in first (apis/core/v1/defaults.go).
 */
import type { Container, LimitRange, LimitRangeItem, PodSpec, ResourceList } from "../../objects/api.ts";
import { formatQuantity, type Quantity } from "./quantity.ts";
import { type Amounts, amountsOf, containerResources, podResources, type Resources, sortedNames } from "./resources.ts";

/** The annotation that the plugin leaves on a pod that it changed. */
export const LIMIT_RANGER = "kubernetes.io/limit-ranger";
export type Limited = { readonly spec: PodSpec; readonly annotation?: string; readonly refusal?: string };

/** A pod as the plugin lets it pass; with `refusal` it does not. */
export function limitPod(written: PodSpec, ranges: readonly LimitRange[]): Limited {
  let spec = written;
  const set: string[] = [];
  for (const range of ranges) {
    const items = range.spec?.limits ?? [];
    const defaults = defaultsOf(items);
    spec = withDefaults(spec, defaults, set);
    const errors = items.flatMap((item) => errorsOf(item, spec));
    const refusal = errors.length > 1 ? `[${errors.join(", ")}]` : errors[0];
    if (refusal !== undefined) return { spec, refusal };
  }
  return { spec, ...(set.length > 0 ? { annotation: `LimitRanger plugin set: ${set.join("; ")}` } : {}) };
}

/** A limit left out is the maximum; a request left out the limit, else the minimum. */
function defaultsOf(items: readonly LimitRangeItem[]): Resources {
  const [requests, limits] = [new Map<string, Quantity>(), new Map<string, Quantity>()];
  for (const item of items.filter(({ type }) => type === "Container")) {
    const limit = new Map([...amountsOf(item.max), ...amountsOf(item.default)]);
    const request = new Map([...amountsOf(item.min), ...limit, ...amountsOf(item.defaultRequest)]);
    for (const [name, quantity] of limit) limits.set(name, quantity);
    for (const [name, quantity] of request) requests.set(name, quantity);
  }
  return { requests, limits };
}

function withDefaults(spec: PodSpec, defaults: Resources, set: string[]): PodSpec {
  if (defaults.requests.size === 0 && defaults.limits.size === 0) return spec;
  const fill = (word: string) => (container: Container) => filled(container, defaults, word, set);
  return {
    ...spec,
    ...(spec.containers ? { containers: spec.containers.map(fill("container")) } : {}),
    ...(spec.initContainers ? { initContainers: spec.initContainers.map(fill("init container")) } : {}),
  };
}

function filled(container: Container, defaults: Resources, word: string, set: string[]): Container {
  const own = containerResources(container);
  const missing = (which: keyof Resources): string[] => sortedNames(defaults[which]).filter((name) => !own[which].has(name));
  const [requests, limits] = [missing("requests"), missing("limits")];
  if (requests.length > 0) set.push(`${requests.join(", ")} request for ${word} ${container.name}`);
  if (limits.length > 0) set.push(`${limits.join(", ")} limit for ${word} ${container.name}`);
  if (requests.length + limits.length === 0) return container;
  const resources = {
    ...container.resources,
    limits: asList(new Map([...defaults.limits, ...own.limits])),
    requests: asList(new Map([...defaults.requests, ...own.requests])),
  };
  return { ...container, resources };
}

const asList = (amounts: Amounts): ResourceList =>
  Object.fromEntries(sortedNames(amounts).flatMap((name) => pair(name, amounts.get(name))));
const pair = (name: string, quantity: Quantity | undefined) => (quantity === undefined ? [] : [[name, formatQuantity(quantity)] as const]);

/** A Container item bounds each ordinary container, a Pod item their sum. */
function errorsOf(item: LimitRangeItem, spec: PodSpec): string[] {
  if (item.type === "Pod") return boundErrors(item, podResources(spec));
  if (item.type === "Container") return (spec.containers ?? []).flatMap((container) => boundErrors(item, containerResources(container)));
  return [];
}

const boundErrors = (item: LimitRangeItem, resources: Resources): string[] => [
  ...eachAmount(item.min, (name, least) => minimumError(item.type, name, least, resources)),
  ...eachAmount(item.max, (name, most) => maximumError(item.type, name, most, resources)),
  ...eachAmount(item.maxLimitRequestRatio, (name, ratio) => ratioError(item.type, name, ratio, resources)),
];

const eachAmount = (list: ResourceList | undefined, check: (name: string, bound: Quantity) => string | undefined): string[] => {
  const bounds = amountsOf(list);
  return sortedNames(bounds).flatMap((name) => {
    const bound = bounds.get(name);
    return bound === undefined ? [] : (check(name, bound) ?? []);
  });
};

function minimumError(type: string, name: string, least: Quantity, { requests, limits }: Resources): string | undefined {
  const [request, limit] = [requests.get(name), limits.get(name)];
  const text = `minimum ${name} usage per ${type} is ${formatQuantity(least)}`;
  if (request === undefined) return `${text}.  No request is specified`;
  if (request.nano < least.nano) return `${text}, but request is ${formatQuantity(request)}`;
  return limit !== undefined && limit.nano < least.nano ? `${text}, but limit is ${formatQuantity(limit)}` : undefined;
}

function maximumError(type: string, name: string, most: Quantity, { requests, limits }: Resources): string | undefined {
  const [request, limit] = [requests.get(name), limits.get(name)];
  const text = `maximum ${name} usage per ${type} is ${formatQuantity(most)}`;
  if (limit === undefined) return `${text}.  No limit is specified`;
  if (limit.nano > most.nano) return `${text}, but limit is ${formatQuantity(limit)}`;
  return request !== undefined && request.nano > most.nano ? `${text}, but request is ${formatQuantity(request)}` : undefined;
}

function ratioError(type: string, name: string, ratio: Quantity, { requests, limits }: Resources): string | undefined {
  const [request, limit] = [requests.get(name)?.nano ?? 0n, limits.get(name)?.nano ?? 0n];
  const text = `${name} max limit to request ratio per ${type} is ${formatQuantity(ratio)}`;
  if (request === 0n) return `${text}, but no request is specified or request is 0`;
  if (limit === 0n) return `${text}, but no limit is specified or limit is 0`;
  const provided = Number(limit) / Number(request);
  return provided > Number(ratio.nano) / 1e9 ? `${text}, but provided ratio is ${provided.toFixed(6)}` : undefined;
}
