/** A machine that forwards nothing: which one, the sysctl, and who would do it instead (net.ipv4.ip_forward, kubeadm preflight). */
import type { Machine } from "../../cluster/cluster.ts";
import { familyOf } from "../../net/address.ts";
import { askNodes } from "../ask.ts";
import { at, type Case, change, type Finding } from "../case.ts";
import { editHost, editNode } from "../edits.ts";
import { entranceOf, nodeOf, targetOf } from "../entrance.ts";

export function forwardingOff(failed: Case): Finding | undefined {
  const hop = failed.leg.hops.at(-1) ?? failed.leg.reply.hops.at(-1);
  const machine = machineOf(failed, hop?.netns);
  if (!hop || !machine) return undefined;
  const key = familyOf(hop.packetIn.dst) === 4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding";
  const place = failed.place(machine.origin?.source, [...(machine.origin?.field ?? []), "sysctls", key]);
  const on = <M extends { readonly sysctls?: { readonly [key: string]: string | number } }>(each: M): M => ({
    ...each,
    sysctls: { ...each.sysctls, [key]: 1 },
  });
  const target = targetOf(failed.leg);
  const asked = target && nodeOf(failed.cluster, target.ip);
  const others = failed.cluster.nodes.filter((node) => node !== asked && node.name !== machine.name);
  const isNodePort = target !== undefined && entranceOf(failed.cluster, target)?.how === "node-port";
  return {
    because: [
      {
        text: `${machine.name} has ${key} 0: what is not for itself it throws away, also what its own rules sent on to a pod`,
        ...at(place),
      },
    ],
    changes: [
      change(`${key}: 1 on ${machine.name}`, place, () =>
        machine.kind === "node" ? editNode(failed, machine.name, on) : editHost(failed, machine.name, on),
      ),
      ...(isNodePort ? askNodes(failed, others) : []),
    ],
  };
}

export const machineOf = ({ cluster }: Case, netns: string | undefined): Machine | undefined =>
  [...cluster.nodes, ...cluster.hosts].find((machine) => `${machine.kind}/${machine.name}` === netns);
