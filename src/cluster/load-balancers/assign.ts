/**
 * What the providers' controllers write into status.loadBalancer of Services (cloud-controller-manager, MetalLB): an address
 * of each family out of the pool that serves the Service's class. What a dump states stands. The real choice depends on the
 * order of creation; here it follows from the Service's name.
 */
import { broadcastOf, type Cidr, cidrContains, cidrSize, type Ip, nthAddress, parseIp } from "../../net/address.ts";
import type { LoadBalancerIngress } from "../../objects/api.ts";
import type { ClusterService, Version } from "../cluster.ts";
import type { Notes } from "../notes.ts";
import { familyName } from "../services/service-defaults.ts";
import { drawNumber } from "../synthetic.ts";
import { atLeast } from "../version.ts";
import type { BalancerDraft } from "./balancers.ts";

/** The Services with the addresses that balancers give them. Without one EXTERNAL-IP stays `<pending>`. */
export function assignBalancers(
  services: readonly ClusterService[],
  balancers: readonly BalancerDraft[],
  version: Version,
  notes: Notes,
): ClusterService[] {
  const pools = balancers.filter((balancer) => balancer.pool.length > 0);
  const taken = new Map<Ip, string>();
  for (const service of services) for (const { ip } of service.loadBalancerIngress) if (ip !== undefined) taken.set(ip, nameOf(service));
  const waiting = services.filter((service) => service.type === "LoadBalancer" && service.loadBalancerIngress.length === 0);
  const given = new Map<ClusterService, readonly LoadBalancerIngress[]>();
  // Addresses that are asked for by name come first, as those of dumps did.
  for (const service of [...waiting.filter(asksFor), ...waiting.filter((one) => !asksFor(one))])
    given.set(service, ingressFor(service, pools, version, taken, notes));
  return services.map((service) => {
    const ingress = given.get(service) ?? [];
    return ingress.length === 0 ? service : { ...service, loadBalancerIngress: ingress };
  });
}

const nameOf = ({ namespace, name }: ClusterService): string => `Service ${namespace}/${name}`;
const asksFor = (service: ClusterService): boolean => service.object?.spec?.loadBalancerIP !== undefined;

/** The balancers that take Services of this class: each in their order in the topology. */
const servingClass = (service: ClusterService, pools: readonly BalancerDraft[]): readonly BalancerDraft[] =>
  pools.filter((balancer) => balancer.class === service.object?.spec?.loadBalancerClass);

function ingressFor(
  service: ClusterService,
  pools: readonly BalancerDraft[],
  version: Version,
  taken: Map<Ip, string>,
  notes: Notes,
): LoadBalancerIngress[] {
  const serving = servingClass(service, pools);
  const asked = service.object?.spec?.loadBalancerIP;
  if (serving.length === 0) {
    const wanted = service.object?.spec?.loadBalancerClass;
    pending(
      service,
      notes,
      wanted === undefined ? "no load balancer of the topology has a pool" : `no load balancer serves class "${wanted}"`,
    );
    return [];
  }
  if (asked) return askedIngress(service, asked, serving, version, taken, notes);
  const found = service.ipFamilies.flatMap((family): LoadBalancerIngress[] => {
    for (const balancer of serving) {
      for (const pool of balancer.pool.filter((cidr) => familyName(cidr.ip) === family)) {
        const ip = freeAddress(pool, `${service.namespace}/${service.name}`, taken);
        if (ip === undefined) continue;
        taken.set(ip, nameOf(service));
        notes.assume(nameOf(service), `load balancer address ${ip} from the pool of ${balancer.name}`, "spec.loadBalancers[].pool");
        return [{ ip, ipMode: ipModeOf(balancer, version) }];
      }
    }
    return [];
  });
  if (found.length === 0) pending(service, notes, `no free address is left in the pool of ${serving.map(({ name }) => name).join(", ")}`);
  return found;
}

function askedIngress(
  service: ClusterService,
  asked: string,
  serving: readonly BalancerDraft[],
  version: Version,
  taken: Map<Ip, string>,
  notes: Notes,
): LoadBalancerIngress[] {
  const ip = parseIp(asked);
  const balancer = ip === undefined ? undefined : serving.find(({ pool }) => pool.some((cidr) => cidrContains(cidr, ip)));
  const owner = ip === undefined ? undefined : taken.get(ip);
  if (ip === undefined || !balancer || owner !== undefined) {
    const why =
      owner === undefined
        ? `loadBalancerIP ${asked} lies in no pool of ${serving.map(({ name }) => name).join(", ")}`
        : `loadBalancerIP ${asked} is that of ${owner}`;
    pending(service, notes, why, "loadBalancerIP");
    return [];
  }
  taken.set(ip, nameOf(service));
  return [{ ip, ipMode: ipModeOf(balancer, version) }];
}

/** A provider that proxies says so (KEP-1860, on from 1.30), so that nodes do not capture its address. */
const ipModeOf = (balancer: BalancerDraft, version: Version): "VIP" | "Proxy" =>
  balancer.isProxy && atLeast(version, 1, 30) ? "Proxy" : "VIP";

function pending(service: ClusterService, notes: Notes, why: string, field = "type"): void {
  notes.report({
    code: "KT306",
    severity: "warning",
    message: `${nameOf(service)}: its EXTERNAL-IP stays <pending>: ${why}`,
    help: "list a balancer with a pool under spec.loadBalancers of the topology",
    source: service.object?.source,
    field: ["spec", field],
  });
}

/** Upward from a place that follows from the name, with wrap; neither network nor broadcast address. */
function freeAddress(pool: Cidr, seed: string, taken: ReadonlyMap<Ip, string>): Ip | undefined {
  const isTiny = cidrSize(pool) <= 2n;
  const first = isTiny ? 0n : 1n;
  const last = cidrSize(pool) - (isTiny || broadcastOf(pool) === undefined ? 1n : 2n);
  const size = last - first + 1n > 65536n ? 65536n : last - first + 1n;
  const start = BigInt(drawNumber(seed)) % size;
  for (let i = 0n; i < size; i++) {
    const ip = nthAddress(pool, first + ((start + i) % size));
    if (!taken.has(ip)) return ip;
  }
  return undefined;
}
