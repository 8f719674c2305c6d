/**
 * What Go's decoder fills in for a field that is not there: the zero value, which validation then refuses in its own words,
 * with everything else that is wrong with the object. Only where networking reads the field: a Service's port.
 */
import { isMapping, type YamlMapping } from "./yaml/construct.ts";

export function withZeroValues(object: YamlMapping): YamlMapping {
  const { kind, spec } = object;
  if (kind !== "Service" || !isMapping(spec) || !Array.isArray(spec.ports)) return object;
  const isBare = (port: unknown): boolean => isMapping(port) && port.port === undefined;
  if (!spec.ports.some(isBare)) return object;
  return { ...object, spec: { ...spec, ports: spec.ports.map((port) => (isMapping(port) && isBare(port) ? { ...port, port: 0 } : port)) } };
}
