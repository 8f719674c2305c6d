/** An address of the wrong family (IsValidIPv4Address, IsValidIPv6Address). */
import { familyOf } from "../../net/address.ts";
import type { IpFamilyName } from "../../objects/api.ts";

/** The text is an address. */
export const familyFaults = (text: string, family: IpFamilyName): string[] =>
  familyOf(text) === (family === "IPv4" ? 4 : 6) ? [] : [`must be a valid ${family} address`];
