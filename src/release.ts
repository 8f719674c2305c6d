/** The input as if its topology named a Kubernetes release: `--kubernetes-version`. */
import { parseVersion } from "./cluster/version.ts";
import type { Input } from "./manifests/input.ts";
import { UsageError } from "./objects/diagnostic.ts";

/** Unchanged without a version; what is no release is a UsageError. */
export function asRelease(input: Input, version: string | undefined): Input {
  if (version === undefined) return input;
  if (parseVersion(version) === undefined) throw new UsageError(`${JSON.stringify(version)} is no Kubernetes release`, "for example 1.36");
  const { topology } = input;
  return { ...input, topology: { ...topology, kubernetes: { ...topology.kubernetes, version } } };
}
