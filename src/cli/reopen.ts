/** The same input with something changed, opened as a session of its own: for diff and test. */

import type { Reachable } from "../compare/matrix.ts";
import type { Opener } from "../compare/stay.ts";
import type { Input } from "../manifests/input.ts";
import { UsageError } from "../objects/diagnostic.ts";
import type { RenderContext } from "../render/context.ts";

const contexts = new WeakMap<Reachable, RenderContext>();

/** Opens one form of the input after another; a form that the cluster cannot be decided from is none. */
export async function opener(like: Input): Promise<Opener> {
  const { decideCluster } = await import("../cluster/decide.ts");
  const { sessionOf } = await import("../ktrace.ts");
  return ({ objects, topology }) => {
    try {
      const session = sessionOf({ ...like, objects, topology }, decideCluster(objects, topology));
      contexts.set(session, session.context);
      return session;
    } catch (error) {
      if (error instanceof UsageError) return undefined;
      throw error;
    }
  };
}

/** What a renderer needs of a form that was opened here. */
export const contextOf = (world: Reachable, otherwise: RenderContext): RenderContext => contexts.get(world) ?? otherwise;
