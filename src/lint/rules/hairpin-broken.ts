/** KT606: a pod that calls its own Service and is dealt itself, on a bridge that never sends a frame back where it came from. */
import { ask, isDead, podSource, question } from "../ask.ts";
import { backendsOf } from "../backends.ts";
import { refOfPod } from "../pod-groups.ts";
import type { Rule } from "../rule.ts";
import { clusterIpOf, isClient, wireProtocol } from "../service-asks.ts";
import { nameOf, serviceRef } from "../subject.ts";
import { topologyMark, topologyRef } from "../topology-faults.ts";

export const KT606: Rule = {
  code: "KT606",
  name: "hairpin-broken",
  severity: "warning",
  needs: "data-plane",
  fix: "safe",
  title: "pods cannot reach themselves through their own Service",
  why: "The packet has to leave the bridge by the port that it came in by. Without hairpin mode the bridge drops it, so one of N calls to the own Service times out.",
  bad: { topology: "{cni: {plugin: bridge, hairpinMode: false}}" },
  good: { topology: "{cni: {plugin: bridge, hairpinMode: true}}" },
  check: function* (subject) {
    const { cni } = subject.topology;
    const at = topologyMark(subject, "cni", ...(cni?.hairpinMode === undefined ? ["plugin"] : ["hairpinMode"]));
    if (cni?.plugin === undefined || cni.hairpinMode === true || !at) return;
    const cluster = subject.cluster();
    const backends = backendsOf(cluster);
    for (const service of cluster.services) {
      const ip = clusterIpOf(service);
      const [port] = service.ports;
      const pod = port && backends.of(service, port).find((each) => each.pod && isClient(each.pod))?.pod;
      if (ip === undefined || !pod) continue;
      const answer = ask(subject, question(podSource(pod), ip, port.port, wireProtocol(port.protocol)));
      if (!answer) continue;
      if (!answer.trace.paths.some((path) => isDead(path) && path.reason === "hairpin-off")) return; // the bridge is the same for all
      yield {
        message: `the bridges of plugin ${cni.plugin} send no frame back where it came from: Pod ${pod.namespace}/${pod.name} is an endpoint of Service ${nameOf(serviceRef(service))}, and its calls to it that are dealt to itself are lost`,
        at,
        label: cni.hairpinMode === undefined ? "hairpinMode is off unless it is set" : "off for every pod",
        help: "write `hairpinMode: true`",
        about: [topologyRef(subject), serviceRef(service), refOfPod(pod)],
        packet: answer.packet,
        edits:
          cni.hairpinMode === undefined
            ? [{ kind: "insert", at: { ...at, field: at.field.slice(0, -1) }, text: "hairpinMode: true" }]
            : [{ kind: "value", at, text: "true" }],
      };
      return;
    }
  },
};
