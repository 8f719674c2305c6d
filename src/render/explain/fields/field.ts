/** One field of an API object, as `ktrace explain service.spec.FIELD` tells it: what it does to packets, and in which releases. */
export type FieldText = {
  readonly path: string; // "service.spec.clusterIP"
  readonly type: string; // as kubectl explain writes it: "string", "[]string"
  readonly what: string; // what it makes the cluster do
  readonly packets: string; // what that means on a packet's way
  readonly since: string; // the release that brought it; "1.0" for the first API
  readonly default?: string;
  readonly note?: string; // a change between releases that does not end it
  readonly deprecated?: string; // release
  readonly removed?: string; // release whose API no longer has it
  readonly instead?: string; // what took its place
};
