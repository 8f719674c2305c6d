/** What a lab cannot do here, in words for the person at the terminal: wrong machine, missing tool, name taken. */
export class LabError extends Error {
  override readonly name = "LabError";
}

/** Stops with the message unless the claim holds. For what the input or the machine decides; a bug of ours is no LabError. */
export function labRequires(claim: unknown, message: string): asserts claim {
  if (!claim) throw new LabError(message);
}
