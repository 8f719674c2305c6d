/** Tables of the small kinds: namespaces, config maps, events (printNamespace, printConfigMap, printEvent). */
import { type Fields, fieldAt, isFields, textAt } from "../../../objects/record.ts";
import { age, name, type Resource, textColumn, UNKNOWN } from "../resource.ts";

export const namespaces: Resource = {
  kind: "Namespace",
  plural: "namespaces",
  singular: "namespace",
  short: ["ns"],
  group: "",
  namespaced: false,
  columns: [name, textColumn("STATUS", ["status", "phase"]), age],
};

export const configMaps: Resource = {
  kind: "ConfigMap",
  plural: "configmaps",
  singular: "configmap",
  short: ["cm"],
  group: "",
  namespaced: true,
  columns: [name, { header: "DATA", cell: (object) => String(keysAt(object, "data") + keysAt(object, "binaryData")) }, age],
};
const keysAt = (object: Fields, key: string): number => {
  const data = fieldAt(object, key);
  return isFields(data) ? Object.keys(data).length : 0;
};

export const events: Resource = {
  kind: "Event",
  plural: "events",
  singular: "event",
  short: ["ev"],
  group: "",
  namespaced: true,
  columns: [
    { header: "LAST SEEN", cell: () => UNKNOWN },
    textColumn("TYPE", ["type"], ""),
    textColumn("REASON", ["reason"], ""),
    {
      header: "OBJECT",
      cell: (event) => `${textAt(event, "involvedObject", "kind").toLowerCase()}/${textAt(event, "involvedObject", "name")}`,
    },
    { header: "SUBOBJECT", wide: true, cell: (event) => textAt(event, "involvedObject", "fieldPath") },
    { header: "SOURCE", wide: true, cell: (event) => textAt(event, "source", "component") },
    { header: "MESSAGE", cell: (event) => textAt(event, "message").trim() },
    { header: "FIRST SEEN", wide: true, cell: () => UNKNOWN },
    { header: "COUNT", wide: true, cell: () => "1" },
    { ...name, wide: true },
  ],
};
