/**
 * Whether the API server would take an object, by itself: every reason why not, in its words. What one object takes from
 * another (a node port, a cluster address) is services/admission.ts. Types were checked when it was read.
 */
import type { ApiObject } from "../../objects/api.ts";
import type { Violation } from "../../objects/violation.ts";
import type { ValidationContext } from "./context.ts";
import { endpointSliceViolations, endpointsViolations } from "./endpoints.ts";
import { ingressClassViolations, ingressViolations } from "./ingress.ts";
import { metadataViolations } from "./metadata.ts";
import { networkPolicyViolations } from "./network-policy.ts";
import { nodeViolations } from "./node.ts";
import { podSpecViolations } from "./pod.ts";
import { serviceViolations } from "./service.ts";
import { workloadViolations } from "./workload.ts";

export type { ValidationContext } from "./context.ts";

/** All violations: of the metadata, then down the spec. Empty: it is taken. */
export const validateObject = (object: ApiObject, context: ValidationContext): readonly Violation[] => [
  ...metadataViolations(object, context),
  ...ownViolations(object, context),
];

function ownViolations(object: ApiObject, context: ValidationContext): readonly Violation[] {
  switch (object.kind) {
    case "Service":
      return serviceViolations(object, context);
    case "Endpoints":
      return endpointsViolations(object, context);
    case "EndpointSlice":
      return endpointSliceViolations(object, context);
    case "Ingress":
      return ingressViolations(object, context);
    case "IngressClass":
      return ingressClassViolations(object);
    case "NetworkPolicy":
      return networkPolicyViolations(object, context);
    case "Pod":
      return podSpecViolations(object.spec ?? {}, ["spec"], context);
    case "Deployment":
    case "ReplicaSet":
    case "ReplicationController":
    case "StatefulSet":
    case "DaemonSet":
    case "Job":
    case "CronJob":
      return workloadViolations(object, context);
    case "Node":
      return nodeViolations(object, context);
    case "Namespace":
    case "ConfigMap":
    case "ResourceQuota":
    case "LimitRange":
      return [];
    default:
      return object satisfies never;
  }
}
