/**
 * A plan as the shell script that makes it: what `ktrace lab export` prints and `lab up` feeds to sh. Few processes:
 * one `ip -batch` a namespace and step. The script stops at the first command that fails.
 */
import { labRequires } from "./error.ts";
import type { LabNamespace, LabPlan, LabStep } from "./plan.ts";
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

/**
 * A script that stands alone: `sh FILE` makes the network and starts what answers in it, `sh FILE down` removes all of it.
 * `agent`: the text of agent.mjs. Without node on the machine the network is made and nobody answers.
 */
export function renderExport(plan: LabPlan, agent: string, configOf: (namespace: LabNamespace) => string): string {
  const names = [plan.lan, ...plan.namespaces.map(({ name }) => name)];
  const script = renderScript(plan).slice(HEAD.length);
  const home = `/run/ktrace-export-${plan.lab}`;
  return `${HEAD}# Made by ktrace lab export. Needs Linux, root, iproute2, util-linux and iptables; node for the servers.
#   sh THIS         make the network        ip netns exec ${names[1] ?? plan.lan} COMMAND runs inside
#   sh THIS down    remove it
down() {
${names.map((name) => `  [ ! -e /run/netns/${name} ] || { ip netns pids ${name} | xargs -r kill -9; ip netns del ${name}; }\n  rm -rf /etc/netns/${name}\n`).join("")}  rmdir /etc/netns 2>/dev/null || :
  rm -rf ${home}
}
if [ "\${1:-up}" = down ]; then down; exit; fi
for netns in ${names.join(" ")}; do
  [ ! -e "/run/netns/$netns" ] || { echo "$netns is there already" >&2; exit 1; }
done
trap down EXIT
${script}${plan.namespaces.map(renderFiles).join("")}mkdir -m 700 ${home}
${fed(`cat > ${home}/agent.mjs`, agent.replace(/\n$/, "").split("\n"))}serve() {
  read -r config
  ready="${home}/$1"
  echo "$config" | setsid nsenter --net="/run/netns/$1" node ${home}/agent.mjs "$1" > "$ready" 2>&1 &
}
if command -v node >/dev/null; then
${plan.namespaces.map((namespace) => fed(`serve ${namespace.name}`, [configOf(namespace).trim()])).join("")}  for netns in ${plan.namespaces.map(({ name }) => name).join(" ")}; do
    until [ -s "${home}/$netns" ]; do sleep 0.05; done
  done
else
  echo "no node here: the network is there, but nothing answers in it" >&2
fi
trap - EXIT
`;
}

/** `ip netns exec` binds what is in /etc/netns/NAME over /etc. */
function renderFiles({ name, files }: LabNamespace): string {
  if (!files) return "";
  const write = (file: string, text: string): string => fed(`cat > /etc/netns/${name}/${file}`, text.replace(/\n$/, "").split("\n"));
  return `mkdir -p /etc/netns/${name}\n${write("hosts", files.hosts)}${write("resolv.conf", files.resolvConf)}`;
}

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
    case "nft":
      return fed(`inside ${step.netns} nft -f -`, step.text.replace(/\n$/, "").split("\n"));
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
