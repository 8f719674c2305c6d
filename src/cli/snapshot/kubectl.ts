/** The kubectl on the PATH: run with the context and kubeconfig asked for, its JSON read, its refusals told in its own words. */
import { spawnSync } from "node:child_process";
import { UsageError } from "../../objects/diagnostic.ts";
import type { Io } from "../io.ts";

/** What every call has in common. */
export type KubectlFlags = { readonly context?: string; readonly kubeconfig?: string };
export type Answer = { readonly stdout: string; readonly stderr: string; readonly ok: boolean };
export type Kubectl = (words: readonly string[]) => Answer;

const LARGEST = 1 << 30; // bytes of one answer: a cluster at Kubernetes' documented limits

/** kubectl, ready to be called. A missing one is wrong usage. */
export function findKubectl({ context, kubeconfig }: KubectlFlags, io: Pick<Io, "env" | "cwd">): Kubectl {
  const common = [
    ...(kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig]),
    ...(context === undefined ? [] : ["--context", context]),
  ];
  return (words) => {
    const ran = spawnSync("kubectl", [...common, ...words], {
      cwd: io.cwd,
      env: { ...io.env },
      encoding: "utf8",
      maxBuffer: LARGEST,
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (ran.error && "code" in ran.error && ran.error.code === "ENOENT")
      throw new UsageError(
        "there is no kubectl on the PATH",
        "install it, or have the dump made elsewhere: `kubectl get nodes,pods,svc,… -A -o yaml | ktrace -f - …`",
      );
    if (ran.error) throw new UsageError(`kubectl cannot be run: ${ran.error.message}`);
    return { stdout: ran.stdout, stderr: ran.stderr, ok: ran.status === 0 };
  };
}

/** The line of what kubectl complained about that says why. */
export const complaintOf = (stderr: string): string => {
  const lines = stderr.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
  const said = lines.filter((line) => !/^[EWIF]\d{4} /.test(line)); // klog's own lines come before the summary
  return said.find((line) => /error|unable|refused|forbidden|denied/i.test(line)) ?? said[0] ?? lines[0] ?? "it printed nothing";
};
