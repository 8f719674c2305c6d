/** Bad files that a repository had better not hold: odd bytes, and texts that grow when they are read. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../transcript.ts";

const PORT = readFileSync(join(ROOT, "fixtures/bad-input/port-70000.yaml"), "utf8");
const HEAD = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n";
const MEGABYTE = 1 << 20;

export const madeFiles: Readonly<Record<string, string | Uint8Array>> = {
  "bom.yaml": `\ufeff${PORT}`,
  "crlf.yaml": PORT.replaceAll("\n", "\r\n"),
  "utf-16.yaml": Buffer.from(`\ufeff${PORT}`, "utf16le"),
  "utf-16be.yaml": Buffer.from(`\ufeff${PORT}`, "utf16le").swap16(),
  "utf-16-bare.yaml": Buffer.from(PORT, "utf16le"),
  "latin-1.yaml": Buffer.from(`# größe\n${PORT}`, "latin1"),
  "elf.yaml": Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0]),
  "late-nul.yaml": `${PORT}# ${"x".repeat(9000)}\0\n`,
  "bell.yaml": `${HEAD}spec: {externalName: "\u0007"}\n`,
  "escape.yaml": "kind: \u001b[31mService\n",
};

const list = (count: number, member: (i: number) => string): string => Array.from({ length: count }, (_, i) => member(i)).join("");

/** Each is read by a process of its own, whose time and memory are measured. */
export const bombs: Readonly<Record<string, string>> = {
  "bombs/laughs.yaml": [
    "a: &a [x,x,x,x,x,x,x,x,x,x]",
    ..."bcdefghi".split("").map((key, i) => `${key}: &${key} [${Array(10).fill(`*${"abcdefgh"[i]}`).join(",")}]`),
  ].join("\n"),
  "bombs/aliases.yaml": `a: &a x\nb: [${"*a,".repeat(200_000)}]\n`,
  "bombs/merges.yaml": `a0: &a0 {k0: v}\n${list(3000, (i) => `a${i + 1}: &a${i + 1} {<<: *a${i}, k${i + 1}: v}\n`)}`,
  "bombs/deep-block.yaml": list(3000, (i) => `${" ".repeat(i)}a:\n`),
  "bombs/deep-flow.yaml": "[".repeat(500_000),
  "bombs/deep.json": `${'{"a":'.repeat(200_000)}1${"}".repeat(200_000)}`,
  "bombs/scalar.yaml": `${HEAD}spec: {type: ${"x".repeat(MEGABYTE)}}\n`,
  "bombs/name.yaml": `apiVersion: v1\nkind: Service\nmetadata: {name: ${"a.".repeat(MEGABYTE / 2)}a}\nspec: {ports: [{port: 80}]}\n`,
  "bombs/label.yaml": `apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: ${"-a".repeat(MEGABYTE / 2)}}}\nspec: {containers: [{name: c, image: x}]}\n`,
  "bombs/key.yaml": `${HEAD}${"k".repeat(MEGABYTE)}: 1\n`,
  "bombs/quotes.yaml": `${HEAD}spec: "${"\\u0041".repeat(200_000)}\n`,
  "bombs/line.json": `{"apiVersion": "v1", "items": [${'{"a":1},'.repeat(150_000)}`,
  "bombs/documents.yaml": `${"---\n".repeat(300_000)}${HEAD}spec: {ports: [{port: 0}]}\n`,
  "bombs/duplicates.yaml": `${HEAD}${"x: 1\n".repeat(50_000)}`,
  "bombs/errors.yaml": `${HEAD}spec:\n  ports:\n${"  - {port: 0, protocol: x}\n".repeat(20_000)}`,
  "bombs/services.yaml": list(
    3000,
    (i) => `apiVersion: v1\nkind: Service\nmetadata: {name: w_${i}}\nspec: {ports: [{port: 80, nodePort: 1}]}\n---\n`,
  ),
  "bombs/replicas.yaml":
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2147483647\n  selector: {matchLabels: {app: web}}\n  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: x}]}}\n",
  "bombs/prefix.yaml":
    "apiVersion: ktrace.dev/v1alpha1\nkind: Topology\nspec:\n  kubernetes: {podCIDRs: [0.0.0.0/0], serviceCIDRs: ['::/0']}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 0}]}\n",
};
