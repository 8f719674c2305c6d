/** `ktrace init`: a commented project file and topology to start from. Never overwrites. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../objects/diagnostic.ts";
import type { CommandSpec } from "../command.ts";

const PROJECT = `# ktrace's project file: found from this directory and every one below it.
manifests:            # files, directories (recursive: .yaml .yml .json) or globs, relative to this file
  - "*.yaml"
topology: topology.yaml
`;

const TOPOLOGY = `# What manifests cannot say: the machines. Every key may be left out; three node names are enough.
apiVersion: ktrace.dev/v1alpha1
kind: Topology
metadata: {name: lab}
spec:
  kubernetes:
    version: "1.36"
    podCIDRs: [10.244.0.0/16]
    serviceCIDRs: [10.96.0.0/12]
    # nodePortRange: 30000-32767
  kubeProxy: {mode: iptables}
  cni: {plugin: flannel, backend: vxlan}
  nodes:
    - name: node1
      interfaces: [{name: eth0, addresses: [192.168.56.101/24]}]
      labels: {node-role.kubernetes.io/control-plane: ""}
      taints: [{key: node-role.kubernetes.io/control-plane, effect: NoSchedule}]
    - name: node2
      # aliases: [n2]
      interfaces: [{name: eth0, addresses: [192.168.56.102/24]}]
      # routes: [{to: default, via: 192.168.56.254}]    # default: an assumed one out of the first interface
    - name: node3
      interfaces: [{name: eth0, addresses: [192.168.56.103/24]}]
  hosts:               # machines outside the cluster; the first one asks when nothing else is said
    - name: client
      interfaces: [{name: eth0, addresses: [192.168.56.1/24]}]
      # hostsFile: {www.example.com: 192.168.56.102}
`;

export const initCommand: CommandSpec = {
  name: "init",
  usage: "",
  summary: "write a commented ktrace.yaml and topology.yaml to start from",
  run: async ({ words, io }) => {
    if (words.length > 0) throw new UsageError(`init takes no words, not ${JSON.stringify(words[0])}`);
    const files = [
      { name: "ktrace.yaml", text: PROJECT },
      { name: "topology.yaml", text: TOPOLOGY },
    ];
    const present = files.find(({ name }) => existsSync(join(io.cwd, name)));
    if (present !== undefined)
      throw new UsageError(`${present.name} is already here and stays as it is`, "remove it first, or run init in another directory");
    for (const { name, text } of files) {
      writeFileSync(join(io.cwd, name), text, { flag: "wx" });
      io.stdout.write(`wrote ${name}\n`);
    }
    io.stdout.write("next: put your manifests here and ask, for example: ktrace get pods -o wide\n");
    return 0;
  },
};
