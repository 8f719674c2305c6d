/**
 * A name with several addresses: a client that cannot connect to one goes on to the next (curl, OpenBSD's nc; ping does not,
 * nor does a UDP socket, which connects without a packet). The happy eyeballs of curl (RFC 8305) are told one after another.
 */
import type { Ip } from "../net/address.ts";
import { NO_CAUSE } from "../net/cause.ts";
import { fraction, ONE, timesFraction } from "../net/fraction.ts";
import type { Course } from "./course.ts";
import type { Question } from "./question.ts";
import type { Leg, NameStep } from "./trace.ts";

/** Walks the connection to one address. */
export type Connect = (ip: Ip, name: NameStep, before: readonly Leg[]) => Course[];

type Named = { readonly ip: Ip; readonly name: NameStep; readonly rest?: readonly (readonly Ip[])[] };

/** Of more addresses than this the next one is taken in their order: each order of a few is a path of its own. */
const MAX_SHUFFLED = 4;

/** The courses to an address, and where they fail, to the next ones: of a family any, as servers shuffle them. */
export function withNextAddresses(question: Question, connect: Connect, { ip, name, rest = [] }: Named, before: readonly Leg[]): Course[] {
  const courses = connect(ip, name, before);
  const [group, ...later] = rest;
  if (group === undefined || question.to.protocol !== "tcp" || question.program === "trace") return courses;
  const choices = group.length > MAX_SHUFFLED ? group.slice(0, 1) : group;
  return courses.flatMap((course) => {
    // Beyond the client's own leg another process has taken the connection: it was made.
    if (!isFailed(course) || course.legs.length > before.length + 1) return [course];
    return choices.flatMap((next) => {
      const left = [group.filter((one) => one !== next), ...later].filter((one) => one.length > 0);
      const step: NameStep = { host: name.host, ip: next, how: name.how, detail: `the next address, after ${ip} failed`, cause: NO_CAUSE };
      const share = timesFraction(course.share, choices.length === 1 ? ONE : fraction(1, choices.length));
      return withNextAddresses(question, connect, { ip: next, name: step, rest: left }, course.legs).map((one) => ({
        ...one,
        share: timesFraction(share, one.share),
      }));
    });
  });
}

/** connect() gave an error, at once or after its time. */
const isFailed = ({ verdict, ending }: Course): boolean =>
  ending.accepted !== true && (verdict === "rejected" || verdict === "dropped" || verdict === "unanswered" || verdict === "looped");
