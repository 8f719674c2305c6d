/** Label selectors, as apimachinery/pkg/labels matches them. */
import type { LabelSelector, Labels } from "./api.ts";

/** Equality on every key. An empty selector matches everything; the callers decide what an absent one means. */
export const matchesLabels = (selector: Labels, labels: Labels = {}): boolean =>
  Object.entries(selector).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);

/** matchLabels and matchExpressions together; all must hold. An unknown operator matches nothing. */
export function matchesSelector(selector: LabelSelector, labels: Labels = {}): boolean {
  if (!matchesLabels(selector.matchLabels ?? {}, labels)) return false;
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (operator) {
      case "In":
        return value !== undefined && values.includes(value);
      case "NotIn":
        return value === undefined || !values.includes(value);
      case "Exists":
        return value !== undefined;
      case "DoesNotExist":
        return value === undefined;
      default:
        return false;
    }
  });
}
