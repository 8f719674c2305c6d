/** KT310: node ports asked for at 127.0.0.1, which one mode of kube-proxy serves and the others do not (route_localnet). */
import type { Cluster, ClusterServicePort } from "../../cluster/cluster.ts";
import { isLoopback, parseIp } from "../../net/address.ts";
import type { ObjectRef } from "../../objects/api.ts";
import { ask, podSource, question } from "../ask.ts";
import { expectations, urlIn } from "../expectations.ts";
import type { Mark } from "../finding.ts";
import { groupPods, originField } from "../pod-groups.ts";
import { outermostMakers } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOfWritten, type Subject } from "../subject.ts";

export const KT310: Rule = {
  code: "KT310",
  name: "node-port-on-loopback",
  severity: "info",
  needs: "data-plane",
  fix: "no",
  title: "a node port is asked for at the node's own loopback address",
  why: "Only kube-proxy's iptables mode answers there, over IPv4, and only while route_localnet is on. In nftables and ipvs mode nothing listens on 127.0.0.1:nodePort: the client gets a RST.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31160}]}
---
kind: ConfigMap
apiVersion: v1
metadata: {name: probe, annotations: {ktrace.dev/expect: "exec node/k8s-node2 -- curl http://127.0.0.1:31160/ => 200"}}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31160}]}
---
kind: ConfigMap
apiVersion: v1
metadata: {name: probe, annotations: {ktrace.dev/expect: "exec node/k8s-node2 -- curl http://10.0.2.5:31160/ => 200"}}
`,
  },
  check: function* (subject) {
    const calls = [...ofExpectations(subject), ...ofPods(subject)];
    if (calls.length === 0) return;
    const cluster = subject.cluster();
    for (const { from, host, port, at, about } of calls) {
      const asked = nodePortOf(cluster, port);
      if (!asked) continue;
      const ip = host === "localhost" ? "127.0.0.1" : host;
      const answer = ask(subject, question(from, ip, port));
      const mode = cluster.kubeProxy.mode;
      yield {
        message: `${about.kind} ${nameOf(about)} calls ${host}:${port}, a node port of Service ${asked.service}, at the node's own loopback`,
        at,
        label: answer ? `${mode} mode: ${answer.packet.verdict} here` : `kube-proxy runs in ${mode} mode`,
        help: "call the node's address, or the Service by its name",
        about: [about],
        ...(answer ? { packet: answer.packet } : {}),
        ...(answer && answer.packet.verdict !== "delivered" ? { severity: "warning" as const } : {}),
      };
    }
  },
};

type LocalCall = { readonly from: string; readonly host: string; readonly port: number; readonly at: Mark; readonly about: ObjectRef };

const isLocal = (host: string): boolean => host === "localhost" || (parseIp(host) !== undefined && isLoopback(host));

function ofExpectations(subject: Subject): LocalCall[] {
  const bySource = new Map(subject.written.map((written) => [written.source, written]));
  return expectations(subject).flatMap(({ from, url, at }) => {
    const written = bySource.get(at.source);
    const isOnNode = from?.startsWith("node/") === true;
    return written && isOnNode && from !== undefined && isLocal(url.host)
      ? [{ from, host: url.host, port: url.port, at, about: refOfWritten(written) }]
      : [];
  });
}

/** URLs in the environment and the arguments of pods that share their node's network. */
function ofPods(subject: Subject): LocalCall[] {
  if (!outermostMakers(subject).some(({ spec }) => spec.hostNetwork)) return [];
  const groups = groupPods(subject.cluster().pods.filter(({ hostNetwork, node }) => hostNetwork && node !== undefined));
  return groups.flatMap(({ ref, pods: [pod] }) =>
    pod.containers.flatMap((container, c) => {
      const texts = [
        ...(container.args ?? []).map((text, i) => ({ text, field: ["args", i] })),
        ...(container.env ?? []).map(({ value = "" }, i) => ({ text: value, field: ["env", i, "value"] })),
      ];
      return texts.flatMap(({ text, field }): LocalCall[] => {
        const url = urlIn(text);
        if (!url || !isLocal(url.host)) return [];
        return [
          { from: podSource(pod), host: url.host, port: url.port, at: originField(pod, "spec", "containers", c, ...field), about: ref },
        ];
      });
    }),
  );
}

function nodePortOf({ services }: Cluster, port: number): { readonly service: string; readonly port: ClusterServicePort } | undefined {
  for (const service of services) {
    const found = service.ports.find(({ nodePort, protocol }) => nodePort === port && protocol === "TCP");
    if (found) return { service: nameOf({ kind: "Service", ...service }), port: found };
  }
  return undefined;
}
