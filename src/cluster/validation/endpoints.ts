/** Endpoints (pkg/apis/core/validation, ValidateEndpoints) and EndpointSlices (pkg/apis/discovery/validation), by themselves. */
import type { EndpointAddress, EndpointSlice, Endpoints } from "../../objects/api.ts";
import { duplicate, required, tooMany, type Violation } from "../../objects/violation.ts";
import { ipViolations, specialIpViolations } from "./addresses.ts";
import { createSeen, each, faulty, type Path, type ValidationContext } from "./context.ts";
import { familyFaults } from "./families.ts";
import { labelFaults, portFaults, subdomainFaults } from "./names.ts";

const UNROUTABLE = "KT122";

/** Each subset has addresses, each address is one that a packet can be sent to, each of several ports a name. */
export function endpointsViolations({ subsets }: Endpoints, context: ValidationContext): Violation[] {
  return each(subsets, (subset, i) => {
    const at = ["subsets", i];
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
    return [
      ...(addresses.length + notReadyAddresses.length > 0 ? [] : [required(at, "must specify `addresses` or `notReadyAddresses`")]),
      ...each(addresses, (address, j) => addressViolations(address, [...at, "addresses", j], context)),
      ...each(notReadyAddresses, (address, j) => addressViolations(address, [...at, "notReadyAddresses", j], context)),
      ...each(ports, ({ name = "", port }, j) => {
        const path = [...at, "ports", j];
        const help = { help: "give each port a name when there are several, the same as in the Service" };
        return [
          ...(name !== ""
            ? faulty([...path, "name"], name, labelFaults(name))
            : ports.length > 1
              ? [required([...path, "name"], "", help)]
              : []),
          ...faulty([...path, "port"], port, portFaults(port)),
        ];
      }),
    ];
  });
}

function addressViolations({ ip, hostname, nodeName }: EndpointAddress, at: Path, { version }: ValidationContext): Violation[] {
  return [
    ...ipViolations([...at, "ip"], ip, version),
    ...unroutable(specialIpViolations([...at, "ip"], ip)),
    ...(hostname ? faulty([...at, "hostname"], hostname, labelFaults(hostname)) : []),
    ...(nodeName === undefined ? [] : faulty([...at, "nodeName"], nodeName, subdomainFaults(nodeName))),
  ];
}

const unroutable = (violations: readonly Violation[]): Violation[] =>
  violations.map((violation) => ({ ...violation, code: UNROUTABLE, help: "write an address that the nodes can reach" }));

const [MOST_ENDPOINTS, MOST_ADDRESSES, MOST_PORTS] = [1000, 100, 100];

/** Addresses of the slice's family, port names that differ, and no more of each than a slice holds. */
export function endpointSliceViolations(
  { addressType, endpoints = [], ports = [] }: EndpointSlice,
  context: ValidationContext,
): Violation[] {
  const hasName = createSeen();
  const tooManyPorts = ports.length > MOST_PORTS ? [tooMany(["ports"], ports.length, MOST_PORTS)] : [];
  if (endpoints.length > MOST_ENDPOINTS) return [tooMany(["endpoints"], endpoints.length, MOST_ENDPOINTS), ...tooManyPorts];
  return [
    ...each(endpoints, ({ addresses, hostname, nodeName }, i) => {
      const at = ["endpoints", i];
      return [
        ...countViolations([...at, "addresses"], addresses.length),
        ...each(addresses, (text, j) => sliceAddressViolations(text, addressType, [...at, "addresses", j], context)),
        ...(hostname ? faulty([...at, "hostname"], hostname, labelFaults(hostname)) : []),
        ...(nodeName === undefined ? [] : faulty([...at, "nodeName"], nodeName, subdomainFaults(nodeName))),
      ];
    }),
    ...tooManyPorts,
    ...each(ports, ({ name = "" }, i) => [
      ...(name === "" ? [] : faulty(["ports", i, "name"], name, labelFaults(name))),
      ...(hasName(name) ? [duplicate(["ports", i, "name"], name, { help: "give each port a name of its own" })] : []),
    ]),
  ];
}

function countViolations(path: Path, count: number): Violation[] {
  if (count === 0) return [required(path, "must contain at least 1 address")];
  return count > MOST_ADDRESSES ? [tooMany(path, count, MOST_ADDRESSES)] : [];
}

function sliceAddressViolations(text: string, type: EndpointSlice["addressType"], path: Path, { version }: ValidationContext): Violation[] {
  if (type === "FQDN") return faulty(path, text, subdomainFaults(text.replace(/\.$/, "")));
  const wrong = ipViolations(path, text, version);
  if (wrong.length > 0) return wrong;
  return [
    ...faulty(path, text, familyFaults(text, type), { help: `write it in a slice of the other addressType; this one's is ${type}` }),
    ...unroutable(specialIpViolations(path, text)),
  ];
}
