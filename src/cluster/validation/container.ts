/** One container: its name, ports and probes (pkg/apis/core/validation, validateContainerCommon, validateContainerPorts, validateProbe). */
import type { Container, ContainerPort, Probe } from "../../objects/api.ts";
import { duplicate, forbidden, invalid, notSupported, required, type Violation } from "../../objects/violation.ts";
import { ipViolations } from "./addresses.ts";
import { createSeen, each, faulty, misnamed, type Path, type ValidationContext } from "./context.ts";
import { labelFaults, portFaults, portNameFaults } from "./names.ts";
import { portNumberOrName } from "./service.ts";

/** How the container stands in its pod. */
export type ContainerRole = { readonly hostNetwork: boolean; readonly isInit: boolean; readonly isSidecar: boolean };

/** All that is wrong with it but for what it shares with its siblings. */
export function containerViolations(container: Container, at: Path, role: ContainerRole, context: ValidationContext): Violation[] {
  const { name, image = "", restartPolicy, env } = container;
  return [
    ...(name === "" ? [required([...at, "name"])] : misnamed([...at, "name"], name, labelFaults(name))),
    ...(image === "" ? [required([...at, "image"])] : faulty([...at, "image"], image, spaceFaults(image))),
    ...portsViolations(container.ports, [...at, "ports"], role, context),
    ...each(env, (variable, i) => faulty([...at, "env", i, "name"], variable.name, variableFaults(variable.name))),
    ...(role.isInit && restartPolicy !== undefined && restartPolicy !== "Always"
      ? [notSupported([...at, "restartPolicy"], restartPolicy, ["Always"])]
      : []),
    ...probesViolations(container, at, role),
  ];
}

const spaceFaults = (text: string): string[] => (text.trim() === text ? [] : ["must not have leading or trailing whitespace"]);

/** From 1.32 on any printable ASCII but `=` (RelaxedEnvironmentVariableValidation, KEP-4369); older releases take fewer. */
const variableFaults = (name: string): string[] =>
  /^[ -<>-~]+$/.test(name) ? [] : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];

function portsViolations(
  ports: readonly ContainerPort[] | undefined,
  at: Path,
  role: ContainerRole,
  context: ValidationContext,
): Violation[] {
  const hasName = createSeen();
  return each(ports, ({ name = "", containerPort, hostPort = 0, hostIP = "" }, i) => {
    const path = [...at, i];
    const nameFaults = name === "" ? [] : portNameFaults(name);
    return [
      ...faulty([...path, "name"], name, nameFaults, { code: "KT208", help: "write at most 15 small letters, digits and dashes" }),
      ...(name !== "" && nameFaults.length === 0 && hasName(name) ? [duplicate([...path, "name"], name, { code: "KT208" })] : []),
      ...faulty([...path, "containerPort"], containerPort, portFaults(containerPort)),
      ...(hostPort === 0 ? [] : faulty([...path, "hostPort"], hostPort, portFaults(hostPort))),
      ...(hostIP === "" ? [] : ipViolations([...path, "hostIP"], hostIP, context.version)),
      ...(role.hostNetwork && hostPort !== 0 && hostPort !== containerPort
        ? [
            invalid([...path, "containerPort"], containerPort, "must match `hostPort` when `hostNetwork` is true", {
              code: "KT205",
              help: "remove hostPort",
            }),
          ]
        : []),
    ];
  });
}

/** What two ports of one pod may not share: `TCP//80`, as the server prints it (checkHostPortConflicts). */
export function hostPortKey({ protocol = "TCP", hostIP = "", hostPort = 0, containerPort }: ContainerPort, hostNetwork: boolean) {
  const port = hostPort !== 0 ? hostPort : hostNetwork ? containerPort : 0; // SetDefaults_PodSpec
  return port === 0 ? undefined : `${protocol}/${hostIP}/${port}`;
}

const PROBES = ["livenessProbe", "readinessProbe", "startupProbe"] as const;

function probesViolations(container: Container, at: Path, { isInit, isSidecar }: ContainerRole): Violation[] {
  return PROBES.flatMap((name) => {
    const probe = container[name];
    if (probe === undefined) return [];
    if (isInit && !isSidecar) return [forbidden([...at, name], "may not be set for init containers without restartPolicy=Always")];
    return probeViolations(probe, [...at, name]);
  });
}

const HANDLERS = ["exec", "httpGet", "tcpSocket", "grpc"] as const;

function probeViolations(probe: Probe, at: Path): Violation[] {
  const set = HANDLERS.filter((handler) => probe[handler] !== undefined);
  const { httpGet, tcpSocket, grpc } = probe;
  return [
    ...(set.length === 0 ? [required(at, "must specify a handler type", { help: "add httpGet, tcpSocket, grpc or exec" })] : []),
    ...set.slice(1).map((handler) => forbidden([...at, handler], "may not specify more than 1 handler type")),
    ...(httpGet ? portNumberOrName([...at, "httpGet", "port"], httpGet.port) : []),
    ...(tcpSocket ? portNumberOrName([...at, "tcpSocket", "port"], tcpSocket.port) : []),
    ...(grpc ? faulty([...at, "grpc", "port"], grpc.port, portFaults(grpc.port)) : []),
  ];
}
