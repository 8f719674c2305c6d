/** Custom resources in the input, from whose kind an operator may make pods: read off the text, as nothing else of them is known. */
import { splitDocuments } from "../manifests/yaml/documents.ts";
import type { Subject } from "./subject.ts";

export type CustomResource = { readonly kind: string; readonly name: string };

const OWN_GROUP = /^(?:[^./]+|[^/]*\.k8s\.io|ktrace\.dev)(?:\/|$)/; // of Kubernetes, or of ktrace: its pods are modelled, or it has none

/** Those of block style, as everybody writes them. */
export function customResources({ files, textOf }: Subject): CustomResource[] {
  return files.flatMap((file) =>
    splitDocuments(textOf(file) ?? "").flatMap(({ text }): CustomResource[] => {
      const apiVersion = /^apiVersion:[ \t]*["']?([\w.-]+\/[\w.-]+)/m.exec(text)?.[1];
      const kind = /^kind:[ \t]*["']?(\w+)/m.exec(text)?.[1];
      const name = /^metadata:[ \t]*(?:#.*)?\r?\n(?:[ \t]+.*\r?\n)*?[ \t]+name:[ \t]*["']?([\w.-]+)/m.exec(text)?.[1];
      return apiVersion === undefined || kind === undefined || name === undefined || OWN_GROUP.test(apiVersion) ? [] : [{ kind, name }];
    }),
  );
}
