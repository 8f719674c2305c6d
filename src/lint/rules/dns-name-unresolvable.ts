/** KT702: a host in a pod's settings that its resolver does not find, next to a Service that was probably meant. */
import type { ClusterPod } from "../../cluster/cluster.ts";
import { webQuestion } from "../../trace/questions.ts";
import type { Path } from "../../trace/trace.ts";
import { ask, podSource } from "../ask.ts";
import { type CalledHost, calledHosts, meaningOf, nameGround, withHost } from "../called-hosts.ts";
import { makerRef, titleOf } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf, type Subject } from "../subject.ts";

export const KT702: Rule = {
  code: "KT702",
  name: "dns-name-unresolvable",
  severity: "warning",
  needs: "data-plane",
  fix: "suggest",
  title: "a pod is told to call a name that it cannot resolve",
  why: "The name ends in NXDOMAIN before there is any packet. A short name looks into the pod's own namespace only.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: cli, namespace: kube-system, labels: {app: cli}}
spec: {containers: [{name: c, image: x, env: [{name: BACKEND_URL, value: "http://tomcat6/"}]}]}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: cli, namespace: kube-system, labels: {app: cli}}
spec: {containers: [{name: c, image: x, env: [{name: BACKEND_URL, value: "http://tomcat6.default/"}]}]}
`,
  },
  check: function* (subject) {
    const ground = nameGround(subject);
    for (const called of calledHosts(subject)) {
      const { maker, host, at } = called;
      const meaning = meaningOf(host, maker.namespace, ground);
      if (meaning.kind !== "mistaken") continue;
      const answer = request(subject, called);
      if (!answer?.trace.paths.every(isUnresolved)) continue;
      yield {
        message: `${titleOf(maker)} calls ${host}, which its resolver does not find: ${meaning.why}`,
        at,
        label: `did you mean ${meaning.right}?`,
        related: [
          { at: { source: meaning.service.source, field: ["metadata", "name"] }, label: `Service ${nameOf(refOf(meaning.service))}` },
        ],
        help: `write ${meaning.right}`,
        about: [makerRef(maker), refOf(meaning.service)],
        packet: answer.packet,
        edits: [withHost(called, meaning.right)],
      };
    }
  },
};

/** The same host, asked by a pod of this maker. */
function request(subject: Subject, { maker, host, port, scheme }: CalledHost) {
  const { name, kind } = makerRef(maker);
  const isIts = ({ namespace, workload, ...pod }: ClusterPod): boolean =>
    namespace === maker.namespace && (kind === "Pod" ? pod.name === name : workload?.kind === kind && workload.name === name);
  const pod = subject.cluster().pods.find((each) => isIts(each) && each.phase === "Running" && each.ips.length > 0);
  const isSecure = scheme === "https";
  const url = { scheme: isSecure ? "https" : "http", host, port: port ?? (isSecure ? 443 : 80), path: "/" } as const;
  return pod && ask(subject, webQuestion({ from: podSource(pod), ...url }));
}

/** No name server of the cluster knows it: NXDOMAIN, or left to one outside, which knows nothing of Services. */
const isUnresolved = ({ verdict, reason, legs }: Path): boolean =>
  verdict === "unresolved" || (verdict === "unknown" && reason === "not-modelled" && legs.every(({ kind }) => kind === "dns"));
