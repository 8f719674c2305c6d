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

  /** serviceName becomes service, and servicePort goes into it. */
  function backend(old: unknown, at: Path): Edit[] {
    const [first, ...others] = isFields(old) ? ["serviceName", "servicePort"].filter((key) => Object.hasOwn(old, key)) : [];
    if (!isFields(old) || first === undefined) return [];
    return [...renamed([...at, first], "service", `{${serviceWords(old).join(", ")}}`), ...others.map((key) => remove([...at, key]))];
  }

  /** The node and the zone were among the labels of `topology`. */
  function endpoint(old: unknown, at: Path): Edit[] {
    const topology = fieldAt(old, "topology");
    if (!isFields(topology)) return [];
    const { "kubernetes.io/hostname": node, "topology.kubernetes.io/zone": zone } = topology;
    const field = [...at, "topology"];
    if (typeof node !== "string") return typeof zone === "string" ? renamed(field, "zone", textScalar(zone)) : [remove(field)];
    return [...renamed(field, "nodeName", textScalar(node)), ...(typeof zone === "string" ? [insert(at, textEntry("zone", zone))] : [])];
  }

  function renamed(field: Path, key: string, text: string): Edit[] {
    return [
      { kind: "key", at: { ...mark(field), key: true }, text: key },
      { kind: "value", at: mark(field), text },
    ];
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
