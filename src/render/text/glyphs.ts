/** The few drawn characters, and what stands for them where the terminal has only ASCII. */
export type Glyphs = { readonly bar: string; readonly down: string; readonly wire: string; readonly to: string; readonly shows: string };

export const UNICODE: Glyphs = { bar: "│", down: "▼", wire: "────", to: "→", shows: "›" };
export const ASCII: Glyphs = { bar: "|", down: "v", wire: "----", to: "->", shows: ">" };
