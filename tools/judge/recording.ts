/** What `record.ts` writes and `rejudge.ts` reads. */
import type { ObservedBatch } from "../../src/lab/observe.ts";
import type { Draft } from "../../test/kernel/random/draft.ts";

export type Recording =
  | { readonly kind: "reference"; readonly index: number; readonly batch: ObservedBatch }
  | { readonly kind: "random"; readonly draft: Draft; readonly batch: ObservedBatch };
