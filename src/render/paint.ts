/** Colour as six functions, so that renderers need no terminal library; the command line brings chalk's. */
export type Tone = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";
export type Paint = Readonly<Record<Tone, (text: string) => string>>;

const same = (text: string): string => text;

/** No colour: files, pipes, tests. */
export const PLAIN: Paint = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };
