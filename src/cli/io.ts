/**
 * The process around a command: its words, streams, environment and working directory. Tests hand in their own; only
 * `start.ts` knows the real ones.
 */
export type Stream = {
  readonly write: (text: string) => void;
  readonly isTTY: boolean;
  readonly columns: number | undefined;
};

export type Io = {
  readonly argv: readonly string[]; // after the program's name
  readonly program: "ktrace" | "kubectl ktrace"; // as usage lines print it
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly readStdin: () => string; // read when `-f -` asks for it
  readonly stdout: Stream;
  readonly stderr: Stream;
};
