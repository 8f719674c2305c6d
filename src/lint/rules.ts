/** Every rule, in the order of its code. A new one is a file in rules/ and a line here. */
import type { PlannedRule, Rule } from "./rule.ts";
import { KT304 } from "./rules/external-traffic-local-drops.ts";
import { KT112 } from "./rules/headless-port-mapping-ignored.ts";
import { KT101 } from "./rules/service-selects-no-pods.ts";

export const RULES: readonly (Rule | PlannedRule)[] = [KT101, KT112, KT304];
