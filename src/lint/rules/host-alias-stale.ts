/** KT706: a line for /etc/hosts that leads a Service's name, or a site's, to an address that nobody has any more. */
import type { Cluster, ClusterService } from "../../cluster/cluster.ts";
import { cidrContains, type Ip, parseIp } from "../../net/address.ts";
import { meaningOf, nameGround } from "../called-hosts.ts";
import { makerRef, outermostMakers, podField, titleOf } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";
import { refOf, type Subject } from "../subject.ts";

export const KT706: Rule = {
  code: "KT706",
  name: "host-alias-stale",
  severity: "info",
  needs: "graph",
  fix: "suggest",
  title: "hostAliases lead a Service's name to an address that is not its own",
  why: "/etc/hosts is read before the DNS is asked, so the pod sends to the address that stands there, whoever has it.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: h, labels: {app: h}}
spec: {hostAliases: [{ip: 10.96.1.1, hostnames: [tomcat6]}], containers: [{name: c, image: x}]}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: h, labels: {app: h}}
spec: {hostAliases: [{ip: 10.96.246.235, hostnames: [tomcat6]}], containers: [{name: c, image: x}]}
`,
  },
  check: function* (subject) {
    const makers = outermostMakers(subject).filter(({ spec }) => (spec.hostAliases ?? []).length > 0);
    if (makers.length === 0) return;
    const ground = nameGround(subject);
    const cluster = subject.cluster();
    const taken = addressesOf(cluster);
    for (const maker of makers)
      for (const [i, { ip: text, hostnames = [] }] of (maker.spec.hostAliases ?? []).entries()) {
        const ip = parseIp(text);
        if (ip === undefined) continue;
        for (const name of hostnames) {
          const meaning = meaningOf(name.toLowerCase(), maker.namespace, ground);
          const service = meaning.kind === "service" ? decided(cluster, refOf(meaning.service)) : undefined;
          const right = service && statedAddress(service, subject);
          const isDeadService = right !== undefined && !taken.has(ip);
          const isDeadSite = !service && isSite(subject, name) && isOfCluster(cluster, ip) && !taken.has(ip);
          if (!isDeadService && !isDeadSite) continue;
          const at = podField(maker, "spec", "hostAliases", i, "ip");
          yield {
            message: `${titleOf(maker)}: /etc/hosts leads ${name} to ${ip}, which nothing in the cluster has${right === undefined ? "" : `; Service ${service?.namespace}/${service?.name} has ${right}`}`,
            at,
            label: right === undefined ? "nobody's address" : `its address is ${right}`,
            help:
              right === undefined
                ? `remove the line, so that the DNS is asked for ${name}`
                : `write ${right}, or remove the line: the DNS knows ${name}`,
            about: [makerRef(maker), ...(meaning.kind === "service" ? [refOf(meaning.service)] : [])],
            ...(right === undefined ? {} : { edits: [{ kind: "value" as const, at, text: JSON.stringify(right) }] }),
          };
          break; // one line, one finding
        }
      }
  },
};

const decided = ({ services }: Cluster, { namespace, name }: { readonly namespace?: string; readonly name: string }) =>
  services.find((each) => each.namespace === namespace && each.name === name);

/** Only where the input says the address: one that ktrace gave out is nobody's mistake. */
function statedAddress({ clusterIPs, object, namespace, name }: ClusterService, { topology }: Subject): Ip | undefined {
  const isStated = object?.spec?.clusterIP !== undefined || (topology.services ?? []).some((each) => each.name === `${namespace}/${name}`);
  const [ip] = clusterIPs;
  return isStated && ip !== "None" ? ip : undefined;
}

/** Every address that something in the model has. */
const addressesOf = ({ services, pods, nodes, hosts }: Cluster): ReadonlySet<Ip> =>
  new Set([
    ...services.flatMap(({ clusterIPs, externalIPs, loadBalancerIngress }) => [
      ...clusterIPs,
      ...externalIPs,
      ...loadBalancerIngress.flatMap(({ ip }) => ip ?? []),
    ]),
    ...pods.flatMap(({ ips }) => ips),
    ...[...nodes, ...hosts].flatMap(({ interfaces }) => interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip))),
  ]);

const isSite = (subject: Subject, name: string): boolean =>
  subject.of("Ingress").some(({ spec }) => (spec?.rules ?? []).some(({ host }) => host?.toLowerCase() === name.toLowerCase()));

/** An outside address may well be right, whoever has it. */
const isOfCluster = ({ podCIDRs, serviceCIDRs }: Cluster, ip: Ip): boolean =>
  [...podCIDRs, ...serviceCIDRs].some((range) => cidrContains(range, ip));
