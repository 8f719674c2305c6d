/**
 * What kube-proxy up to 1.23 wrote otherwise than later ones, by release: pkg/proxy/iptables/proxier.go of 1.17 to 1.23. The form
 * with KUBE-EXT- and KUBE-SVL- chains came with 1.24 (pull 109060). Not modelled: Service topology of 1.17 to 1.20 (alpha), what
 * little 1.24 to 1.29 wrote otherwise than 1.30 (KUBE-MARK-DROP to 1.25).
 */
import type { Version } from "../../../../cluster/cluster.ts";
import { isAtLeast } from "../../names.ts";

export type OldRelease = {
  /** Marks for masquerading stand in KUBE-SVC, not before every jump to it: pull 96959, 1.22. */
  readonly marksInServiceChain: boolean;
  /** External IPs are taken from pods and the node itself too, 1.21. */
  readonly takesExternalIPsFromInside: boolean;
  /** externalTrafficPolicy counts for external IPs: gate ExternalPolicyForExternalIP, 1.20. */
  readonly externalIPsHavePolicy: boolean;
  /** Refusals of load-balancer addresses stand in KUBE-EXTERNAL-SERVICES, which FORWARD jumps to: pull 95252, 1.20. */
  readonly refusesOutsideApart: boolean;
  /** KUBE-POSTROUTING in three rules, the mark is cleared: 1.19. */
  readonly clearsMark: boolean;
  /** Rules of endpoints have comments: 1.18. */
  readonly commentsOnEndpoints: boolean;
  /** KUBE-FORWARD accepts what is established, in one rule: 1.23; before, in one a direction. */
  readonly forwardsInOneRule: boolean;
  /** Those two match the cluster's pod range: up to 1.17. */
  readonly forwardsByRange: boolean;
  /** Health check node ports are let in: 1.21. */
  readonly opensHealthChecks: boolean;
  /** internalTrafficPolicy: gate ServiceInternalTrafficPolicy, on from 1.22. */
  readonly hasInternalPolicy: boolean;
  /** Rules of KUBE-XLB count the endpoints in their comment: up to 1.22. */
  readonly countsBalancingRules: boolean;
};

/** Undefined from 1.24 on. */
export function oldRelease(version: Version): OldRelease | undefined {
  if (isAtLeast(version, 24)) return undefined;
  const since = (minor: number): boolean => isAtLeast(version, minor);
  return {
    marksInServiceChain: since(22),
    takesExternalIPsFromInside: since(21),
    externalIPsHavePolicy: since(20),
    refusesOutsideApart: since(20),
    clearsMark: since(19),
    commentsOnEndpoints: since(18),
    forwardsInOneRule: since(23),
    forwardsByRange: !since(18),
    opensHealthChecks: since(21),
    hasInternalPolicy: since(22),
    countsBalancingRules: !since(23),
  };
}
