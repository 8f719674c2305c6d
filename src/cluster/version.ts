/** The Kubernetes release that the cluster runs, as far as behaviour depends on it: major and minor. */
import type { Version } from "./cluster.ts";

/** The newest release whose behaviour ktrace knows. */
export const NEWEST: Version = { major: 1, minor: 36, text: "1.36" };

/** Reads "1.36", "v1.17.3", "1.30.3-gke.100"; undefined for anything else. The text keeps what was written, without the `v`. */
export function parseVersion(text: string): Version | undefined {
  const found = /^v?(\d{1,4})\.(\d{1,4})(?:\.\d{1,6})?(?:[-+][\w.+-]*)?\+?$/.exec(text.trim());
  if (!found) return undefined;
  return { major: Number(found[1]), minor: Number(found[2]), text: text.trim().replace(/^v/, "") };
}

/** Whether the version is `major.minor` or later. */
export const atLeast = (version: Version, major: number, minor: number): boolean =>
  version.major > major || (version.major === major && version.minor >= minor);
