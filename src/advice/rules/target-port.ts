/** A targetPort that the pods do not have: by name, or by number. */
import type { ClusterPod } from "../../cluster/cluster.ts";
import type { ContainerPort } from "../../objects/api.ts";
import { slip } from "../../objects/near.ts";
import type { PodMaker } from "../../objects/pod-maker.ts";
import { at, type Case, type Change, change, type Finding } from "../case.ts";
import { editPods, editPort } from "../edits.ts";
import { type Entrance, listed, nameOf } from "../entrance.ts";

const MOST_PORTS = 3;
type Target = number | string;

/** `targetPort: 8080`, one change for each port that the pods have. */
export function targetPortChanges(failed: Case, { service, port }: Entrance, targets: readonly Target[]): Change[] {
  const place = failed.place(service.origin?.source, ["spec", "ports", port.index, "targetPort"]);
  return targets
    .slice(0, MOST_PORTS)
    .map((targetPort) =>
      change(`targetPort: ${targetPort}`, place, () => editPort(failed, service, port.index, (each) => ({ ...each, targetPort }))),
    );
}

/** No container of the ready pods declares a port of that name. */
export function namedPortFinding(
  failed: Case,
  entrance: Entrance,
  pods: readonly ClusterPod[],
  makers: readonly PodMaker[],
): Finding | undefined {
  const { service, port } = entrance;
  const wanted = String(port.targetPort);
  const declared = portsOf(pods[0], port.protocol);
  const named = declared.filter(({ name }) => name !== undefined);
  const shown = declared.map(({ name, containerPort }) =>
    name === undefined ? `${containerPort} (no name)` : `${containerPort} (${name})`,
  );
  const has = shown.length === 0 ? "declare no port" : `declare ${listed(shown)}`;
  const ranked = named.toSorted((a, b) => (slip(wanted, a.name ?? "") ?? 99) - (slip(wanted, b.name ?? "") ?? 99));
  const targets: Target[] = [
    ...ranked.map(({ name }) => name ?? ""),
    ...declared.filter((each) => !named.includes(each)).map((each) => each.containerPort),
  ];
  const text = `Service ${nameOf(service)} sends to the port called "${wanted}", and its pods ${has}: no pod has it, so none is an endpoint`;
  return {
    because: [{ text, ...at(failed.place(service.origin?.source, ["spec", "ports", port.index, "targetPort"])) }],
    changes: [...targetPortChanges(failed, entrance, targets), ...nameThePort(failed, makers, wanted, port.protocol)],
  };
}

const portsOf = (pod: ClusterPod | undefined, protocol: string): readonly ContainerPort[] =>
  (pod?.containers ?? []).flatMap((container) => (container.ports ?? []).filter((each) => (each.protocol ?? "TCP") === protocol));

/** `name: web` at the only port that has no name. */
function nameThePort(failed: Case, makers: readonly PodMaker[], name: string, protocol: string): Change[] {
  const [maker] = makers;
  const all = (maker?.spec.containers ?? []).flatMap((container, c) =>
    (container.ports ?? []).flatMap((port, p) => ((port.protocol ?? "TCP") === protocol ? [{ c, p, port }] : [])),
  );
  const [only] = all;
  if (!maker || !only || all.length !== 1 || only.port.name !== undefined) return [];
  const place = failed.place(maker.object.source, [...maker.path, "spec", "containers", only.c, "ports", only.p]);
  const edit = () =>
    editPods(failed, maker, (spec) => ({
      ...spec,
      containers: (spec.containers ?? []).map((container, c) =>
        c === only.c
          ? { ...container, ports: (container.ports ?? []).map((port, p) => (p === only.p ? { ...port, name } : port)) }
          : container,
      ),
    }));
  return [change(`name: ${name} beside containerPort ${only.port.containerPort}`, place, edit)];
}
