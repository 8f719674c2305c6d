/**
 * The control plane's front door: objects and topology in, the cluster out as it stands once every controller had its say.
 * What the input states (a live dump, a pin) is respected, what it leaves open is decided the same way every time and noted.
 */
import type { ApiObject } from "../objects/api.ts";
import type { Topology } from "../objects/topology.ts";
import type { Cluster } from "./cluster.ts";
import { reportContradictions } from "./endpoints/contradictions.ts";
import { decideSlices } from "./endpoints/endpoint-slices.ts";
import { decideEndpoints } from "./endpoints/endpoints.ts";
import { indexPods } from "./endpoints/selected-pods.ts";
import { decideFirewalls } from "./firewalls.ts";
import { sortOut } from "./given.ts";
import { decideIngresses } from "./ingresses.ts";
import { assignBalancers } from "./load-balancers/assign.ts";
import { readBalancers } from "./load-balancers/balancers.ts";
import { decideLoadBalancers } from "./load-balancers/load-balancers.ts";
import { decideNamespaces } from "./namespaces.ts";
import { decideHosts } from "./nodes/hosts.ts";
import { reportNetworkFaults } from "./nodes/network-faults.ts";
import { decideNodes } from "./nodes/nodes.ts";
import { createNotes } from "./notes.ts";
import { createGate } from "./quota/gate.ts";
import { withServicePins } from "./service-pins.ts";
import { decideServices } from "./services/services.ts";
import { decideSettings } from "./settings.ts";
import { admitObjects } from "./validation/admit.ts";
import { decideListens } from "./workloads/listens.ts";
import { createPins } from "./workloads/pins.ts";
import { decidePodSets } from "./workloads/pod-sets.ts";
import { placePods } from "./workloads/pods.ts";
import { countWorkloads } from "./workloads/workload-rows.ts";
import { planPods } from "./workloads/workloads.ts";

export function decideCluster(input: readonly ApiObject[], topology: Topology): Cluster {
  const objects = withServicePins(input, topology);
  const notes = createNotes();
  const written = sortOut(objects);
  const pins = createPins(topology);
  const settings = decideSettings(written, topology, notes);
  const valid = admitObjects(written, settings.version, notes);
  const gate = createGate(objects, valid, notes);
  const counted = gate.objects(valid);
  const given = gate.services(counted, () => decideServices(counted, settings, createNotes()));
  const nodes = decideNodes(given, topology, settings, notes);
  const hosts = decideHosts(nodes, topology, notes);
  reportNetworkFaults({ nodes, hosts, settings, topology }, notes);
  const namespaces = decideNamespaces(objects, given, notes);
  const namespaceLabels = new Map(namespaces.map((namespace) => [namespace.name, namespace.labels]));

  const sets = decidePodSets(given, pins, notes);
  const plans = gate.pods(planPods(given, sets, nodes, pins, notes));
  const placed = placePods(plans, nodes, pins, (namespace) => namespaceLabels.get(namespace) ?? {}, topology, notes);
  pins.reportUnused(notes);

  const balancers = readBalancers(topology, notes);
  const services = assignBalancers(decideServices(given, settings, notes), balancers, settings.version, notes);
  const pods = decideListens(placed, services, indexPods(placed), notes);
  const podsOf = indexPods(pods);
  const slices = decideSlices({ given, services, nodes, podsOf, notes });
  reportContradictions(given, services, slices, pods, podsOf, notes);
  const outside = decideLoadBalancers(balancers, { nodes, hosts, services, slices }, notes);
  return {
    ...settings,
    ingressControllers: topology.ingressControllers ?? [],
    dnsRecords: (topology.dns?.records ?? []).map(({ name, type = "A", value }) => ({ name, type, value })),
    nodes: outside.nodes,
    hosts: outside.hosts,
    loadBalancers: outside.loadBalancers,
    firewalls: decideFirewalls(topology, nodes, notes),
    namespaces,
    workloads: countWorkloads(given, sets, pods),
    pods,
    services,
    slices,
    endpoints: decideEndpoints(given, services, slices),
    ingresses: decideIngresses(given, pods, nodes, topology),
    ingressClasses: given.all("IngressClass"),
    configMaps: given.all("ConfigMap"),
    resourceQuotas: gate.quotas(),
    limitRanges: given.all("LimitRange"),
    events: notes.events,
    assumptions: notes.assumptions,
    diagnostics: notes.diagnostics,
  };
}
