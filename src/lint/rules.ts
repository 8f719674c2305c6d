/** Every rule, in the order of its code. A new one is a file in rules/ and a line here. */
import type { PlannedRule, Rule } from "./rule.ts";
import { KT009 } from "./rules/ambiguous-ip-literal.ts";
import { KT005 } from "./rules/api-version-deprecated.ts";
import { KT004 } from "./rules/api-version-removed.ts";
import { KT903 } from "./rules/assumption-made.ts";
import { KT601 } from "./rules/cidr-overlap.ts";
import { KT705 } from "./rules/dns-config-limits.ts";
import { KT702 } from "./rules/dns-name-unresolvable.ts";
import { KT703 } from "./rules/dns-port-mismatch.ts";
import { KT701 } from "./rules/dns-service-mismatch.ts";
import { KT116 } from "./rules/dual-stack-family-mismatch.ts";
import { KT007 } from "./rules/duplicate-object.ts";
import { KT208 } from "./rules/duplicate-port-name.ts";
import { KT122 } from "./rules/endpoint-address-unroutable.ts";
import { KT204 } from "./rules/endpoints-only-on-tainted-nodes.ts";
import { KT123 } from "./rules/endpoints-stale.ts";
import { KT901 } from "./rules/expectation-failed.ts";
import { KT308 } from "./rules/external-ip-hijacks-traffic.ts";
import { KT307 } from "./rules/external-ip-not-routed.ts";
import { KT119 } from "./rules/external-name-has-ports.ts";
import { KT118 } from "./rules/external-name-is-ip.ts";
import { KT117 } from "./rules/external-name-loop.ts";
import { KT304 } from "./rules/external-traffic-local-drops.ts";
import { KT120 } from "./rules/field-not-for-type.ts";
import { KT802 } from "./rules/gateway-backend-invalid.ts";
import { KT801 } from "./rules/gateway-route-not-attached.ts";
import { KT606 } from "./rules/hairpin-broken.ts";
import { KT112 } from "./rules/headless-port-mapping-ignored.ts";
import { KT706 } from "./rules/host-alias-stale.ts";
import { KT704 } from "./rules/host-network-dns-policy.ts";
import { KT205 } from "./rules/host-port-conflict.ts";
import { KT206 } from "./rules/host-port-needs-portmap.ts";
import { KT413 } from "./rules/ingress-annotation-unknown.ts";
import { KT402 } from "./rules/ingress-backend-port-missing.ts";
import { KT412 } from "./rules/ingress-backend-protocol-mismatch.ts";
import { KT407 } from "./rules/ingress-backend-reachable-by-no-path.ts";
import { KT401 } from "./rules/ingress-backend-service-missing.ts";
import { KT404 } from "./rules/ingress-controller-not-on-node.ts";
import { KT414 } from "./rules/ingress-controller-rbac-or-port.ts";
import { KT403 } from "./rules/ingress-no-controller.ts";
import { KT405 } from "./rules/ingress-path-duplicate.ts";
import { KT406 } from "./rules/ingress-path-shadowed.ts";
import { KT408 } from "./rules/ingress-path-type-suspicious.ts";
import { KT410 } from "./rules/ingress-tls-host-mismatch.ts";
import { KT409 } from "./rules/ingress-tls-secret-missing.ts";
import { KT411 } from "./rules/ingress-wildcard-host.ts";
import { KT114 } from "./rules/internal-traffic-local-unreachable.ts";
import { KT008 } from "./rules/invalid-value.ts";
import { KT608 } from "./rules/kube-proxy-cluster-cidr.ts";
import { KT607 } from "./rules/kube-proxy-mode-deprecated.ts";
import { KT309 } from "./rules/lb-source-ranges-ineffective.ts";
import { KT306 } from "./rules/load-balancer-without-provider.ts";
import { KT010 } from "./rules/namespace-not-defined.ts";
import { KT603 } from "./rules/node-address-duplicate.ts";
import { KT302 } from "./rules/node-port-conflict.ts";
import { KT310 } from "./rules/node-port-on-loopback.ts";
import { KT301 } from "./rules/node-port-out-of-range.ts";
import { KT303 } from "./rules/node-port-reachable-on-no-node.ts";
import { KT609 } from "./rules/node-without-proxy-or-cni.ts";
import { KT604 } from "./rules/overlay-mtu-too-large.ts";
import { KT210 } from "./rules/pod-binds-loopback.ts";
import { KT602 } from "./rules/pod-ip-outside-node-cidr.ts";
import { KT513 } from "./rules/pod-not-isolated.ts";
import { KT203 } from "./rules/pod-unschedulable.ts";
import { KT508 } from "./rules/policy-and-or-confusion.ts";
import { KT503 } from "./rules/policy-blocks-dns.ts";
import { KT504 } from "./rules/policy-blocks-ingress-controller.ts";
import { KT509 } from "./rules/policy-ipblock-covers-cluster.ts";
import { KT505 } from "./rules/policy-not-enforced.ts";
import { KT510 } from "./rules/policy-on-host-network-pod.ts";
import { KT511 } from "./rules/policy-one-sided-allow.ts";
import { KT502 } from "./rules/policy-peer-matches-nothing.ts";
import { KT506 } from "./rules/policy-port-is-service-port.ts";
import { KT512 } from "./rules/policy-protocol-default.ts";
import { KT501 } from "./rules/policy-selects-no-pods.ts";
import { KT507 } from "./rules/policy-types-mismatch.ts";
import { KT209 } from "./rules/port-conflict-in-pod.ts";
import { KT211 } from "./rules/quota-blocks-replicas.ts";
import { KT207 } from "./rules/readiness-probe-port-mismatch.ts";
import { KT110 } from "./rules/service-cluster-ip-conflict.ts";
import { KT111 } from "./rules/service-cluster-ip-outside-cidr.ts";
import { KT102 } from "./rules/service-no-ready-endpoints.ts";
import { KT109 } from "./rules/service-ports-unnamed.ts";
import { KT107 } from "./rules/service-protocol-mismatch.ts";
import { KT108 } from "./rules/service-selects-foreign-workload.ts";
import { KT101 } from "./rules/service-selects-no-pods.ts";
import { KT103 } from "./rules/service-target-port-name-missing.ts";
import { KT105 } from "./rules/service-target-port-not-listening.ts";
import { KT104 } from "./rules/service-target-port-partial.ts";
import { KT106 } from "./rules/service-target-port-quoted-number.ts";
import { KT115 } from "./rules/service-topology-keys-removed.ts";
import { KT121 } from "./rules/service-without-endpoints-object.ts";
import { KT113 } from "./rules/session-affinity-ineffective.ts";
import { KT305 } from "./rules/source-ip-lost.ts";
import { KT212 } from "./rules/statefulset-service-name.ts";
import { KT902 } from "./rules/suppression-unused.ts";
import { KT605 } from "./rules/sysctl-breaks-path.ts";
import { KT006 } from "./rules/unknown-field.ts";
import { KT201 } from "./rules/workload-selector-mismatch.ts";
import { KT202 } from "./rules/workload-selector-overlap.ts";
import { KT003 } from "./rules/yaml-ambiguous-scalar.ts";
import { KT002 } from "./rules/yaml-duplicate-key.ts";
import { KT001 } from "./rules/yaml-syntax.ts";

export const RULES: readonly (Rule | PlannedRule)[] = [
  KT001,
  KT002,
  KT003,
  KT004,
  KT005,
  KT006,
  KT007,
  KT008,
  KT009,
  KT010,
  KT101,
  KT102,
  KT103,
  KT104,
  KT105,
  KT106,
  KT107,
  KT108,
  KT109,
  KT110,
  KT111,
  KT112,
  KT113,
  KT114,
  KT115,
  KT116,
  KT117,
  KT118,
  KT119,
  KT120,
  KT121,
  KT122,
  KT123,
  KT201,
  KT202,
  KT203,
  KT204,
  KT205,
  KT206,
  KT207,
  KT208,
  KT209,
  KT210,
  KT211,
  KT212,
  KT301,
  KT302,
  KT303,
  KT304,
  KT305,
  KT306,
  KT307,
  KT308,
  KT309,
  KT310,
  KT401,
  KT402,
  KT403,
  KT404,
  KT405,
  KT406,
  KT407,
  KT408,
  KT409,
  KT410,
  KT411,
  KT412,
  KT413,
  KT414,
  KT501,
  KT502,
  KT503,
  KT504,
  KT505,
  KT506,
  KT507,
  KT508,
  KT509,
  KT510,
  KT511,
  KT512,
  KT513,
  KT601,
  KT602,
  KT603,
  KT604,
  KT605,
  KT606,
  KT607,
  KT608,
  KT609,
  KT701,
  KT702,
  KT703,
  KT704,
  KT705,
  KT706,
  KT801,
  KT802,
  KT901,
  KT902,
  KT903,
];
