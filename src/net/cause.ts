/**
 * Why a rule, route or socket is there, as an opaque number. The front door keeps the table from it to the
 * Kubernetes object and its place, so that `linux` and `trace` stay free of both.
 */
export type CauseId = number;

/** Nothing in the input made it: the kernel's own, or a fixed part of an agent's set-up. */
export const NO_CAUSE: CauseId = 0;
