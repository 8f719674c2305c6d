/**
 * Stand-ins for what the API server draws at random: name suffixes, pod-template-hashes, MACs. The same input gives the
 * same name. The real pod-template-hash depends on a Go struct dump and cannot be computed here; only its shape is kept.
 */

/** apimachinery/pkg/util/rand: no vowels, no 0 1 3, so that no words come out. */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
/** Kubernetes cuts a generateName prefix so that the whole name keeps 63 characters (apiserver/pkg/storage/names). */
const MAX_PREFIX = 58;

/** FNV-1a, 32 bits, over UTF-16 units. */
export function fnv32a(text: string, seed = 0x811c9dc5): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Spreads the last characters' influence over all bits (the finaliser of MurmurHash3). */
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A number that looks random and depends on the text alone. */
export const drawNumber = (seed: string): number => mix(fnv32a(seed));

/** Five characters, as `generateName` appends. */
export function drawSuffix(seed: string): string {
  let rest = drawNumber(seed);
  let suffix = "";
  for (let i = 0; i < 5; i++) {
    suffix += ALPHABET[rest % ALPHABET.length];
    rest = Math.floor(rest / ALPHABET.length);
  }
  return suffix;
}

/** `prefix` and five characters, drawn again while the name is taken. The name is then taken. */
export function generateName(prefix: string, seed: string, taken: Set<string>): string {
  for (let attempt = 0; ; attempt++) {
    const name = prefix.slice(0, MAX_PREFIX) + drawSuffix(attempt === 0 ? seed : `${seed}#${attempt}`);
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}

/** A stand-in for pod-template-hash: decimal digits of a 32-bit hash, each through the alphabet (`ord % 27`), so only `456789bcdf`. */
export function templateHash(template: string): string {
  return [...String(drawNumber(template))].map((digit) => ALPHABET[digit.charCodeAt(0) % ALPHABET.length]).join("");
}

/** A locally administered MAC that depends on the text alone. */
export function drawMac(seed: string): string {
  const bytes = [0x02, drawNumber(`${seed}\u0000mac`) & 0xff];
  const low = drawNumber(seed);
  for (const shift of [24, 16, 8, 0]) bytes.push((low >>> shift) & 0xff);
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
