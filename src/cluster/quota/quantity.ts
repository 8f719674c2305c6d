/**
 * Amounts of resources as the API writes them (apimachinery/pkg/api/resource, Quantity): `500m`, `2`, `1Gi`, `1e3`. Held in
 * billionths, the finest that the API keeps, and printed in its canonical form: `2000m` is `2`, `0.5Gi` is `512Mi`.
 */

export type Quantity = { readonly nano: bigint; readonly format: "decimal" | "binary" | "exponent" };

const NANO = 1_000_000_000n;
const DECIMAL: readonly (readonly [string, number])[] = [
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
];
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const MAX_DIGITS = 30;

export const ZERO: Quantity = { nano: 0n, format: "decimal" };
export const wholeQuantity = (count: number): Quantity => ({ nano: BigInt(Math.trunc(count)) * NANO, format: "decimal" });

/** Undefined for text that is no quantity. What is finer than a billionth is rounded up, as the API does. */
export function parseQuantity(written: string | number): Quantity | undefined {
  const found = /^([+-]?)(\d*)(?:\.(\d*))?([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,3})?$/.exec(String(written).trim());
  if (!found) return undefined;
  const [, sign, whole = "", fraction = "", suffix = ""] = found;
  if (whole.length + fraction.length === 0 || whole.length + fraction.length > MAX_DIGITS) return undefined;
  const digits = BigInt(whole + fraction);
  const nano = scale(digits, suffix, fraction.length);
  return nano === undefined ? undefined : { nano: sign === "-" ? -nano : nano, format: formatOf(suffix) };
}

const formatOf = (suffix: string): Quantity["format"] =>
  BINARY.includes(suffix) ? "binary" : /^[eE][+-]?\d/.test(suffix) ? "exponent" : "decimal";

/** digits × unit / 10^decimals, in billionths. */
function scale(digits: bigint, suffix: string, decimals: number): bigint | undefined {
  const power = BINARY.indexOf(suffix);
  if (power >= 0) return divideUp(digits * NANO * 1024n ** BigInt(power + 1), 10n ** BigInt(decimals));
  const unit = /^[eE]([+-]?\d+)$/.exec(suffix);
  const exponent = unit ? Number(unit[1]) : (DECIMAL.find(([name]) => name === suffix)?.[1] ?? 0);
  if (Math.abs(exponent) > MAX_DIGITS) return undefined;
  const shift = exponent + 9 - decimals;
  return shift >= 0 ? digits * 10n ** BigInt(shift) : divideUp(digits, 10n ** BigInt(-shift));
}

const divideUp = (a: bigint, b: bigint): bigint => (a + b - 1n) / b;

/** A sum keeps the way of writing of its first part, unless that is zero. */
export const addQuantities = (a: Quantity, b: Quantity): Quantity => ({
  nano: a.nano + b.nano,
  format: a.nano === 0n ? b.format : a.format,
});

export const maxQuantity = (a: Quantity, b: Quantity): Quantity => (b.nano > a.nano ? b : a);

/** Thousandths, rounded up: how the scheduler and quotas count CPU. */
export const milliValue = ({ nano }: Quantity): number => Number(nano >= 0n ? divideUp(nano, NANO / 1000n) : nano / (NANO / 1000n));
/** Whole units, rounded up. */
export const wholeValue = ({ nano }: Quantity): number => Number(nano >= 0n ? divideUp(nano, NANO) : nano / NANO);

/** The canonical text: the largest unit that leaves no fraction. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return "0";
  const size = nano < 0n ? -nano : nano;
  const sign = nano < 0n ? "-" : "";
  // Less than 1024, or not whole, is written in decimal units.
  if (format === "binary" && size >= 1024n * NANO && size % NANO === 0n) return sign + formatBinary(size / NANO);
  return sign + formatDecimal(size, format === "exponent");
}

function formatBinary(whole: bigint): string {
  let [value, power] = [whole, 0];
  while (value % 1024n === 0n && power < BINARY.length) {
    value /= 1024n;
    power++;
  }
  return `${value}${power === 0 ? "" : BINARY[power - 1]}`;
}

function formatDecimal(nano: bigint, asExponent: boolean): string {
  let [value, exponent] = [nano, -9];
  while (value % 1000n === 0n && exponent < 18) {
    value /= 1000n;
    exponent += 3;
  }
  if (asExponent) return exponent === 0 ? String(value) : `${value}e${exponent}`;
  return `${value}${DECIMAL.find(([, power]) => power === exponent)?.[0] ?? ""}`;
}
