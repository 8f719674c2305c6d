/**
 * Ties advice to a session: which question a path answered, and how a changed input is opened and asked again. Nothing
 * happens before a renderer asks about a path that failed.
 */
import { adviceFor } from "./advice/advice.ts";
import type { Counsel, Edit, Setting } from "./advice/case.ts";
import type { Session } from "./ktrace.ts";
import { UsageError } from "./objects/diagnostic.ts";
import { formatPlace } from "./objects/source.ts";
import type { Question } from "./trace/question.ts";
import type { Path, Trace } from "./trace/trace.ts";

export type Opened = Pick<Session, "input" | "cluster" | "causes" | "trace">;
export type Reopen = (edit: Edit) => Opened;
export type Counsellor = {
  readonly remember: (question: Question, trace: Trace) => void;
  /** Undefined for a path that delivered, and when no rule has more to say than the reason itself. */
  readonly advice: (path: Path) => Counsel | undefined;
};

/** One a session. `opened` is asked for late, since the session is being made. */
export function createCounsellor(opened: () => Opened, reopen: Reopen): Counsellor {
  const asked = new WeakMap<Path, { readonly question: Question; readonly trace: Trace }>();
  const given = new WeakMap<Path, { readonly counsel: Counsel | undefined }>();
  return {
    remember: (question, trace) => {
      for (const path of trace.paths) if (path.reason !== undefined) asked.set(path, { question, trace });
    },
    advice: (path) => {
      const known = given.get(path);
      const about = asked.get(path);
      if (known || !about) return known?.counsel;
      const counsel = adviceFor(settingOf(opened(), reopen, about.question, about.trace), path);
      given.set(path, { counsel });
      return counsel;
    },
  };
}

function settingOf(session: Opened, reopen: Reopen, question: Question, trace: Trace): Setting {
  const { input, cluster, causes } = session;
  return {
    cluster,
    causes,
    question,
    trace,
    objects: input.objects,
    topology: input.topology,
    place: (source, field) => {
      const place = source && input.sources.place(source, field);
      return place && formatPlace(place);
    },
    walk: (edit) => {
      const isChanged = edit.objects !== undefined || edit.topology !== undefined;
      const changed = isChanged ? reopen({ objects: input.objects, topology: input.topology, ...edit }) : session;
      const again: Question = { ...(edit.question ?? question), evidence: false };
      try {
        return settingOf(changed, reopen, again, changed.trace(again));
      } catch (error) {
        if (error instanceof UsageError) return undefined; // the change took the one who asks away
        throw error;
      }
    },
  };
}
