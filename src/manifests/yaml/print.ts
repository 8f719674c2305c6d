/**
 * YAML as `kubectl -o yaml` prints it: keys sorted, lists not indented, no anchors, text that another reader could take for a
 * number or a boolean quoted (sigs.k8s.io/yaml).
 */
import { dump } from "js-yaml";

/** The document of a JSON value. Undefined members are left out; with `sorted: false` keys stay in their order. */
export function printYaml(value: unknown, { sorted = true }: { readonly sorted?: boolean } = {}): string {
  const plain: unknown = JSON.parse(JSON.stringify(value));
  return dump(plain, { noRefs: true, lineWidth: -1, quoteStyle: "double", seqNoIndent: true, sortKeys: sorted && byCodeUnits });
}

const byCodeUnits = (a: unknown, b: unknown): number => (String(a) < String(b) ? -1 : 1);
