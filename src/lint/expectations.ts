/**
 * Requests that somebody is known to make: the annotation `ktrace.dev/expect` (`curl http://10.0.2.5:31160/ => 200`, one a line;
 * `exec node/k8s-node2 -- curl …` says from where). Only what names a URL is read here.
 */
import { UsageError } from "../objects/diagnostic.ts";
import { labelsAt } from "../objects/record.ts";
import type { Question } from "../trace/question.ts";
import type { Mark } from "./finding.ts";
import type { Subject } from "./subject.ts";

export type Url = { readonly scheme: "http" | "https"; readonly host: string; readonly port: number; readonly path: string };
export type Expectation = {
  readonly text: string; // the request, as written: "curl http://10.0.2.5:31160/"
  readonly expects: string; // "200"
  readonly from: string | undefined; // SOURCE; undefined: outside
  readonly url: Url;
  readonly hostHeader?: string;
  readonly resolve?: { readonly host: string; readonly port: number; readonly ip: string };
  readonly at: Mark;
};

const KEY = "ktrace.dev/expect";

/** Of every object that was read, in the order of the input, as the command line reads them; a line that it refuses is KT901's. */
export const expectations = (subject: Subject): Expectation[] =>
  subject.written.flatMap(({ value, source }) =>
    (labelsAt(value, "metadata", "annotations")[KEY] ?? "").split("\n").flatMap((line): Expectation[] => {
      const [text = "", expects = ""] = line.split("=>").map((part) => part.trim());
      const question = text === "" ? undefined : readable(subject, text);
      const { http, to, from } = question ?? {};
      if (!http || !to) return [];
      const [resolve] = http.resolve;
      const [ip] = resolve?.addresses ?? [];
      return [
        {
          text,
          expects,
          from,
          url: { scheme: http.scheme, host: to.host, port: to.port ?? 80, path: http.path },
          ...(http.hostHeader === undefined ? {} : { hostHeader: http.hostHeader }),
          ...(resolve === undefined || ip === undefined ? {} : { resolve: { host: resolve.host, port: resolve.port, ip } }),
          at: { source, field: ["metadata", "annotations", KEY] },
        },
      ];
    }),
  );

function readable({ options: { questionOf } }: Subject, text: string): Question | undefined {
  try {
    return questionOf?.(text);
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

const URL_FORM = /(https?):\/\/(\[[0-9A-Fa-f:.]+\]|[^\s/:?#"']+)(?::(\d{1,5}))?([/?][^\s"']*)?/;

/** The first URL in a text. */
export function urlIn(text: string): Url | undefined {
  const [found, scheme, host = "", port, path = "/"] = URL_FORM.exec(text) ?? [];
  if (found === undefined) return undefined;
  const secure = scheme === "https";
  const number = port === undefined ? (secure ? 443 : 80) : Number(port);
  return { scheme: secure ? "https" : "http", host: host.replace(/^\[|\]$/g, ""), port: number, path };
}
