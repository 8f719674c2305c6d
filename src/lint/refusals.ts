/** What the API server refuses of each object by itself, judged as `cluster/validation` does. Objects of a live dump were taken once. */
import type { Version } from "../cluster/cluster.ts";
import { validateObject } from "../cluster/validation/validate.ts";
import { NEWEST, parseVersion } from "../cluster/version.ts";
import type { ApiObject } from "../objects/api.ts";
import type { Topology } from "../objects/topology.ts";
import type { Violation } from "../objects/violation.ts";

export type Refusal = { readonly object: ApiObject; readonly violation: Violation };

/** The release that the cluster runs, as far as the topology says. */
export const targetVersion = ({ kubernetes }: Topology): Version => parseVersion(kubernetes?.version ?? "") ?? NEWEST;

/** All violations of all objects, in the order of the input. */
export function refusalsOf(objects: readonly ApiObject[], version: Version): readonly Refusal[] {
  const context = { version, families: [] }; // what depends on the cluster's ranges is found when it is decided
  return objects.flatMap((object) =>
    object.metadata.uid === undefined ? validateObject(object, context).map((violation) => ({ object, violation })) : [],
  );
}
