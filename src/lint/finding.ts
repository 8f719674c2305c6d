/** What a rule found: one value in one file, what is wrong with it, what else it has to do with, and the packet that proves it. */
import type { Reason } from "../linux/reason.ts";
import type { ObjectRef } from "../objects/api.ts";
import type { Severity } from "../objects/diagnostic.ts";
import type { PathPart, Place, Source } from "../objects/source.ts";
import type { Verdict } from "../trace/trace.ts";

/** A field of an object, looked up in its file when it is printed. `key`: the field's name is meant, not its value. */
export type Mark = { readonly source: Source; readonly field: readonly PathPart[]; readonly key?: boolean };

/** Another place that has to do with it: `the pods carry app: tomcat6`. */
export type Related = { readonly at: Mark | Place; readonly label: string };

/** The request that shows it, as one would type it, and how it ends. */
export type Proof = {
  readonly command: string; // "ktrace --from pod/nginx curl http://tomcat6/"
  readonly verdict: Verdict | "mixed";
  readonly reasons: readonly Reason[];
  readonly text: string; // the course and its end, one line
};

/** A change of one value, as text: comments and the rest of the file stay as they are. At a Place the text itself is replaced or removed. */
export type Edit =
  | { readonly kind: "value"; readonly at: Mark | Place; readonly text: string } // the value's new text
  | { readonly kind: "key"; readonly at: Mark; readonly text: string } // the key's new text
  | { readonly kind: "remove"; readonly at: Mark | Place } // the key and its value, or the member of a list
  | { readonly kind: "insert"; readonly at: Mark; readonly text: string }; // `key: value`, first in the mapping at the mark

export type Finding = {
  readonly message: string; // what is so, with the real names and numbers
  readonly at: Mark | Place;
  readonly label?: string; // under the caret
  readonly related?: readonly Related[];
  readonly help?: string; // what to do, one line
  /** The object it is about, then those that share the cause: a finding about one of them may mute this one. */
  readonly about: readonly ObjectRef[];
  readonly packet?: Proof;
  /** Applied by --fix when the rule's fix is safe, by --fix=unsafe when it is unsafe, shown as help when it is a suggestion. */
  readonly edits?: readonly Edit[];
  /** When it is surer, or less sure, than the rule's own severity says. */
  readonly severity?: Severity;
};
