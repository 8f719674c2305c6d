/** `cat` of the files that decide name lookup, and `env`: what the kubelet writes into a pod, or the machine has itself. */
import { containerEnv, isOrderAssumed } from "../../agents/kubelet/env.ts";
import { formatHostsFile, hostnameOf, hostsFileOf, hostsFileOfMachine } from "../../agents/kubelet/hosts-file.ts";
import { formatResolvConf, resolvConfOf, resolvConfOfMachine } from "../../agents/kubelet/resolv-conf.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import { escapeText } from "../../render/escape.ts";
import { fails, type Program, shows, type Where } from "./program.ts";

const FILES: ReadonlyMap<string, (where: Where) => string> = new Map([
  ["/etc/resolv.conf", resolvConf],
  ["/etc/hosts", hosts],
  ["/etc/hostname", (where: Where) => `${where.netns.hostname}\n`],
]);

export const runCat: Program = (args, where) => {
  const [path, ...more] = args;
  if (path === undefined || more.length > 0) throw new UsageError("cat takes one file", `known: ${[...FILES.keys()].join(", ")}`);
  const file = FILES.get(path);
  return file === undefined ? fails(`cat: ${escapeText(path)}: not modelled; known: ${[...FILES.keys()].join(", ")}`) : shows(file(where));
};

const ORDER_ASSUMED = "assumed: the Services were there before the container started; creationTimestamp and startTime of a dump tell\n";

export const runEnv: Program = (args, { pod, container, session }) => {
  if (args.length > 0) throw new UsageError("env takes no words here");
  if (pod === undefined) throw new UsageError("env: the environment of a node or host is not modelled; a pod's is");
  const chosen = pod.containers.find((one) => container === undefined || one.name === container);
  const own = (chosen?.env ?? []).map(({ name, value }) => (value === undefined ? { name } : { name, value }));
  const variables = containerEnv(session.cluster, pod, hostnameOf(pod), own, chosen?.name);
  const shown = shows(variables.map(({ name, value }) => `${escapeText(name)}=${escapeText(value)}\n`).join(""));
  return isOrderAssumed(session.cluster, pod, chosen?.name) ? { ...shown, stderr: ORDER_ASSUMED } : shown;
};

function resolvConf({ session, pod, party }: Where): string {
  if (pod !== undefined) return formatResolvConf(resolvConfOf(session.cluster, pod));
  return formatResolvConf(resolvConfOfMachine(machineOf(session.cluster, party)));
}

function hosts({ session, pod, party }: Where): string {
  return formatHostsFile(pod === undefined ? hostsFileOfMachine(machineOf(session.cluster, party)) : hostsFileOf(session.cluster, pod));
}

function machineOf(cluster: Where["session"]["cluster"], party: Where["party"]) {
  const machine = [...cluster.nodes, ...cluster.hosts].find((one) => one.kind === party.kind && one.name === party.name);
  if (machine === undefined) throw new UsageError(`${party.name} is no machine of the topology`);
  return machine;
}
