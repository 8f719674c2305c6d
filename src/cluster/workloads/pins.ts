/**
 * The topology's `pods:`: names, addresses and nodes of pods as somebody saw them in a live cluster. Matched in list order;
 * a pin names one pod, or by `*` several. A pin with an address serves one pod only.
 */
import type { Topology, TopologyPod } from "../../objects/topology.ts";
import type { Notes } from "../notes.ts";
import { byCodeUnits } from "../order.ts";

export type Pins = {
  /** The pin for a pod, taken once if it has an address. */
  readonly claim: (namespace: string, name: string) => TopologyPod | undefined;
  /** Pinned full names `PREFIX-suffix` in a namespace, in list order. */
  readonly namesOf: (namespace: string, prefix: string) => readonly TopologyPod[];
  /** The pod-template-hash that pinned names give a Deployment: the one most pins have. */
  readonly hashOf: (namespace: string, deployment: string) => string | undefined;
  /** Reports pins that no pod claimed. */
  readonly reportUnused: (notes: Notes) => void;
};

type Pin = { readonly index: number; readonly pin: TopologyPod; readonly namespace: string; readonly name: string };

export function createPins(topology: Topology): Pins {
  const pins = (topology.pods ?? []).map((pin, index): Pin => ({ index, pin, ...splitName(pin.name) }));
  const exact = new Map<string, Pin[]>();
  const patterns = pins.filter((pin) => pin.pin.name.includes("*"));
  const byPrefix = new Map<string, Pin[]>();
  const byDeployment = new Map<string, Pin[]>();
  const used = new Set<Pin>();
  for (const pin of pins) {
    if (pin.pin.name.includes("*")) continue;
    push(exact, `${pin.namespace}/${pin.name}`, pin);
    const parts = pin.name.split("-");
    push(byPrefix, `${pin.namespace}/${parts.slice(0, -1).join("-")}`, pin);
    push(byDeployment, `${pin.namespace}/${parts.slice(0, -2).join("-")}`, pin);
  }
  const isFree = (pin: Pin) => pin.pin.ip === undefined || !used.has(pin);
  return {
    claim: (namespace, name) => {
      const candidates = [
        ...(exact.get(`${namespace}/${name}`) ?? []),
        ...patterns.filter((pin) => matchesGlob(pin.namespace, namespace) && matchesGlob(pin.name, name)),
      ];
      const found = candidates.filter(isFree).sort((a, b) => a.index - b.index)[0];
      if (found) used.add(found);
      return found?.pin;
    },
    namesOf: (namespace, prefix) => (byPrefix.get(`${namespace}/${prefix}`) ?? []).map((pin) => ({ ...pin.pin, name: pin.name })),
    hashOf: (namespace, deployment) =>
      commonest((byDeployment.get(`${namespace}/${deployment}`) ?? []).flatMap((pin) => templateHashOf(pin.name) ?? [])),
    reportUnused: (notes) => {
      for (const { pin, index } of pins.filter((each) => !used.has(each)))
        notes.report({
          code: "topology-pin-unused",
          severity: "warning",
          message: `Topology: pods[${index}]: no pod of the cluster is called ${pin.name}`,
          help: "names come from the manifests: is the workload among the input, with enough replicas?",
          source: topology.source,
          field: ["spec", "pods", index, "name"],
        });
    },
  };
}

function splitName(written: string): { readonly namespace: string; readonly name: string } {
  const slash = written.indexOf("/");
  return slash < 0 ? { namespace: "default", name: written } : { namespace: written.slice(0, slash), name: written.slice(slash + 1) };
}

/** The hash in `tomcat6-5f7ccf4cb9-8jxz7`. */
const templateHashOf = (name: string): string | undefined => /-([a-z0-9]{1,10})-[a-z0-9]+$/.exec(name)?.[1];

function commonest(values: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || byCodeUnits(a[0], b[0]))[0]?.[0];
}

/** `*` stands for any run of characters. Each literal piece is looked for once from the left, so the time is linear in pieces. */
export function matchesGlob(pattern: string, text: string): boolean {
  const pieces = pattern.split("*");
  const [first = "", last = ""] = [pieces[0], pieces.at(-1)];
  if (pieces.length === 1) return pattern === text;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= text.length - last.length;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
