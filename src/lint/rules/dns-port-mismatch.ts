/** KT703: a URL with a Service's name, and a port that the Service does not have. */
import type { Service } from "../../objects/api.ts";
import { type CalledHost, calledHosts, meaningOf, nameGround } from "../called-hosts.ts";
import { listed } from "../pod-groups.ts";
import { makerRef, titleOf } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";
import { isHeadless, protocolOf, targetOf } from "../service-targets.ts";
import { objectName, refOf } from "../subject.ts";

const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ["http", 80],
  ["https", 443],
  ["ws", 80],
  ["wss", 443],
]);

export const KT703: Rule = {
  code: "KT703",
  name: "dns-port-mismatch",
  severity: "warning",
  needs: "graph",
  fix: "suggest",
  title: "a pod calls a Service at a port that it does not have",
  why: "kube-proxy has no rule for that port of the cluster address: in iptables mode the packet leaves by the default route and is lost, nftables and ipvs (from 1.26) reject it.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: cli, labels: {app: cli}}
spec: {containers: [{name: c, image: x, env: [{name: BACKEND_URL, value: "http://tomcat6:8080/"}]}]}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: cli, labels: {app: cli}}
spec: {containers: [{name: c, image: x, env: [{name: BACKEND_URL, value: "http://tomcat6:80/"}]}]}
`,
  },
  check: function* (subject) {
    const ground = nameGround(subject);
    for (const called of calledHosts(subject)) {
      const { maker, host, at } = called;
      const port = called.port ?? DEFAULT_PORTS.get(called.scheme ?? "");
      const meaning = meaningOf(host, maker.namespace, ground);
      if (port === undefined || meaning.kind !== "service" || isAliased(called) || takes(meaning.service, port)) continue;
      const { service } = meaning;
      const ports = service.spec?.ports ?? [];
      const meant = ports.find((each) => targetOf(each) === port) ?? (ports.length === 1 ? ports[0] : undefined);
      yield {
        message: `${titleOf(maker)} calls ${host} at port ${port}, and ${objectName(service)} has ${ports.length === 1 ? "port" : "ports"} ${listed(ports.map((each) => String(each.port)))} only`,
        at,
        label: meant && targetOf(meant) === port ? `${port} is the pods' port, the Service's is ${meant.port}` : "no such port",
        related: [{ at: { source: service.source, field: ["spec", "ports"] }, label: "the Service's ports" }],
        help: meant ? `call port ${meant.port}` : "call one of its ports, or add this one to the Service",
        about: [makerRef(maker), refOf(service)],
        ...(meant && called.port !== undefined ? { edits: [{ kind: "value" as const, at, text: withPort(called, meant.port) }] } : {}),
      };
    }
  },
};

/** Headless Services and ExternalNames lead to the port that is asked; one without ports is another rule's. */
const takes = (service: Service, port: number): boolean => {
  const { type, ports = [] } = service.spec ?? {};
  return (
    isHeadless(service) ||
    type === "ExternalName" ||
    ports.length === 0 ||
    ports.some((each) => each.port === port && protocolOf(each) !== "SCTP")
  );
};

/** /etc/hosts is asked first. */
const isAliased = ({ maker, host }: CalledHost): boolean =>
  (maker.spec.hostAliases ?? []).some(({ hostnames = [] }) => hostnames.includes(host));

function withPort({ text, start, host, port }: CalledHost, right: number): string {
  const end = text.indexOf(`:${port}`, start + host.length);
  return JSON.stringify(end < 0 ? text : `${text.slice(0, end)}:${right}${text.slice(end + 1 + String(port).length)}`);
}
