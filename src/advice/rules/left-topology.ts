/**
 * A packet that left by a gateway, or that nobody recognised: a cluster address with a port that its Service lacks, a
 * cluster address that no Service has, or truly something outside.
 */
import type { ClusterService } from "../../cluster/cluster.ts";
import { cidrContains } from "../../net/address.ts";
import { distance } from "../../objects/near.ts";
import { ask, askByProtocol, askPort, withPort } from "../ask.ts";
import { at, type Case, change, type Finding } from "../case.ts";
import { editService } from "../edits.ts";
import { addressKind, listed, nameOf, type Target, targetOf } from "../entrance.ts";
import { proxiedAddress } from "./no-entrance.ts";

export function leftTopology(failed: Case): Finding | undefined {
  const { cluster } = failed;
  const target = targetOf(failed.leg);
  if (!target) return pingedService(failed);
  const service = cluster.services.find((each) => addressKind(each, target.ip) !== undefined);
  if (service) return proxiedAddress(failed, service, target) ?? wrongServicePort(failed, service, target);
  if (cluster.serviceCIDRs.some((cidr) => cidrContains(cidr, target.ip))) return noService(failed, target);
  return outside(failed, target);
}

/** kube-proxy's rules match protocol and port; in ipvs mode nodes have the address (kube-ipvs0), but a filter of its own before it. */
export function pingedService(failed: Case): Finding | undefined {
  const ip = failed.leg.to.ip;
  const service = failed.cluster.services.find((each) => ip !== undefined && addressKind(each, ip) !== undefined);
  const port = service?.ports.find(({ protocol }) => protocol === "TCP");
  if (!service) return undefined;
  const text = `${ip} is an address of Service ${nameOf(service)}: kube-proxy takes its ports only, so nobody answers a ping`;
  return { because: [{ text }], changes: port ? [askPort(failed, port.port)] : [] };
}

/** A Service's address, and a port that it lacks. */
export function wrongServicePort(failed: Case, service: ClusterService, { port, protocol }: Target): Finding {
  const upper = protocol.toUpperCase();
  const same = service.ports.filter((each) => each.protocol === upper);
  const has = listed(service.ports.map((each) => `${each.port}/${each.protocol}`));
  const left = failed.reason === "left-topology" ? "; no rule rewrites it, so it went the way of all other traffic" : "";
  const hint = service.ports.some((each) => each.targetPort === port) ? ` (${port} is the pods' own)` : "";
  const place = failed.place(service.origin?.source, ["spec", "ports"]);
  const [first] = same;
  return {
    because: [{ text: `Service ${nameOf(service)} has port ${has}, not ${port}/${upper}${hint}${left}`, ...at(place) }],
    changes: [
      ...same
        .slice(0, 2)
        .map((each) => change(`ask ${withPort(failed.question.to.host, each.port)}`, undefined, () => ask(failed, { port: each.port }))),
      ...service.ports
        .filter((each) => each.port === port && each.protocol !== upper)
        .flatMap((each) => askByProtocol(failed, each.protocol.toLowerCase(), port)),
      ...(first
        ? [
            change(`give the Service a port ${port} too, with targetPort ${first.targetPort}`, place, () =>
              editService(failed, service, (spec) => {
                const ports = (spec.ports ?? []).map((each, i) => ({ ...each, name: each.name ?? `port-${i}` }));
                return {
                  ...spec,
                  ports: [...ports, { name: `port-${port}`, protocol: first.protocol, port, targetPort: first.targetPort }],
                };
              }),
            ),
          ]
        : []),
    ],
  };
}

/** Nearest by spelling: an old or mistyped address. */
function noService(failed: Case, { ip, port }: Target): Finding {
  const all = failed.cluster.services.flatMap((service) =>
    service.clusterIPs.flatMap((each) => (each === "None" ? [] : [{ service, ip: each }])),
  );
  const near = all.filter((each) => distance(each.ip, ip) <= 3).toSorted((a, b) => distance(a.ip, ip) - distance(b.ip, ip));
  return {
    because: [
      {
        text: `No Service has the cluster address ${ip}${near.length > 0 ? `; ${listed(near.slice(0, 3).map((each) => `${nameOf(each.service)} has ${each.ip}`))}` : ""}`,
      },
    ],
    changes: near
      .slice(0, 2)
      .map((each) =>
        change(`ask ${withPort(each.ip, port)}, Service ${nameOf(each.service)}`, undefined, () => ask(failed, { host: each.ip })),
      ),
  };
}

function outside(failed: Case, { ip, port }: Target): Finding | undefined {
  const { destination } = failed.path;
  const last = failed.leg.hops.at(-1)?.netns.replace(/^\w+\//, "");
  if (destination?.kind !== "gateway" || last === undefined) return undefined;
  const seen = destination.clientIPSeen === undefined ? "" : `, as coming from ${destination.clientIPSeen}`;
  const place = failed.place(failed.topology.source, ["spec", "hosts"]);
  return {
    because: [
      { text: `${last} hands it to its default gateway ${destination.name}${seen}; the topology lists no machine with that address` },
    ],
    changes: [
      {
        text: `to follow it further, list ${destination.name} and ${ip} under \`hosts\`, with \`listens: [{port: ${port}}]\``,
        ...at(place),
        outcome: "they are yours to describe",
      },
    ],
  };
}
