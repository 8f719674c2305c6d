/** Containers, volumes and scheduling of a pod, as `kubectl describe` prints them for a pod and for a pod template. */
import { type Fields, fieldAt, isFields, labelsAt, listAt, textAt, textsAt } from "../../objects/record.ts";
import { NONE, UNKNOWN } from "../get/resource.ts";
import { annotationLines, labelLines, lineIf, shown, tolerationLines } from "./parts.ts";

/** `Containers:` with what each runs; `statuses` are a pod's own, a template has none and stands deeper. */
export function containerLines(title: string, containers: readonly unknown[], statuses: readonly unknown[] | undefined): string[] {
  if (containers.length === 0) return [];
  const indent = statuses === undefined ? "  " : "";
  return [`${indent}${title}:`, ...containers.flatMap((container) => oneContainer(container, statuses))];
}

function oneContainer(container: unknown, statuses: readonly unknown[] | undefined): string[] {
  const name = textAt(container, "name");
  const status = statuses?.find((each) => textAt(each, "name") === name);
  return [
    `${statuses === undefined ? "   " : "  "}${shown(name)}:`,
    ...indented([
      ...(status === undefined ? [] : [`Container ID:\t${shown(textAt(status, "containerID"))}`]),
      `Image:\t${shown(textAt(container, "image"))}`,
      ...(status === undefined ? [] : [`Image ID:\t${shown(textAt(status, "imageID"))}`]),
      ...portLines(listAt(container, "ports")),
      ...wordLines("Command", textsAt(container, "command")),
      ...wordLines("Args", textsAt(container, "args")),
      ...(status === undefined ? [] : statusLines(status)),
      ...quantityLines("Limits", fieldAt(container, "resources", "limits")),
      ...quantityLines("Requests", fieldAt(container, "resources", "requests")),
      ...["Liveness", "Readiness", "Startup"].flatMap((kind) => probeLines(kind, fieldAt(container, `${kind.toLowerCase()}Probe`))),
      ...environmentLines(container),
      ...mountLines(listAt(container, "volumeMounts")),
    ]),
  ];
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `    ${line}`);

function portLines(ports: readonly unknown[]): string[] {
  const text = (key: string) => ports.map((port) => `${numberAt(port, key)}/${textAt(port, "protocol") || "TCP"}`).join(", ") || NONE;
  const s = ports.length > 1 ? "s" : "";
  return [`Port${s}:\t${text("containerPort")}`, `Host Port${s}:\t${text("hostPort")}`];
}

const numberAt = (value: unknown, key: string): string => {
  const found = fieldAt(value, key);
  return typeof found === "number" || typeof found === "string" ? shown(String(found)) : "0";
};

const wordLines = (title: string, words: readonly string[]): string[] =>
  words.length === 0 ? [] : [`${title}:`, ...words.flatMap((word) => word.split("\n").map((part) => `  ${shown(part)}`))];

function statusLines(status: unknown): string[] {
  const state = fieldAt(status, "state");
  const waiting = fieldAt(state, "waiting");
  const ended = fieldAt(state, "terminated");
  const said = isFields(fieldAt(state, "running"))
    ? ["State:\tRunning", `  Started:\t${UNKNOWN}`]
    : isFields(ended)
      ? ["State:\tTerminated", ...reasonLine(ended), `  Exit Code:\t${numberAt(ended, "exitCode")}`]
      : ["State:\tWaiting", ...reasonLine(waiting)];
  const ready = fieldAt(status, "ready") === true ? "True" : "False";
  return [...said, `Ready:\t${ready}`, `Restart Count:\t${numberAt(status, "restartCount")}`];
}

const reasonLine = (state: unknown): string[] => lineIf("  Reason", textAt(state, "reason"));

function quantityLines(title: string, quantities: unknown): string[] {
  if (!isFields(quantities)) return [];
  const rows = Object.keys(quantities)
    .sort()
    .map((key) => `  ${shown(key)}:\t${shown(String(quantities[key]))}`);
  return rows.length === 0 ? [] : [`${title}:`, ...rows];
}

/** `http-get http://:8080/ready delay=0s timeout=1s period=10s #success=1 #failure=3`, with the API server's defaults. */
function probeLines(kind: string, probe: unknown): string[] {
  if (!isFields(probe)) return [];
  const value = (key: string, otherwise: number) => (typeof probe[key] === "number" ? String(probe[key]) : String(otherwise));
  const times = `delay=${value("initialDelaySeconds", 0)}s timeout=${value("timeoutSeconds", 1)}s period=${value("periodSeconds", 10)}s`;
  const counts = `#success=${value("successThreshold", 1)} #failure=${value("failureThreshold", 3)}`;
  return [`${kind}:\t${shown(probeText(probe))} ${times} ${counts}`];
}

function probeText(probe: unknown): string {
  const [exec, get, tcp, grpc] = ["exec", "httpGet", "tcpSocket", "grpc"].map((key) => fieldAt(probe, key));
  if (isFields(exec)) return `exec [${textsAt(exec, "command").join(" ")}]`;
  if (isFields(get)) {
    const path = textAt(get, "path") || "/";
    return `http-get ${(textAt(get, "scheme") || "HTTP").toLowerCase()}://${textAt(get, "host")}:${numberAt(get, "port")}${path.startsWith("/") ? path : `/${path}`}`;
  }
  if (isFields(tcp)) return `tcp-socket ${textAt(tcp, "host")}:${numberAt(tcp, "port")}`;
  return isFields(grpc) ? `grpc <pod>:${numberAt(grpc, "port")} ${textAt(grpc, "service")}` : "unknown";
}

function environmentLines(container: unknown): string[] {
  const variables = listAt(container, "env");
  if (variables.length === 0) return [`Environment:\t${NONE}`];
  return [
    "Environment:",
    ...variables.flatMap((each) => {
      const [first = "", ...more] = valueLines(each, container);
      return [`  ${shown(textAt(each, "name"))}:\t${first}`, ...more.map((line) => `  \t${line}`)];
    }),
  ];
}

/** A written value line by line, or where it comes from. */
function valueLines(variable: unknown, container: unknown): string[] {
  const from = fieldAt(variable, "valueFrom");
  return isFields(from) ? [originText(from, container)] : textAt(variable, "value").split("\n").map(shown);
}

function originText(from: Fields, container: unknown): string {
  const field = textAt(from, "fieldRef", "fieldPath");
  if (field !== "") return shown(` (${textAt(from, "fieldRef", "apiVersion") || "v1"}:${field})`);
  const of = (key: string, kind: string): string =>
    `<set to the key '${shown(textAt(from, key, "key"))}' ${kind} '${shown(textAt(from, key, "name"))}'>\tOptional: ${fieldAt(from, key, "optional") === true}`;
  if (isFields(from.secretKeyRef)) return of("secretKeyRef", "in secret");
  if (isFields(from.configMapKeyRef)) return of("configMapKeyRef", "of config map");
  const resource = textAt(from, "resourceFieldRef", "resource");
  const amount = fieldAt(container, "resources", ...resource.split("."));
  return resource === "" ? "" : shown(`${typeof amount === "string" || typeof amount === "number" ? amount : 0} (${resource})`);
}

function mountLines(mounts: readonly unknown[]): string[] {
  if (mounts.length === 0) return [`Mounts:\t${NONE}`];
  const sorted = [...mounts].sort((a, b) => (textAt(a, "mountPath") < textAt(b, "mountPath") ? -1 : 1));
  return [
    "Mounts:",
    ...sorted.map((mount) => {
      const flags = [
        fieldAt(mount, "readOnly") === true ? "ro" : "rw",
        ...(textAt(mount, "subPath") === "" ? [] : [`path="${textAt(mount, "subPath")}"`]),
      ];
      return `  ${shown(`${textAt(mount, "mountPath")} from ${textAt(mount, "name")} (${flags.join(",")})`)}`;
    }),
  ];
}

/** The kinds of volume that say something of their own; kubectl words any other `<unknown>` too. */
function volumeLines(volume: unknown): string[] {
  const part = (key: string): unknown => fieldAt(volume, key);
  const optional = (key: string): string => `Optional:\t${fieldAt(volume, key, "optional") === true}`;
  if (isFields(part("configMap")))
    return [
      "Type:\tConfigMap (a volume populated by a ConfigMap)",
      `Name:\t${shown(textAt(volume, "configMap", "name"))}`,
      optional("configMap"),
    ];
  if (isFields(part("secret")))
    return [
      "Type:\tSecret (a volume populated by a Secret)",
      `SecretName:\t${shown(textAt(volume, "secret", "secretName"))}`,
      optional("secret"),
    ];
  if (isFields(part("emptyDir")))
    return [
      "Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)",
      `Medium:\t${shown(textAt(volume, "emptyDir", "medium"))}`,
      `SizeLimit:\t${shown(String(fieldAt(volume, "emptyDir", "sizeLimit") ?? "<unset>"))}`,
    ];
  if (isFields(part("hostPath")))
    return [
      "Type:\tHostPath (bare host directory volume)",
      `Path:\t${shown(textAt(volume, "hostPath", "path"))}`,
      `HostPathType:\t${shown(textAt(volume, "hostPath", "type"))}`,
    ];
  if (isFields(part("persistentVolumeClaim")))
    return [
      "Type:\tPersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
      `ClaimName:\t${shown(textAt(volume, "persistentVolumeClaim", "claimName"))}`,
      `ReadOnly:\t${fieldAt(volume, "persistentVolumeClaim", "readOnly") === true}`,
    ];
  if (isFields(part("projected")))
    return [
      "Type:\tProjected (a volume that contains injected data from multiple sources)",
      ...listAt(volume, "projected", "sources").flatMap(projectedLines),
    ];
  return [UNKNOWN];
}

function projectedLines(source: unknown): string[] {
  const optional = (kind: string, key: string): string => `${kind}Optional:\t${fieldAt(source, key, "optional") ?? "<nil>"}`;
  if (isFields(fieldAt(source, "secret"))) return [`SecretName:\t${shown(textAt(source, "secret", "name"))}`, optional("Secret", "secret")];
  if (isFields(fieldAt(source, "configMap")))
    return [`ConfigMapName:\t${shown(textAt(source, "configMap", "name"))}`, optional("ConfigMap", "configMap")];
  if (isFields(fieldAt(source, "downwardAPI"))) return ["DownwardAPI:\ttrue"];
  const seconds = fieldAt(source, "serviceAccountToken", "expirationSeconds");
  return typeof seconds === "number" ? [`TokenExpirationSeconds:\t${seconds}`] : [];
}

/** Volumes, node selector and tolerations; `indent` is that of a template. */
export function placementLines(spec: unknown, indent: string, qos: readonly string[] = []): string[] {
  const volumes = listAt(spec, "volumes");
  const each = volumes.flatMap((volume) => [
    `${indent === "" ? "  " : "   "}${shown(textAt(volume, "name"))}:`,
    ...volumeLines(volume).map((line) => `    ${line}`),
  ]);
  return [
    ...(volumes.length === 0 ? [`${indent}Volumes:\t${NONE}`] : [`${indent}Volumes:`, ...each]),
    ...qos,
    ...labelLines(`${indent}Node-Selectors`, labelsAt(spec, "nodeSelector")),
    ...tolerationLines(`${indent}Tolerations`, listAt(spec, "tolerations")),
  ];
}

/** `Pod Template:` of a workload. */
export function templateLines(template: unknown): string[] {
  const spec = fieldAt(template, "spec");
  const hasAnnotations = isFields(fieldAt(template, "metadata", "annotations"));
  return [
    "Pod Template:",
    ...labelLines("  Labels", labelsAt(template, "metadata", "labels")),
    ...(hasAnnotations ? annotationLines(template, "  Annotations") : []),
    ...lineIf("  Service Account", textAt(spec, "serviceAccountName")),
    ...containerLines("Init Containers", listAt(spec, "initContainers"), undefined),
    ...containerLines("Containers", listAt(spec, "containers"), undefined),
    ...placementLines(spec, "  "),
  ];
}
