/**
 * The Services as the API server stores them: defaults, cluster addresses, node ports. One that it would refuse is reported
 * and left out (admission.ts).
 */
import { type Ip, nthAddress } from "../../net/address.ts";
import type { IpFamilyName } from "../../objects/api.ts";
import type { ClusterService } from "../cluster.ts";
import type { Given } from "../given.ts";
import { API_SERVER_PORT } from "../nodes/api-server.ts";
import { type Notes, nameOf } from "../notes.ts";
import { byNamespaceAndName } from "../order.ts";
import type { Settings } from "../settings.ts";
import { admitServices } from "./admission.ts";
import { assignNodePorts } from "./node-ports.ts";
import { createIpAllocator, type IpAllocator } from "./service-allocators.ts";
import { type DraftService, draftService, familyName } from "./service-defaults.ts";

export function decideServices(given: Given, settings: Settings, notes: Notes): ClusterService[] {
  const families: IpFamilyName[] = [...new Set(settings.serviceCIDRs.map((cidr) => familyName(cidr.ip)))];
  const written = given.all("Service").map((object) => draftService(object, families));
  const drafts = admitServices(written, families, settings, notes);
  const services = assignNodePorts(assignClusterIPs(drafts, settings, notes), settings.nodePortRange, notes);
  const own = kubernetesService(services, settings, families);
  return [...services, ...(own ? [own] : [])].sort(byNamespaceAndName);
}

function assignClusterIPs(drafts: readonly DraftService[], settings: Settings, notes: Notes): ClusterService[] {
  const reserved = [...settings.serviceCIDRs.slice(0, 1).map((cidr) => nthAddress(cidr, 1n)), ...settings.clusterDNS];
  const taken = new Set<Ip>([...reserved, ...drafts.flatMap(({ asked }) => asked)]);
  const allocators = settings.serviceCIDRs.map((cidr) => createIpAllocator(cidr, taken));
  return drafts.flatMap(({ asked, ...draft }) => {
    const ips = clusterIPs({ ...draft, asked }, allocators, notes);
    const isServed = ips[0] === "None" || ips.length >= draft.ipFamilies.length || isDumped(draft.object);
    return isServed ? [{ ...draft, clusterIPs: ips }] : [];
  });
}

const isDumped = (object: DraftService["object"]): boolean => object.metadata.uid !== undefined;

function clusterIPs(draft: DraftService, allocators: readonly IpAllocator[], notes: Notes): (Ip | "None")[] {
  if (draft.type === "ExternalName" || draft.asked[0] === "None") return draft.asked.slice(0, 1);
  return draft.ipFamilies.flatMap((family) => {
    const asked = draft.asked.find((ip) => ip !== "None" && familyName(ip) === family);
    if (asked !== undefined) return [asked];
    const ip = allocateFrom(allocators, family, `${draft.namespace}/${draft.name}`);
    if (ip === undefined) reportNoAddress(draft, family, notes);
    else notes.assume(`Service ${draft.namespace}/${draft.name}`, `cluster address ${ip}`, "spec.clusterIP of the Service");
    return ip ?? [];
  });
}

function allocateFrom(allocators: readonly IpAllocator[], family: IpFamilyName, seed: string): Ip | undefined {
  for (const allocator of allocators.filter((each) => familyName(each.cidr.ip) === family)) {
    const ip = allocator.allocate(seed);
    if (ip !== undefined) return ip;
  }
  return undefined;
}

function reportNoAddress(draft: DraftService, family: IpFamilyName, notes: Notes): void {
  const [source, name] = [draft.object.source, nameOf(draft.object)];
  const served = "the cluster's service CIDRs";
  notes.report({
    code: "KT116",
    message: `${name}: no ${family} address to be had from ${served}`,
    help: "the API server refuses the Service, so it is left out; spec.kubernetes.serviceCIDRs in the topology lists the ranges",
    source,
    field: ["spec", "ipFamilies"],
  });
}

/** default/kubernetes, which kube-apiserver itself makes (pkg/controlplane/controller/kubernetesservice). */
function kubernetesService(
  services: readonly ClusterService[],
  settings: Settings,
  families: readonly IpFamilyName[],
): ClusterService | undefined {
  const cidr = settings.serviceCIDRs[0];
  if (!cidr || services.some((service) => service.namespace === "default" && service.name === "kubernetes")) return undefined;
  return {
    namespace: "default",
    name: "kubernetes",
    labels: { component: "apiserver", provider: "kubernetes" },
    annotations: {},
    type: "ClusterIP",
    clusterIPs: [nthAddress(cidr, 1n)],
    ipFamilies: families.slice(0, 1),
    ipFamilyPolicy: "SingleStack",
    ports: [{ index: 0, name: "https", protocol: "TCP", port: 443, targetPort: API_SERVER_PORT }],
    externalIPs: [],
    internalTrafficPolicy: "Cluster",
    sessionAffinity: "None",
    affinityTimeoutSeconds: 10800,
    loadBalancerSourceRanges: [],
    loadBalancerIngress: [],
    publishNotReadyAddresses: false,
  };
}
