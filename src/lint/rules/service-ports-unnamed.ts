/** KT109: the ports of a Service that cannot be told apart (ValidateService: names, and pairs of protocol and port). */
import type { Service } from "../../objects/api.ts";
import type { PathPart } from "../../objects/source.ts";
import type { Edit, Related } from "../finding.ts";
import { markOf } from "../refusal-findings.ts";
import type { Refusal } from "../refusals.ts";
import type { Rule } from "../rule.ts";
import { protocolOf } from "../service-targets.ts";
import { objectName, refOf } from "../subject.ts";

export const KT109: Rule = {
  code: "KT109",
  name: "service-ports-unnamed",
  severity: "error",
  needs: "object",
  fix: "safe",
  title: "several ports of a Service without names, or twice the same",
  why: "Endpoints belong to a port by its name, so the API server refuses a Service with several ports of which one has no name, or two the same, or two the same number.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}, {port: 443, targetPort: 8443}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}]}
`,
  },
  check: function* (subject) {
    for (const refusal of subject.refusals()) {
      const { object, violation } = refusal;
      const index = violation.path[2];
      if (violation.code !== "KT109" || object.kind !== "Service" || typeof index !== "number") continue;
      yield {
        message: `${objectName(object)}: ${sentence(object, index, violation)}`,
        at: violation.kind === "Required" ? { source: object.source, field: ["spec", "ports", index, "port"] } : markOf(refusal),
        label: "the API server refuses the Service",
        help:
          violation.kind === "Required"
            ? `add \`name: ${freeName(object, index)}\`, or a name that says what it is for`
            : "change one of the two, or remove it",
        about: [refOf(object)],
        related: violation.kind === "Duplicate" ? twin(object, index, violation.path) : [],
        edits: edits(object, index, refusal),
      };
    }
  },
};

function sentence({ spec }: Service, index: number, { kind, path }: Refusal["violation"]): string {
  const ports = spec?.ports ?? [];
  const { port, name, protocol = "TCP" } = ports[index] ?? { port: 0 };
  if (kind === "Required") return `port ${port} has no name, and there are ${ports.length} ports`;
  return path.at(-1) === "name" ? `two ports are named ${name}` : `port ${port}/${protocol} stands twice`;
}

/** The earlier port that has the same. */
function twin(service: Service, index: number, path: readonly PathPart[]): Related[] {
  const ports = service.spec?.ports ?? [];
  const own = ports[index];
  const isName = path.at(-1) === "name";
  const first = ports.findIndex((each) =>
    isName ? each.name === own?.name : each.port === own?.port && protocolOf(each) === protocolOf(own ?? {}),
  );
  const field = ["spec", "ports", first, isName ? "name" : "port"];
  return first < 0 || first === index ? [] : [{ at: { source: service.source, field }, label: "the same here" }];
}

/** Only a missing name can be told without knowing what was meant. */
const edits = (service: Service, index: number, { violation }: Refusal): Edit[] =>
  violation.kind === "Required"
    ? [{ kind: "insert", at: { source: service.source, field: ["spec", "ports", index] }, text: `name: ${freeName(service, index)}` }]
    : [];

const USUAL: ReadonlyMap<number, string> = new Map([
  [53, "dns"],
  [80, "http"],
  [443, "https"],
]);

/** `http`, `tcp-8080`; never one that another port has, or gets. */
function freeName({ spec }: Service, index: number): string {
  const ports = spec?.ports ?? [];
  const plain = (i: number): string => {
    const each = ports[i];
    if (each === undefined) return "";
    return each.name || (protocolOf(each) === "TCP" ? USUAL.get(each.port) : undefined) || `${protocolOf(each).toLowerCase()}-${each.port}`;
  };
  const name = plain(index);
  return ports.some((_, i) => i !== index && plain(i) === name) ? `${name.slice(0, 12)}-${index + 1}` : name;
}
