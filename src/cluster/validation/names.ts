/**
 * Names, labels and ports, judged as apimachinery judges them (k8s.io/apimachinery/pkg/util/validation/validation.go), each
 * answer in its words. Nothing wrong: an empty list.
 */

const byteLength = (text: string): number => Buffer.byteLength(text);

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE = `(${QUALIFIED})?`;
const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

const MOST_IN_LABEL = 63;
const MOST_IN_SUBDOMAIN = 253;
const MOST_IN_PORT_NAME = 15;

/** A text that has to have a form, and what is said when it has not. */
type Form = { readonly regex: RegExp; readonly most: number; readonly message: string };

const form = (source: string, most: number, words: string, ...examples: readonly string[]): Form => ({
  regex: new RegExp(`^(?:${source})$`),
  most,
  message: `${words} (e.g. ${examples.map((example) => `'${example}', `).join(" or ")}regex used for validation is '${source}')`,
});

const FORMS = {
  label: form(
    LABEL,
    MOST_IN_LABEL,
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
    "my-name",
    "123-abc",
  ),
  label1035: form(
    LABEL_1035,
    MOST_IN_LABEL,
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
    "my-name",
    "abc-123",
  ),
  subdomain: form(
    SUBDOMAIN,
    MOST_IN_SUBDOMAIN,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
    "example.com",
  ),
  wildcard: form(
    `\\*\\.${SUBDOMAIN}`,
    MOST_IN_SUBDOMAIN,
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
    "*.example.com",
  ),
  qualified: form(
    QUALIFIED,
    MOST_IN_LABEL,
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    "MyName",
    "my.name",
    "123-abc",
  ),
  labelValue: form(
    LABEL_VALUE,
    MOST_IN_LABEL,
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    "MyValue",
    "my_value",
    "12345",
  ),
} as const;

/** Far beyond every limit the length alone is said: an expression over a megabyte would exhaust the stack. */
const MOST_EXAMINED = 4096;

const judge = (text: string, { regex, most, message }: Form): string[] => [
  ...(byteLength(text) > most ? [tooLongFor(most)] : []),
  ...(text.length > MOST_EXAMINED || regex.test(text) ? [] : [message]),
];

const tooLongFor = (most: number): string => `must be no more than ${most} bytes`;

/** A name of that look which would be taken: `web-shop` for `Web_Shop`. With dots where `dots` says so. */
export function likeName(text: string, dots: boolean): string | undefined {
  const form = dots ? FORMS.subdomain : FORMS.label;
  const tidy = text
    .slice(0, MOST_IN_SUBDOMAIN)
    .toLowerCase()
    .replace(dots ? /[^a-z0-9.]+/g : /[^a-z0-9]+/g, "-")
    .slice(0, dots ? MOST_IN_SUBDOMAIN : MOST_IN_LABEL)
    .replace(/^[-.]+|[-.]+$/g, "");
  return tidy !== text && form.regex.test(tidy) ? tidy : undefined;
}

/** One part of a DNS name (RFC 1123): IsDNS1123Label. Dots alone are said shorter. */
export function labelFaults(text: string): string[] {
  const isSubdomain = byteLength(text) <= MOST_IN_LABEL && FORMS.subdomain.regex.test(text) && !FORMS.label.regex.test(text);
  return isSubdomain ? ["must not contain dots"] : judge(text, FORMS.label);
}
/** A label that begins with a letter (RFC 1035): IsDNS1035Label. */
export const label1035Faults = (text: string): string[] => judge(text, FORMS.label1035);
/** A DNS name: IsDNS1123Subdomain. */
export const subdomainFaults = (text: string): string[] => judge(text, FORMS.subdomain);
/** `*.` and a DNS name: IsWildcardDNS1123Subdomain. */
export const wildcardFaults = (text: string): string[] => judge(text, FORMS.wildcard);
/** What a label may hold: IsValidLabelValue. */
export const labelValueFaults = (text: string): string[] => judge(text, FORMS.labelValue);

/** A label's key, an appProtocol, a class: an optional DNS prefix, `/`, and a name (IsQualifiedName). */
export function qualifiedNameFaults(text: string): string[] {
  const parts = text.split("/");
  const [prefix, name] = parts.length === 1 ? [undefined, text] : parts;
  if (parts.length > 2 || name === undefined)
    return [
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ];
  const ofPrefix =
    prefix === undefined ? [] : prefix === "" ? ["prefix part must be non-empty"] : subdomainFaults(prefix).map(ofPrefixPart);
  if (name === "") return [...ofPrefix, "name part must be non-empty"];
  const tooLong = byteLength(name) > MOST_IN_LABEL ? [`name part ${tooLongFor(MOST_IN_LABEL)}`] : [];
  return [...ofPrefix, ...tooLong, ...(name.length > MOST_EXAMINED || FORMS.qualified.regex.test(name) ? [] : [FORMS.qualified.message])];
}

const ofPrefixPart = (fault: string): string => `prefix part ${fault}`;

/** `example.com/controller`: IsDomainPrefixedPath. */
export function domainPrefixedPathFaults(text: string): string[] {
  const slash = text.indexOf("/");
  const [domain, path] = [text.slice(0, slash), text.slice(slash + 1)];
  if (slash < 0 || domain === "" || path === "") return ['must be a domain-prefixed path (such as "acme.io/foo")'];
  const ofDomain = subdomainFaults(domain).map(ofPrefixPart);
  return new RegExp(`^${HTTP_PATH}$`).test(path)
    ? ofDomain
    : [...ofDomain, `Invalid path (e.g. '${path}', regex used for validation is '${HTTP_PATH}')`];
}

/** 1 to 65535: IsValidPortNum. */
export const portFaults = (port: number): string[] => (port >= 1 && port <= 65535 ? [] : ["must be between 1 and 65535, inclusive"]);

/** An IANA service name (RFC 6335) in small letters: IsValidPortName. "8080" is none. */
export function portNameFaults(name: string): string[] {
  return [
    ...(byteLength(name) > MOST_IN_PORT_NAME ? [tooLongFor(MOST_IN_PORT_NAME)] : []),
    ...(/^[-a-z0-9]+$/.test(name) ? [] : ["must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"]),
    ...(/[a-z]/.test(name) ? [] : ["must contain at least one letter (a-z)"]),
    ...(name.includes("--") ? ["must not contain consecutive hyphens"] : []),
    ...(/^-|-$/.test(name) ? ["must not begin or end with a hyphen"] : []),
  ];
}
