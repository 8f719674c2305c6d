/** What the judge finds. */

/** One point on which both disagree. */
export type Difference = {
  readonly about: "request" | "reply" | "third" | "aftermath" | "conntrack" | "client" | "server" | "rules";
  readonly text: string;
};
