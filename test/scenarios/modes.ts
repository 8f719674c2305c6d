/** Rows about kube-proxy's modes: the reference cluster with another mode, and the forms that expectations take. Each says why. */
import assert from "node:assert/strict";
import { type Change, type Row, replace } from "./rows.ts";

export const mode = (settings: string, version?: string): Change => ({
  "topology.yaml": (text) => {
    const withMode = replace("    mode: iptables\n", settings)(text);
    return version === undefined ? withMode : replace(`    # version: "1.36" `, `    version: "${version}" #`)(withMode);
  },
});
export const IPVS = "    mode: ipvs\n";
export const routeTo = (to: string, via: string): ((text: string) => string) =>
  replace("        www.test.com: 192.168.56.101", `        www.test.com: 192.168.56.101\n      routes: [{to: ${to}, via: ${via}}]`);
export const both =
  (...edits: readonly ((text: string) => string)[]) =>
  (text: string): string =>
    edits.reduce((t, edit) => edit(t), text);
export const topologyOf = (change: Change): ((text: string) => string) => {
  const edit = change["topology.yaml"];
  assert.equal(typeof edit, "function");
  return typeof edit === "function" ? edit : (text) => text;
};
/** `why`: the statement that the expectation holds to. */
export type Claim = Row & { readonly why: string };
export const delivered = (paths: readonly string[]) => ({ verdict: "delivered", exit: 0, paths });
export const rejected = (reason: string, exit = 1) => ({ verdict: "rejected", exit, paths: [`1 rejected ${reason}`] });
