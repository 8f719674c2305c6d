/** KT901: a request that somebody wrote down with its end (`ktrace.dev/expect`, or `expect` of the project file) ends otherwise. */
import { UsageError } from "../../objects/diagnostic.ts";
import { labelsAt } from "../../objects/record.ts";
import { judgeExpected } from "../expected.ts";
import type { Finding } from "../finding.ts";
import type { Rule } from "../rule.ts";
import { proofOf, refOfWritten, type Subject } from "../subject.ts";

export const KT901: Rule = {
  code: "KT901",
  name: "expectation-failed",
  severity: "error",
  needs: "data-plane",
  fix: "no",
  title: "a request that is written down does not end as it is written",
  why: "Somebody counts on this request. The packet's course shows where it ends instead, and by which line of which manifest.",
  bad: {
    manifests: `kind: ConfigMap
apiVersion: v1
metadata: {name: e, annotations: {ktrace.dev/expect: "curl http://192.168.56.100:31161/ => 200"}}
`,
  },
  good: {
    manifests: `kind: ConfigMap
apiVersion: v1
metadata: {name: e, annotations: {ktrace.dev/expect: "curl http://192.168.56.100:31160/ => 200"}}
`,
  },
  check: function* (subject) {
    for (const wanted of [...ofObjects(subject), ...ofProject(subject)]) {
      const found = judge(subject, wanted);
      if (found) yield found;
    }
  },
};

type Wanted = Pick<Finding, "at" | "about"> & { readonly run: string; readonly expects: string };

const KEY = "ktrace.dev/expect";

/** One request a line of the annotation. */
const ofObjects = (subject: Subject): Wanted[] =>
  subject.written.flatMap((written) =>
    (labelsAt(written.value, "metadata", "annotations")[KEY] ?? "").split("\n").flatMap((line): Wanted[] => {
      const arrow = line.lastIndexOf("=>");
      if (line.trim() === "") return [];
      const [run, expects] = arrow < 0 ? [line, ""] : [line.slice(0, arrow), line.slice(arrow + 2)];
      const at = { source: written.source, field: ["metadata", "annotations", KEY] };
      return [{ run: run.trim(), expects: expects.trim(), at, about: [refOfWritten(written)] }];
    }),
  );

const ofProject = ({ options }: Subject): Wanted[] =>
  (options.expect ?? []).map(({ run, to, at }) => ({ run, expects: to, at, about: [{ kind: "Project", name: run }] }));

function judge(subject: Subject, wanted: Wanted): Finding | undefined {
  const base = { at: wanted.at, about: wanted.about };
  const unreadable = (message: string, help: string): Finding => ({ ...base, message, help, label: "cannot be asked" });
  const grammar = "write `curl URL => 200`, `exec pod/NAME -- curl URL => dropped`, or another verdict or reason after the arrow";
  if (wanted.expects === "") return unreadable(`${JSON.stringify(wanted.run)} does not say what is expected: there is no \`=>\``, grammar);
  try {
    const asked = subject.options.questionOf?.(wanted.run);
    if (!asked) return unreadable(`${JSON.stringify(wanted.run)} is no request that can be asked`, grammar);
    const trace = subject.trace(asked);
    const { verdict, got } = judgeExpected(wanted.expects, trace);
    if (verdict === "met") return undefined;
    if (verdict === "unreadable") return unreadable(`${JSON.stringify(wanted.expects)} is nothing that a request can end with`, grammar);
    const isOpen = trace.paths.some((path) => path.verdict === "unknown");
    return {
      ...base,
      message: isOpen
        ? `\`${wanted.run}\` is expected to end with ${wanted.expects}, which cannot be told: ${got}`
        : `\`${wanted.run}\` is expected to end with ${wanted.expects}, and ends otherwise: ${got}`,
      label: isOpen ? "something on the way is not modelled" : "not so",
      help: "mend the path, or what is expected",
      packet: proofOf(asked, trace),
      ...(isOpen ? { severity: "info" as const } : {}),
    };
  } catch (error) {
    if (error instanceof UsageError) return unreadable(`\`${wanted.run}\`: ${error.message}`, error.help ?? grammar);
    throw error;
  }
}
