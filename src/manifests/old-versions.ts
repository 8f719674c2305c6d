/**
 * Objects as written → today's form: nulls as the API server reads them, and old API versions rewritten as Kubernetes'
 * own conversion does (pkg/apis/networking/v1beta1/conversion.go, pkg/apis/apps/v1beta1/defaults.go,
 * pkg/apis/discovery/v1beta1/conversion.go). apiVersion itself stays as it was written.
 */
import type { PathPart } from "../objects/source.ts";
import { isMapping, setOwn, type Yaml, type YamlMapping } from "./yaml/construct.ts";

/** Mappings of text to text, in which JSON's null is decoded as "". Everywhere else null is as good as absent. */
const TEXT_MAPS = new Set(["labels", "annotations", "matchLabels", "nodeSelector", "data", "hostsFile"]);

/** Drops nulls. Shares what it need not change. */
export function dropNulls(value: Yaml, key = ""): Yaml {
  if (Array.isArray(value)) return value.some((item) => typeof item === "object") ? value.map((item) => dropNulls(item)) : value;
  if (!isMapping(value)) return value;
  const result: { [key: string]: Yaml } = {};
  for (const [name, member] of Object.entries(value)) {
    if (member !== null) setOwn(result, name, dropNulls(member, name));
    else if (TEXT_MAPS.has(key)) setOwn(result, name, "");
  }
  return result;
}

/** The object in the form of the newest API version of its kind. */
export function modernize(object: YamlMapping): YamlMapping {
  const { apiVersion, kind } = object;
  if (typeof apiVersion !== "string" || !/beta|alpha/.test(apiVersion)) return object;
  if (kind === "Ingress") return withSpec(object, modernIngress);
  if (kind === "EndpointSlice") return { ...object, ...modernAddressType(object), ...mapList(object, "endpoints", modernEndpoint) };
  return kind === "Deployment" || kind === "ReplicaSet" || kind === "DaemonSet" || kind === "StatefulSet"
    ? withSpec(object, withSelector)
    : object;
}

const withSpec = (object: YamlMapping, change: (spec: YamlMapping) => YamlMapping): YamlMapping =>
  isMapping(object.spec) ? { ...object, spec: change(object.spec) } : object;

function modernIngress(spec: YamlMapping): YamlMapping {
  const { backend, ...rest } = spec;
  return { ...rest, ...(backend !== undefined && { defaultBackend: modernBackend(backend) }), ...mapList(spec, "rules", modernRule) };
}

const modernRule = (rule: YamlMapping): YamlMapping =>
  isMapping(rule.http) ? { ...rule, http: { ...rule.http, ...mapList(rule.http, "paths", modernPath) } } : rule;

const modernPath = (path: YamlMapping): YamlMapping => ({
  pathType: "ImplementationSpecific", // the default of v1beta1; v1 has none
  ...path,
  ...(path.backend !== undefined && { backend: modernBackend(path.backend) }),
});

function modernBackend(backend: Yaml): Yaml {
  if (!isMapping(backend) || (backend.serviceName === undefined && backend.servicePort === undefined)) return backend;
  const { serviceName, servicePort, ...rest } = backend;
  const port = typeof servicePort === "number" ? { number: servicePort } : { name: servicePort ?? "" };
  return { ...rest, service: { ...(serviceName !== undefined && { name: serviceName }), ...(servicePort !== undefined && { port }) } };
}

/** Until 1.18 there was one address type `IP` for both families, and it was the default. */
function modernAddressType(slice: YamlMapping): YamlMapping {
  if (slice.addressType !== undefined && slice.addressType !== "IP") return {};
  const [first] = Array.isArray(slice.endpoints) ? slice.endpoints : [];
  const [address] = isMapping(first) && Array.isArray(first.addresses) ? first.addresses : [];
  return { addressType: typeof address === "string" && address.includes(":") ? "IPv6" : "IPv4" };
}

/** v1beta1 had the node and the zone among the `topology` labels. */
function modernEndpoint(endpoint: YamlMapping): YamlMapping {
  const { topology, ...rest } = endpoint;
  if (!isMapping(topology)) return endpoint;
  const nodeName = topology["kubernetes.io/hostname"];
  const zone = topology["topology.kubernetes.io/zone"];
  return { ...(nodeName !== undefined && { nodeName }), ...(zone !== undefined && { zone }), ...rest };
}

/** Before apps/v1 a missing selector was defaulted to the template's labels. */
function withSelector(spec: YamlMapping): YamlMapping {
  const metadata = isMapping(spec.template) ? spec.template.metadata : undefined;
  const labels = isMapping(metadata) ? metadata.labels : undefined;
  return spec.selector !== undefined || labels === undefined ? spec : { ...spec, selector: { matchLabels: labels } };
}

function mapList(object: YamlMapping, key: string, change: (item: YamlMapping) => YamlMapping): YamlMapping {
  const list = object[key];
  return Array.isArray(list) ? { [key]: list.map((item: Yaml) => (isMapping(item) ? change(item) : item)) } : {};
}

/** The same field under the names it had in v1beta1: where to look for it in an old object's text. */
export function oldSpellings(path: readonly PathPart[]): readonly (readonly PathPart[])[] {
  const at = path.lastIndexOf("service");
  const backend =
    at > 0 && path[at - 1] !== "spec" ? path.slice(0, at).map((part) => (part === "defaultBackend" ? "backend" : part)) : undefined;
  if (backend !== undefined) return [[...backend, path[at + 1] === "port" ? "servicePort" : "serviceName"]];
  return path.includes("defaultBackend") ? [path.map((part) => (part === "defaultBackend" ? "backend" : part))] : [];
}
