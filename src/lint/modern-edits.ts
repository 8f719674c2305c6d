/** The edits that bring an object of an old API version to today's, with the meaning that it had (pkg/apis/networking/v1beta1). */
import type { Written } from "../manifests/objects.ts";
import { type Fields, fieldAt, isFields, labelsAt, listAt } from "../objects/record.ts";
import type { PathPart } from "../objects/source.ts";
import { CURRENT_VERSION } from "./api-versions.ts";
import type { Edit } from "./finding.ts";
import { textEntry, textScalar } from "./scalar.ts";

type Path = readonly PathPart[];

/** Empty when today's form is not known. */
export function modernEdits({ value, source }: Written): readonly Edit[] {
  const kind = String(value.kind);
  const current = CURRENT_VERSION.get(kind);
  if (current === undefined) return [];
  const mark = (field: Path) => ({ source, field });
  const insert = (field: Path, text: string): Edit => ({ kind: "insert", at: mark(field), text });
  const remove = (field: Path): Edit => ({ kind: "remove", at: mark(field) });
  return [{ kind: "value", at: mark(["apiVersion"]), text: current }, ...body()];

  function body(): readonly Edit[] {
    if (kind === "Ingress") return ingress();
    if (kind === "EndpointSlice") return listAt(value, "endpoints").flatMap((each, i) => endpoint(each, ["endpoints", i]));
    const labels = labelsAt(value, "spec", "template", "metadata", "labels");
    const hasSelector = fieldAt(value, "spec", "selector") !== undefined;
    if (!current?.startsWith("apps/") || hasSelector || Object.keys(labels).length === 0) return [];
    const entries = Object.entries(labels).map(([key, label]) => textEntry(key, label));
    return [insert(["spec"], `selector: {matchLabels: {${entries.join(", ")}}}`)];
  }

  function ingress(): Edit[] {
    const old = fieldAt(value, "spec", "backend");
    const ofDefault: Edit[] =
      old === undefined
        ? []
        : [{ kind: "key", at: { ...mark(["spec", "backend"]), key: true }, text: "defaultBackend" }, ...backend(old, ["spec", "backend"])];
    const ofRules = listAt(value, "spec", "rules").flatMap((rule, i) =>
      listAt(rule, "http", "paths").flatMap((path, j) => {
        const at = ["spec", "rules", i, "http", "paths", j];
        const type = isFields(path) && path.pathType === undefined ? [insert(at, "pathType: ImplementationSpecific")] : [];
        return [...type, ...backend(fieldAt(path, "backend"), [...at, "backend"])];
      }),
    );
    return [...ofDefault, ...ofRules];
  }

  function backend(old: unknown, at: Path): Edit[] {
    if (!isFields(old) || (old.serviceName === undefined && old.servicePort === undefined)) return [];
    const gone = ["serviceName", "servicePort"].filter((key) => Object.hasOwn(old, key)).map((key) => remove([...at, key]));
    return [insert(at, `service: {${serviceWords(old).join(", ")}}`), ...gone];
  }

  function endpoint(old: unknown, at: Path): Edit[] {
    const topology = fieldAt(old, "topology");
    if (!isFields(topology)) return [];
    const entries = [
      ["nodeName", topology["kubernetes.io/hostname"]],
      ["zone", topology["topology.kubernetes.io/zone"]],
    ] as const;
    const moved = entries.flatMap(([key, text]) => (typeof text === "string" ? [insert(at, textEntry(key, text))] : []));
    return [...moved, remove([...at, "topology"])];
  }
}

/** `name: web, port: {number: 80}` */
function serviceWords({ serviceName, servicePort }: Fields): string[] {
  return [
    ...(typeof serviceName === "string" ? [`name: ${textScalar(serviceName)}`] : []),
    ...(typeof servicePort === "number" ? [`port: {number: ${servicePort}}`] : []),
    ...(typeof servicePort === "string" ? [`port: {name: ${textScalar(servicePort)}}`] : []),
  ];
}
