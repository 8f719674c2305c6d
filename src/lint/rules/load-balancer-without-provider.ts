/** KT306: type LoadBalancer, and nobody who gives it an address (cloud-controller-manager, MetalLB, kube-vip, servicelb). */
import type { Finding } from "../finding.ts";
import { outermostMakers } from "../pod-makers.ts";
import { decidedFaults } from "../refusal-findings.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf, type Subject } from "../subject.ts";

export const KT306: Rule = {
  code: "KT306",
  name: "load-balancer-without-provider",
  severity: "warning",
  needs: "graph",
  fix: "suggest",
  title: "type LoadBalancer, and no load balancer to give it an address",
  why: "EXTERNAL-IP stays <pending>: no route leads to the Service from outside, and only its node ports work.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  check: function* (subject) {
    const balancers = subject.of("Service").filter(({ spec }) => spec?.type === "LoadBalancer");
    if (balancers.length === 0) return;
    const hasProvider = outermostMakers(subject).some(({ spec }) =>
      (spec.containers ?? []).some(({ image = "" }) => PROVIDERS.test(image)),
    );
    for (const { object, field, diagnostic } of decidedFaults(subject.cluster().diagnostics, subject.objects, "KT306")) {
      if (Object.keys(object.metadata.annotations ?? {}).some((key) => OF_PROVIDER.test(key))) continue; // meant for one that is there
      if (hasProvider && object.kind === "Service" && object.spec?.loadBalancerIP === undefined) continue;
      const at = { source: object.source, field };
      const isType = field.at(-1) === "type";
      const finding: Finding = {
        message: knowsMachines(subject)
          ? `Service ${nameOf(refOf(object))}: ${diagnostic.message.replace(/^Service [^:]+: its /, "")}`
          : `Service ${nameOf(refOf(object))}: nothing in the input gives it an address; without a provider its EXTERNAL-IP stays <pending>`,
        at,
        help: isType ? HELP : "ask for an address of the pool, or leave loadBalancerIP out",
        about: [refOf(object)],
        ...(isType ? { label: "only its node ports can be reached", edits: [{ kind: "value", at, text: "NodePort" }] } : {}),
        ...(knowsMachines(subject) ? {} : { severity: "info" }),
      };
      yield finding;
    }
  },
};

const HELP = "list the balancer with its pool under spec.loadBalancers of the topology, install one (MetalLB), or write `type: NodePort`";
/** Images of controllers that give such Services their addresses; which ones, their own configuration says. */
const PROVIDERS = /metallb\/controller|kube-vip|cloud-controller-manager|klipper-lb|purelb|openelb|aws-load-balancer-controller/;

/** Annotations by which a Service speaks to its provider. */
const OF_PROVIDER = /load-?balancer|metallb|kube-vip|cloud\.google\.com|networking\.gke\.io/;

/** Where no topology says what there is, the cluster may well be a cloud's. */
const knowsMachines = ({ topology }: Subject): boolean => topology.source !== undefined;
