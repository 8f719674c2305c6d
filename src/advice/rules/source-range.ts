/** loadBalancerSourceRanges: what the Service lists, and the source that the node saw (pkg/proxy, KUBE-FW chains). */
import { cidrContains, formatCidr, hostCidr, networkOf } from "../../net/address.ts";
import { ask, callNode, nodesNear, withPort } from "../ask.ts";
import { at, type Case, change, type Finding } from "../case.ts";
import { editService } from "../edits.ts";
import { entranceOf, listed, nameOf, targetOf } from "../entrance.ts";

export function sourceRange(failed: Case): Finding | undefined {
  const target = targetOf(failed.leg);
  const entrance = target && entranceOf(failed.cluster, target);
  const seen = failed.leg.hops.at(-1)?.packetIn.src;
  if (!entrance || seen === undefined) return undefined;
  const { service, port } = entrance;
  const place = failed.place(service.origin?.source, ["spec", "loadBalancerSourceRanges"]);
  const ranges = service.loadBalancerSourceRanges.map(formatCidr);
  const network = failed.cluster.hosts
    .flatMap((host) => host.interfaces.flatMap((each) => each.addresses))
    .find((cidr) => cidr.ip === seen && cidrContains(cidr, seen));
  const allowed = formatCidr(network ? networkOf(network) : hostCidr(seen));
  const text = `Service ${nameOf(service)} lets only ${listed(ranges)} use its load-balancer address, and this comes from ${seen}`;
  const [node] = nodesNear(failed);
  const host = node && callNode(failed, node);
  return {
    because: [{ text, ...at(place) }],
    changes: [
      change(`add ${allowed} to loadBalancerSourceRanges`, place, () =>
        editService(failed, service, (spec) => ({
          ...spec,
          loadBalancerSourceRanges: [...(spec.loadBalancerSourceRanges ?? []), allowed],
        })),
      ),
      ...(host === undefined || port.nodePort === undefined
        ? []
        : [
            change(`ask the node port, which the ranges do not guard: ${withPort(host, port.nodePort)}`, undefined, () =>
              ask(failed, { host, port: port.nodePort ?? 0 }),
            ),
          ]),
    ],
  };
}
