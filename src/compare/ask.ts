/** What is asked of a target: a plain connection, a ping, or an HTTP request to an Ingress. */
import type { Protocol } from "../net/packet.ts";
import type { Question } from "../trace/question.ts";
import { plainQuestion, webQuestion } from "../trace/questions.ts";

export type Asked = {
  readonly from: string; // SOURCE
  readonly host: string;
  readonly port?: number; // absent for a ping
  readonly protocol: Protocol;
  /** A URL's path, for what is asked over HTTP. */
  readonly path?: string;
  readonly scheme?: "http" | "https";
  /** Where the URL's host is to be found, as curl's --resolve says it. */
  readonly resolve?: string;
};

export function questionOf({ from, host, port, protocol, path, scheme = "http", resolve }: Asked, namespace: string): Question {
  if (path === undefined || port === undefined)
    return plainQuestion({ from, host, protocol, namespace, ...(port === undefined ? {} : { port }) });
  return webQuestion({ from, scheme, host, port, path, namespace, ...(resolve === undefined ? {} : { address: resolve }) });
}
