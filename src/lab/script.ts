/**
 * A plan as the shell script that makes it: what `ktrace lab export` prints and `lab up` feeds to sh. Few processes:
 * one `ip -batch` a namespace and step. The script stops at the first command that fails.
 */
import { labRequires } from "./error.ts";
import type { LabPlan, LabStep } from "./plan.ts";
import type { Sysctl } from "./sysctls.ts";

/** Ends every here-document. Quoted, so that the shell reads nothing in between. */
const END = "KTRACE_END";

/** The whole script, namespaces first. */
export const renderScript = (plan: LabPlan): string => `${HEAD}${plan.steps.map(renderStep).join("")}`;

// A namespace's own settings can be written only from inside it: /proc/sys/net shows the opener's.
const HEAD = `#!/bin/sh
set -eu
inside() { netns=$1; shift; nsenter --net="/run/netns/$netns" "$@"; }
`;

/** Removes the namespaces. Their interfaces, rules and connections go with them. */
export const renderDownScript = (plan: LabPlan): string =>
  `#!/bin/sh\n${[plan.lan, ...plan.namespaces.map(({ name }) => name)].map((name) => `ip netns pids ${name} 2>/dev/null | xargs -r kill -9\nip netns del ${name}\n`).join("")}`;

function renderStep(step: LabStep): string {
  switch (step.kind) {
    case "add-netns":
      return fed(
        "ip -batch -",
        step.names.map((name) => `netns add ${name}`),
      );
    case "sysctl":
      return fed(`inside ${step.netns} sh -eu`, sysctlLines(step.settings));
    case "ip":
    case "bridge":
      return step.lines.length === 0 ? "" : fed(`${step.kind} -n ${step.netns} -batch -`, step.lines);
    case "restore":
      return fed(
        `inside ${step.netns} ${step.family === 4 ? "iptables" : "ip6tables"}-${step.backend}-restore`,
        step.text.replace(/\n$/, "").split("\n"),
      );
    default:
      return step satisfies never;
  }
}

/** `o`: a setting that not every kernel has. */
const OPTIONAL = 'o() { [ ! -e "/proc/sys/$1" ] || echo "$2" > "/proc/sys/$1"; }';
const sysctlLine = ({ path, value, optional }: Sysctl): string =>
  optional ? `o '${path}' '${value}'` : `echo '${value}' > '/proc/sys/${path}'`;
const sysctlLines = (settings: readonly Sysctl[]): string[] => [
  ...(settings.some(({ optional }) => optional) ? [OPTIONAL] : []),
  ...settings.map(sysctlLine),
];

function fed(command: string, lines: readonly string[]): string {
  labRequires(!lines.includes(END), `a line of the lab's own script reads ${END}`);
  return `${command} <<'${END}'\n${lines.join("\n")}\n${END}\n`;
}
