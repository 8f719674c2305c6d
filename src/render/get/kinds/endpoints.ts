/** `kubectl get endpoints` and `get endpointslices` (printEndpoints, printEndpointSlice). */
import { type Fields, fieldAt, listAt, textAt, textsAt } from "../../../objects/record.ts";
import { age, firstThree, NONE, name, type Resource, textColumn } from "../resource.ts";

export const endpoints: Resource = {
  kind: "Endpoints",
  plural: "endpoints",
  singular: "endpoints",
  short: ["ep"],
  group: "",
  namespaced: true,
  columns: [name, { header: "ENDPOINTS", cell: (object) => firstThree(listAt(object, "subsets").flatMap(socketsOf), NONE) }, age],
};

/** Ready addresses with each port in turn; a headless Service may have no port. */
function socketsOf(subset: unknown): string[] {
  const addresses = listAt(subset, "addresses").map((each) => textAt(each, "ip"));
  const ports = listAt(subset, "ports").map((each) => fieldAt(each, "port"));
  if (ports.length === 0) return addresses;
  return ports.flatMap((port) => addresses.map((ip) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`)));
}

export const endpointSlices: Resource = {
  kind: "EndpointSlice",
  plural: "endpointslices",
  singular: "endpointslice",
  short: [],
  group: "discovery.k8s.io",
  namespaced: true,
  columns: [
    name,
    textColumn("ADDRESSTYPE", ["addressType"], ""),
    { header: "PORTS", cell: (slice) => firstThree(listAt(slice, "ports").map(portText), "<unset>") },
    {
      header: "ENDPOINTS",
      cell: (slice: Fields) =>
        firstThree(
          listAt(slice, "endpoints").flatMap((each) => textsAt(each, "addresses")),
          "<unset>",
        ),
    },
    age,
  ],
};

const portText = (port: unknown): string => {
  const number = fieldAt(port, "port");
  return number === undefined ? "*" : String(number);
};
