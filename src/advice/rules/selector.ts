/** A Service whose selector picks no pod, or that has none: which pods were probably meant. */
import type { Labels } from "../../objects/api.ts";
import { slip } from "../../objects/near.ts";
import { type PodMaker, podMakers } from "../../objects/pod-maker.ts";
import { matchesLabels } from "../../objects/selector.ts";
import { at, type Case, change, type Finding, type Sentence } from "../case.ts";
import { editService } from "../edits.ts";
import { type Entrance, nameOf } from "../entrance.ts";

const labelsText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
const yamlText = (labels: Labels): string =>
  `selector: {${Object.entries(labels)
    .map(([key, value]) => `${key}: ${value}`)
    .join(", ")}}`;

export function selectorFinding(failed: Case, { service }: Entrance): Finding {
  const selector = service.selector ?? {};
  const [key] = Object.keys(selector);
  const place = failed.place(service.origin?.source, ["spec", "selector", ...(key === undefined ? [] : [key])]);
  const head: Sentence = {
    text: `Service ${nameOf(service)} selects ${labelsText(selector)}, and no pod of namespace ${service.namespace} has that`,
    ...at(place),
  };
  const makers = podMakers(failed.objects);
  const elsewhere = makers.find((maker) => maker.namespace !== service.namespace && matchesLabels(selector, maker.labels));
  const meant = nearestMaker(makers, service, selector);
  if (!meant && elsewhere) {
    const text = `${elsewhere.title} has, in namespace ${elsewhere.namespace}: a selector sees its own namespace only`;
    const move = {
      text: `write the Service into namespace ${elsewhere.namespace}`,
      ...at(failed.place(service.origin?.source, ["metadata", "namespace"])),
    };
    return {
      because: [head, { text, ...at(failed.place(elsewhere.object.source, ["metadata"])) }],
      changes: [{ ...move, outcome: "its name in the DNS changes too" }],
    };
  }
  if (!meant) return { because: [head], changes: [] };
  const { maker, wanted } = meant;
  const [meantKey] = Object.keys(wanted);
  const labelPlace = failed.place(maker.object.source, [
    ...maker.path,
    "metadata",
    "labels",
    ...(meantKey === undefined ? [] : [meantKey]),
  ]);
  const pods = maker.path.length === 0 ? maker.title : `The pods of ${maker.title}`;
  return {
    because: [head, { text: `${pods} ${maker.path.length === 0 ? "has" : "have"} ${labelsText(wanted)}`, ...at(labelPlace) }],
    changes: [change(yamlText(wanted), place, () => editService(failed, service, (spec) => ({ ...spec, selector: wanted })))],
  };
}

/** A Service without a selector has the endpoints that somebody writes for it. */
export function withoutSelector(failed: Case, { service }: Entrance): Finding {
  const meant = nearestMaker(podMakers(failed.objects), service, {});
  const place = failed.place(service.origin?.source, ["spec"]);
  const written = failed.objects.some(
    ({ kind, metadata }) =>
      kind === "Endpoints" && metadata.name === service.name && (metadata.namespace ?? "default") === service.namespace,
  );
  const head = written
    ? `Service ${nameOf(service)} has no selector, and its Endpoints list no ready address for a port of that name`
    : `Service ${nameOf(service)} has no selector, and no Endpoints or EndpointSlice in the input gives it addresses`;
  const byHand = {
    text: `write Endpoints ${nameOf(service)} with the addresses of its servers`,
    outcome: "the addresses are yours to know",
  };
  if (!meant) return { because: [{ text: head, ...at(place) }], changes: written ? [] : [byHand] };
  const { wanted } = meant;
  return {
    because: [{ text: head, ...at(place) }],
    changes: [
      change(yamlText(wanted), place, () => editService(failed, service, (spec) => ({ ...spec, selector: wanted }))),
      ...(written ? [] : [byHand]),
    ],
  };
}

type Meant = { readonly maker: PodMaker; readonly wanted: Labels; readonly far: number };

/** The pods whose labels are nearest to the selector, else those of a workload of the Service's name. */
function nearestMaker(
  makers: readonly PodMaker[],
  service: { readonly namespace: string; readonly name: string },
  selector: Labels,
): Meant | undefined {
  const found = makers
    .filter((maker) => maker.namespace === service.namespace && Object.keys(maker.labels).length > 0)
    .flatMap((maker) => nearLabels(maker, selector) ?? byName(maker, service.name) ?? []);
  return found.sort((a, b) => a.far - b.far)[0];
}

/** The selector with each pair that the pods lack replaced by the one that is probably meant. */
function nearLabels(maker: PodMaker, selector: Labels): Meant | undefined {
  let far = 0;
  const wanted: [string, string][] = [];
  for (const [key, value] of Object.entries(selector)) {
    const has = Object.hasOwn(maker.labels, key) ? maker.labels[key] : undefined;
    if (has === value) wanted.push([key, value]);
    else if (has !== undefined) {
      const errors = slip(value, has);
      if (errors === undefined) return undefined;
      far += errors;
      wanted.push([key, has]);
    } else {
      const other = Object.entries(maker.labels).find(([name, label]) => label === value || slip(key, name) === 0);
      if (other === undefined) return undefined;
      far += 3;
      wanted.push(other);
    }
  }
  return wanted.length === 0 ? undefined : { maker, wanted: Object.fromEntries(wanted), far };
}

function byName(maker: PodMaker, name: string): Meant | undefined {
  const errors = maker.name === name ? 0 : slip(name, maker.name);
  if (errors === undefined) return undefined;
  const app = ["app", "app.kubernetes.io/name", "k8s-app"].find((key) => Object.hasOwn(maker.labels, key));
  const wanted = app === undefined ? maker.labels : { [app]: maker.labels[app] ?? "" };
  return { maker, wanted, far: 100 + errors };
}
