/**
 * What `kubectl apply` of more manifests would make of the objects that are there: one of the same identity is replaced and
 * keeps what the API server gave it, others are added; and what controllers would then do over again is no fact any more: the
 * pods of a workload whose template changed (pkg/controller/deployment), the endpoints of Services that pick them or changed.
 */
import type { ApiObject, Labels, Node, Pod, Service, Workload } from "../objects/api.ts";
import { fieldAt, isFields } from "../objects/record.ts";
import { matchesLabels } from "../objects/selector.ts";

/** The objects after the apply, in their old order, new ones last. */
export function applyObjects(base: readonly ApiObject[], applied: readonly ApiObject[]): readonly ApiObject[] {
  if (applied.length === 0) return base;
  const before = new Map(base.map((object) => [identity(object), object]));
  const after = new Map(before);
  const moved: { namespace: string; labels: Labels }[] = []; // pods that come or go
  for (const object of applied) {
    const known = before.get(identity(object));
    const result = known ? onTopOf(known, object) : object;
    after.set(identity(object), result);
    if (result.kind === "Pod") moved.push(placeOf(result), ...(known?.kind === "Pod" ? [placeOf(known)] : []));
    if (isWorkload(result)) moved.push(...rollOut(result, known && isWorkload(known) ? known : undefined, after));
  }
  const changed = new Set(applied.filter(({ kind }) => kind === "Service").map(identity));
  const stale = [...after.values()].flatMap((object) =>
    object.kind === "Service" && isDisturbed(object, changed, moved) ? [nameOf(object)] : [],
  );
  return [...after.values()].filter((object) => !isEndpointsOf(object, new Set(stale), applied));
}

const nameOf = ({ metadata }: ApiObject): string => `${metadata.namespace ?? ""}/${metadata.name}`;
const identity = (object: ApiObject): string => `${object.kind}/${nameOf(object)}`;
const placeOf = (pod: Pod) => ({ namespace: pod.metadata.namespace ?? "", labels: pod.metadata.labels ?? {} });

const WORKLOADS: ReadonlySet<string> = new Set(["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job"]);
const isWorkload = (object: ApiObject): object is Workload => WORKLOADS.has(object.kind);

/** What the API server and controllers had filled in stays; a pod is made anew. */
function onTopOf(known: ApiObject, object: ApiObject): ApiObject {
  if (known.kind === "Service" && object.kind === "Service") return keepAllocations(known, object);
  if (known.kind === "Node" && object.kind === "Node") return keepNode(known, object);
  if (known.kind === "Ingress" && object.kind === "Ingress")
    return { ...object, ...(known.status && !object.status ? { status: known.status } : {}) };
  if (isWorkload(known) && isWorkload(object) && object.spec?.replicas === undefined && known.spec?.replicas !== undefined)
    return { ...object, spec: { ...object.spec, replicas: known.spec.replicas } };
  return object;
}

const keepNode = (known: Node, object: Node): Node => ({
  ...object,
  metadata: { ...object.metadata, annotations: { ...known.metadata.annotations, ...object.metadata.annotations } },
  spec: { ...known.spec, ...object.spec },
  ...(known.status ? { status: { ...known.status, ...object.status } } : {}),
});

/** Cluster addresses are immutable, node ports stay with their port (pkg/registry/core/service, patchAllocatedValues). */
function keepAllocations(known: Service, object: Service): Service {
  const { spec: old = {}, status } = known;
  const { spec = {} } = object;
  const isAddressed = spec.type !== "ExternalName" && old.type !== "ExternalName" && !spec.clusterIP && !spec.clusterIPs?.length;
  const takesPorts = spec.type === "NodePort" || spec.type === "LoadBalancer";
  const ports = spec.ports?.map((port) => {
    const same = old.ports?.find((each) => each.port === port.port && (each.protocol ?? "TCP") === (port.protocol ?? "TCP"));
    return takesPorts && port.nodePort === undefined && same?.nodePort ? { ...port, nodePort: same.nodePort } : port;
  });
  return {
    ...object,
    spec: {
      ...spec,
      ...(isAddressed && old.clusterIP ? { clusterIP: old.clusterIP, clusterIPs: old.clusterIPs ?? [old.clusterIP] } : {}),
      ...(ports ? { ports } : {}),
    },
    ...(spec.type === "LoadBalancer" && status && !object.status ? { status } : {}),
  };
}

/** Replaces or scales the pods of a workload; answers those that come or go. */
function rollOut(object: Workload, known: Workload | undefined, after: Map<string, ApiObject>): { namespace: string; labels: Labels }[] {
  const namespace = object.metadata.namespace ?? "";
  const come = { namespace, labels: object.spec?.template?.metadata?.labels ?? {} };
  const sets = [...after.values()].filter((each) => each.kind === "ReplicaSet" && isOwnedBy(each, [object]));
  const pods = [...after.values()].flatMap((each) => (each.kind === "Pod" && isOwnedBy(each, [object, ...sets]) ? [each] : []));
  if (!known || !isWithin(object.spec?.template, known.spec?.template)) {
    for (const each of [...sets, ...pods]) after.delete(identity(each));
    return [come, ...pods.map(placeOf)];
  }
  if (pods.length === 0 || object.kind === "DaemonSet" || object.kind === "Job") return [];
  const wanted = object.spec?.replicas ?? 1;
  if (wanted === pods.length) return [];
  for (const set of sets) if (isWorkload(set)) after.set(identity(set), { ...set, spec: { ...set.spec, replicas: wanted } });
  const gone = [...pods].sort(byRank(object.kind)).slice(0, Math.max(0, pods.length - wanted));
  for (const pod of gone) after.delete(identity(pod));
  const [pattern] = pods;
  for (let i = pods.length; pattern && i < wanted; i++) {
    const pod = anotherOf(pattern, object, i);
    after.set(`${identity(pod)}${i}`, pod);
  }
  return [come];
}

function isOwnedBy(object: ApiObject, owners: readonly ApiObject[]): boolean {
  const [reference] = object.metadata.ownerReferences ?? [];
  return owners.some(
    (owner) =>
      reference?.kind === owner.kind && reference.name === owner.metadata.name && object.metadata.namespace === owner.metadata.namespace,
  );
}

/** Which pods go first when there are too many: those not ready (controller_utils.go, ActivePodsWithRanks); the highest ordinal. */
const byRank =
  (kind: string) =>
  (a: Pod, b: Pod): number => {
    if (kind === "StatefulSet") return ordinalOf(b) - ordinalOf(a);
    return Number(isReady(a)) - Number(isReady(b)) || (a.metadata.name < b.metadata.name ? 1 : -1);
  };

const ordinalOf = (pod: Pod): number => Number(/\d+$/.exec(pod.metadata.name)?.[0] ?? 0);
const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") ?? true;

/** A replica more: like the others, but of no node and address yet. */
function anotherOf(pattern: Pod, owner: Workload, index: number): Pod {
  const { name, generateName, labels, namespace, ownerReferences } = pattern.metadata;
  const { nodeName: _, hostname: __, ...spec } = pattern.spec ?? {};
  const isStateful = owner.kind === "StatefulSet";
  const own = `${owner.metadata.name}-${index + (owner.spec?.ordinals?.start ?? 0)}`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: isStateful ? own : "",
      ...(isStateful ? {} : { generateName: generateName ?? `${name.replace(/-[^-]*$/, "")}-` }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels ? { labels } : {}),
      ...(ownerReferences ? { ownerReferences } : {}),
    },
    spec: isStateful ? { ...spec, hostname: own } : spec,
    source: { ...owner.source, path: [...owner.source.path, "replica", index] },
  };
}

/** Whether everything in `part` stands in `whole` too: what the API server stored has defaults besides. */
export function isWithin(part: unknown, whole: unknown): boolean {
  if (Array.isArray(part)) return Array.isArray(whole) && part.length === whole.length && part.every((each, i) => isWithin(each, whole[i]));
  if (isFields(part)) return isFields(whole) && Object.entries(part).every(([key, value]) => isWithin(value, fieldAt(whole, key)));
  return part === whole;
}

const isDisturbed = (service: Service, changed: ReadonlySet<string>, moved: readonly { namespace: string; labels: Labels }[]): boolean =>
  changed.has(identity(service)) ||
  moved.some(
    ({ namespace, labels }) =>
      namespace === service.metadata.namespace && service.spec?.selector !== undefined && matchesLabels(service.spec.selector, labels),
  );

const CONTROLLER = "endpointslice-controller.k8s.io";

/** What the endpoints controllers wrote for such a Service; what was just applied is somebody's word. */
function isEndpointsOf(object: ApiObject, stale: ReadonlySet<string>, applied: readonly ApiObject[]): boolean {
  const { labels = {}, namespace = "", uid, annotations = {} } = object.metadata;
  if (applied.includes(object)) return false;
  if (object.kind === "EndpointSlice")
    return (
      labels["endpointslice.kubernetes.io/managed-by"] === CONTROLLER && stale.has(`${namespace}/${labels["kubernetes.io/service-name"]}`)
    );
  const isStated = uid !== undefined || Object.hasOwn(annotations, "endpoints.kubernetes.io/last-change-trigger-time");
  return object.kind === "Endpoints" && isStated && stale.has(nameOf(object));
}
