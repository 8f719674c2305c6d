/**
 * What the lab calls its things. A namespace is `ktrace-LAB.KIND-NAME`: everything of one lab starts with `ktrace-LAB.`,
 * and no lab's name holds a dot, so that two labs never meet. Not a network namespace's limits: a file name's (255 bytes).
 */
import type { NetnsId } from "../linux/netns.ts";
import { labRequires } from "./error.ts";

export type LabNames = { readonly of: (id: NetnsId) => string; readonly lan: string };

export const labPrefix = (lab: string): string => `ktrace-${lab}.`;

/** Checks a lab's name, which becomes part of file and namespace names. */
export function checkLabName(lab: string): void {
  labRequires(/^[a-z0-9][a-z0-9-]{0,23}$/.test(lab), `lab name ${JSON.stringify(lab)}: up to 24 of a-z, 0-9 and "-", the first no "-"`);
}

/** A name for each network stack and for the one that holds the cables. Longer names are cut; doubles get a number. */
export function namespaceNames(lab: string, ids: readonly NetnsId[]): LabNames {
  const prefix = labPrefix(lab);
  const lan = `${prefix}lan`;
  const taken = new Set([lan]);
  const names = new Map<NetnsId, string>();
  for (const id of ids) {
    const stem = `${prefix}${id.replace(/[^A-Za-z0-9.]+/g, "-").slice(0, 120)}`;
    let name = stem;
    for (let n = 2; taken.has(name); n++) name = `${stem}-${n}`;
    taken.add(name);
    names.set(id, name);
  }
  return {
    lan,
    of: (id) => {
      const name = names.get(id);
      labRequires(name !== undefined, `no ${id} in this lab`);
      return name;
    },
  };
}

/** Interface names stand in `ip -batch` lines and sysctl paths, where blanks, quotes and slashes have a meaning. */
export function checkLinkName(name: string): string {
  labRequires(
    /^[A-Za-z0-9_.@+-]{1,15}$/.test(name) && name !== "." && name !== "..",
    `a lab cannot have an interface named ${JSON.stringify(name)}`,
  );
  return name;
}
