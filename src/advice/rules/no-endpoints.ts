/**
 * A Service without a ready endpoint, and why: its selector, its pods, its targetPort, or nobody wrote its Endpoints.
 * Facts: the endpointslice controller (staging/src/k8s.io/endpointslice/utils.go, FindPort), services without selectors.
 */
import type { ClusterPod } from "../../cluster/cluster.ts";
import { type PodMaker, podMakers } from "../../objects/pod-maker.ts";
import { matchesLabels } from "../../objects/selector.ts";
import { at, type Case, type Change, change, type Finding } from "../case.ts";
import { editReplicas } from "../edits.ts";
import { type Entrance, entranceOf, listed, nameOf, selectedPods, targetOf } from "../entrance.ts";
import { pendingFinding } from "./pending.ts";
import { selectorFinding, withoutSelector } from "./selector.ts";
import { namedPortFinding } from "./target-port.ts";

export function noEndpoints(failed: Case): Finding | undefined {
  const target = targetOf(failed.leg);
  const entrance = target && entranceOf(failed.cluster, target);
  return entrance && whyEmpty(failed, entrance);
}

/** Also for an Ingress whose backend is this Service port. */
export function whyEmpty(failed: Case, entrance: Entrance): Finding | undefined {
  const { service } = entrance;
  if (service.selector === undefined) return withoutSelector(failed, entrance);
  const makers = podMakers(failed.objects).filter(
    (maker) => maker.namespace === service.namespace && matchesLabels(service.selector ?? {}, maker.labels),
  );
  const pods = selectedPods(failed.cluster, service);
  if (pods.length === 0) return makers.length > 0 ? scaledToNone(failed, entrance, makers) : selectorFinding(failed, entrance);
  const running = pods.filter((pod) => pod.ips.length > 0);
  if (running.length === 0) return pendingFinding(failed, entrance, pods, makers);
  const ready = running.filter((pod) => pod.ready && !pod.terminating);
  if (ready.length === 0) return notReady(failed, entrance, running);
  return typeof entrance.port.targetPort === "string" ? namedPortFinding(failed, entrance, ready, makers) : undefined;
}

function scaledToNone(failed: Case, { service }: Entrance, makers: readonly PodMaker[]): Finding {
  const scaled = makers.filter((maker) => maker.replicas === 0);
  const [first] = scaled;
  if (!first)
    return {
      because: [{ text: `${listed(makers.map(({ title }) => title))} would make the pods of ${nameOf(service)}, and has none` }],
      changes: [],
    };
  return {
    because: [{ text: `The selector of ${nameOf(service)} fits ${first.title}, which is scaled to 0: there is no pod to hand packets to` }],
    changes: scaled.map((maker): Change => {
      const place = failed.place(maker.object.source, ["spec", "replicas"]);
      return change(`${scaled.length > 1 ? `${maker.title}: ` : ""}replicas: 1`, place, () => editReplicas(failed, maker, 1));
    }),
  };
}

/** Readiness is the cluster's own finding; what a probe would say cannot be walked. */
function notReady(failed: Case, { service }: Entrance, pods: readonly ClusterPod[]): Finding {
  const [first] = pods;
  const leaving = pods.filter((pod) => pod.terminating).length;
  const place = first && failed.place(first.origin.source, [...first.origin.field, "status", "conditions"]);
  const which = `${pods.length === 1 ? "The one pod" : `The ${pods.length} pods`} of ${nameOf(service)} ${pods.length === 1 ? "is" : "are"} not ready`;
  const how = leaving === pods.length ? ", but terminating" : leaving > 0 ? `, ${leaving} of them terminating` : "";
  const probed = first?.containers.find((container) => container.readinessProbe !== undefined);
  const name = first === undefined ? "" : `${first.name} -n ${first.namespace}`;
  return {
    because: [{ text: `${which}${how}, and only ready pods are endpoints`, ...at(place) }],
    changes: [
      {
        text: probed
          ? `see why the readiness probe of container ${probed.name} fails: kubectl describe pod ${name}`
          : `see why: kubectl describe pod ${name}`,
        outcome: "probes run in the cluster only",
      },
    ],
  };
}
