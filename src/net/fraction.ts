/** Exact shares. Probabilities of outcomes multiply and add without rounding, so that they always sum to exactly 1. */
export type Fraction = { readonly num: bigint; readonly den: bigint };

export const ZERO: Fraction = { num: 0n, den: 1n };
export const ONE: Fraction = { num: 1n, den: 1n };

/** `num/den` in lowest terms. `den` must be positive. */
export function fraction(num: number | bigint, den: number | bigint): Fraction {
  const n = BigInt(num);
  const d = BigInt(den);
  const common = gcd(n < 0n ? -n : n, d);
  return { num: n / common, den: d / common };
}

export const addFractions = (a: Fraction, b: Fraction): Fraction => fraction(a.num * b.den + b.num * a.den, a.den * b.den);
export const timesFraction = (a: Fraction, b: Fraction): Fraction => fraction(a.num * b.num, a.den * b.den);
export const minusFraction = (a: Fraction, b: Fraction): Fraction => fraction(a.num * b.den - b.num * a.den, a.den * b.den);
export const sumFractions = (all: readonly Fraction[]): Fraction => all.reduce(addFractions, ZERO);
export const equalFractions = (a: Fraction, b: Fraction): boolean => a.num === b.num && a.den === b.den;
/** "1/3", and "1" for the whole. */
export const formatFraction = (f: Fraction): string => (f.den === 1n ? String(f.num) : `${f.num}/${f.den}`);
/** The nearest double, for the machine formats. */
export const fractionToNumber = (f: Fraction): number => Number(f.num) / Number(f.den);

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a || 1n : gcd(b, a % b);
}
