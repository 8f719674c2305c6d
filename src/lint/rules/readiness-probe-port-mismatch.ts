/**
 * KT207: a probe that knocks at a port where the pod has none (kubelet prober, pkg/probe). A name that is no port is certain. A
 * number proves little, for containerPort is documentation: only one that is a slip of the single declared port is named.
 */
import type { Container, Probe } from "../../objects/api.ts";
import { distance, nearest } from "../../objects/near.ts";
import type { PathPart } from "../../objects/source.ts";
import type { Finding } from "../finding.ts";
import { listed } from "../pod-groups.ts";
import { declaredPorts, makerRef, outermostMakers, type PodMaker, podField, runningContainers, titleOf } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";

export const KT207: Rule = {
  code: "KT207",
  name: "readiness-probe-port-mismatch",
  severity: "error",
  needs: "graph",
  fix: "suggest",
  title: "a readiness or startup probe asks a port that the container does not have",
  why: "The kubelet's SYN is refused, so the pod never gets Ready: its address stays among the endpoints that are not, and the Service refuses its clients.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: api, labels: {app: api}}
spec: {containers: [{name: c, image: x, ports: [{name: http, containerPort: 8080}], readinessProbe: {tcpSocket: {port: 8000}}}]}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: api, labels: {app: api}}
spec: {containers: [{name: c, image: x, ports: [{name: http, containerPort: 8080}], readinessProbe: {tcpSocket: {port: http}}}]}
`,
  },
  check: function* (subject) {
    for (const maker of outermostMakers(subject))
      for (const { container, field } of runningContainers(maker))
        for (const name of ["readinessProbe", "startupProbe"] as const) {
          const aim = aimOf(container[name], [...field, name]);
          const finding = aim && (typeof aim.port === "string" ? badName(maker, container, aim) : badNumber(maker, container, aim));
          if (finding) yield finding;
        }
  },
};

type Aim = { readonly port: number | string; readonly field: readonly PathPart[] };

function aimOf(probe: Probe | undefined, field: readonly PathPart[]): Aim | undefined {
  if (probe?.httpGet) return { port: probe.httpGet.port, field: [...field, "httpGet", "port"] };
  if (probe?.tcpSocket) return { port: probe.tcpSocket.port, field: [...field, "tcpSocket", "port"] };
  return probe?.grpc ? { port: probe.grpc.port, field: [...field, "grpc", "port"] } : undefined;
}

/** A probe's port name is looked up in its own container only (pkg/kubelet/prober, extractPort). */
function badName(maker: PodMaker, container: Container, { port, field }: Aim): Finding | undefined {
  const ports = container.ports ?? [];
  if (/^\d+$/.test(String(port)) || ports.some(({ name }) => name === port)) return undefined;
  const names = ports.flatMap(({ name }) => name ?? []);
  const [meant] = nearest(String(port), names, (each) => each);
  const right = meant ?? (ports.length === 1 ? (names[0] ?? ports[0]?.containerPort) : undefined);
  const at = podField(maker, ...field);
  return {
    message: `${titleOf(maker)}: its probe asks the port called ${port}, which container ${container.name} does not have`,
    at,
    label: ports.length === 0 ? "the container declares no port" : `it has ${listed(ports.map(portText))}`,
    ...(right === undefined ? {} : { help: `write \`port: ${right}\``, edits: [{ kind: "value", at, text: String(right) }] }),
    about: [makerRef(maker)],
  };
}

const portText = ({ name, containerPort }: { readonly name?: string; readonly containerPort: number }): string =>
  name === undefined ? String(containerPort) : `${name} (${containerPort})`;

/** One digit away from the only port there is, and no neighbour of it: 8081 beside 8080 is mostly a port for health of its own. */
function badNumber(maker: PodMaker, container: Container, { port, field }: Aim): Finding | undefined {
  const [only, second] = container.ports ?? [];
  if (typeof port !== "number" || !only || second || declaredPorts(maker).some((each) => each.port.containerPort === port))
    return undefined;
  const isSlip = distance(String(port), String(only.containerPort)) === 1 && Math.abs(port - only.containerPort) > 1;
  if (!isSlip) return undefined;
  const at = podField(maker, ...field);
  const text = only.name ?? String(only.containerPort);
  return {
    message: `${titleOf(maker)}: its probe asks port ${port}, and container ${container.name} declares ${portText(only)} only`,
    at,
    label: `${only.containerPort} was probably meant`,
    help: `write \`port: ${text}\`, or declare ${port} as well`,
    about: [makerRef(maker)],
    severity: "warning",
    edits: [{ kind: "value", at, text }],
  };
}
