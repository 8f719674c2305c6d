/** A pod that met itself behind its own Service, on a bridge port without hairpin mode (brport hairpin_mode, the bridge plugin's hairpinMode). */
import { ask } from "../ask.ts";
import { at, type Case, change, type Finding } from "../case.ts";
import { editTopology } from "../edits.ts";
import { backendsOf, entranceOf, nameOf, podAt, targetOf } from "../entrance.ts";

export function hairpinOff(failed: Case): Finding | undefined {
  const target = targetOf(failed.leg);
  const entrance = target && entranceOf(failed.cluster, target);
  const self = failed.leg.from.ip;
  const pod = self === undefined ? undefined : podAt(failed.cluster, self);
  if (!entrance || !pod) return undefined;
  const backends = backendsOf(failed.cluster, entrance.service, entrance.port);
  const own = backends.find((backend) => pod.ips.includes(backend.ip));
  const place = failed.place(failed.topology.source, ["spec", "cni", "hairpinMode"]);
  const odds = backends.length > 1 ? `1 of ${backends.length} times` : "always";
  return {
    because: [
      {
        text: `${pod.name} is itself an endpoint of ${nameOf(entrance.service)}: ${odds} it is sent to itself, and its bridge port has hairpin mode off`,
        ...at(place),
      },
    ],
    changes: [
      change("cni.hairpinMode: true", place, () =>
        editTopology(failed, (topology) => ({ ...topology, cni: { ...topology.cni, hairpinMode: true } })),
      ),
      ...(own
        ? [change(`let the pod ask itself: localhost:${own.port}`, undefined, () => ask(failed, { host: "localhost", port: own.port }))]
        : []),
    ],
  };
}
