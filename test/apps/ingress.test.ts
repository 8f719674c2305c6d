/** Which Ingress rule takes a request: the host and path rules of networking.k8s.io/v1, and what ingress-nginx adds. */
import { changed, type Row, runRows } from "../scenarios/rows.ts";

/** Rules as `host path type`, each to a Service of its own that is called after its number and has no pod: 503 names it. */
const withRules = (rules: readonly string[], more = ""): string =>
  changed({
    "ingress.yaml": `${rules
      .map((rule, index) => {
        const [host = "*", path = "/", type = "Prefix"] = rule.split(" ");
        return `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: rule${index}}
spec:
  rules:
    - ${host === "*" ? "" : `host: "${host}"\n      `}http: {paths: [{path: ${path}, pathType: ${type}, backend: {service: {name: to${index}, port: {number: 80}}}}]}
---
${service(`to${index}`)}`;
      })
      .join("---\n")}${more}`,
  });

function service(name: string): string {
  return `apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {selector: {app: tomcat6}, clusterIP: None, ports: [{port: 80, targetPort: ${8100 + Number(name.replace(/\D/g, ""))}}]}
`;
}

type Case = {
  readonly rules: readonly string[];
  readonly host: string;
  readonly path: string;
  readonly takes: number | undefined;
  readonly name: string;
};
const cases: readonly Case[] = [
  // The table of path types in the API's documentation.
  { name: "Prefix / takes all", rules: ["* / Prefix"], host: "a", path: "/foo/bar", takes: 0 },
  { name: "Exact takes itself", rules: ["* /foo Exact"], host: "a", path: "/foo", takes: 0 },
  { name: "Exact takes no other", rules: ["* /foo Exact"], host: "a", path: "/bar", takes: undefined },
  { name: "Exact minds a final slash", rules: ["* /foo Exact"], host: "a", path: "/foo/", takes: undefined },
  { name: "Exact with one minds its absence", rules: ["* /foo/ Exact"], host: "a", path: "/foo", takes: undefined },
  { name: "Prefix takes a final slash", rules: ["* /foo Prefix"], host: "a", path: "/foo/", takes: 0 },
  { name: "Prefix with one takes its absence", rules: ["* /foo/ Prefix"], host: "a", path: "/foo", takes: 0 },
  { name: "Prefix compares whole elements", rules: ["* /aaa/bb Prefix"], host: "a", path: "/aaa/bbb", takes: undefined },
  { name: "Prefix takes what lies below", rules: ["* /aaa/bbb Prefix"], host: "a", path: "/aaa/bbb/ccc", takes: 0 },
  { name: "Prefix minds case", rules: ["* /foo Prefix"], host: "a", path: "/FOO", takes: undefined },
  { name: "the longest path wins", rules: ["* / Prefix", "* /aaa Prefix"], host: "a", path: "/aaa/ccc", takes: 1 },
  { name: "Exact before Prefix of one length", rules: ["* /foo Prefix", "* /foo Exact"], host: "a", path: "/foo", takes: 1 },
  { name: "the query is no path", rules: ["* /foo Exact"], host: "a", path: "/foo?a=/b", takes: 0 },
  {
    name: "ImplementationSpecific is a prefix of characters in ingress-nginx",
    rules: ["* /test ImplementationSpecific"],
    host: "a",
    path: "/testing",
    takes: 0,
  },
  // Hosts.
  { name: "a rule's host", rules: ["foo.com / Prefix"], host: "foo.com", path: "/", takes: 0 },
  { name: "another host", rules: ["foo.com / Prefix"], host: "bar.com", path: "/", takes: undefined },
  { name: "hosts do not mind case", rules: ["foo.com / Prefix"], host: "FOO.com", path: "/", takes: 0 },
  { name: "a wildcard stands for one label", rules: ["*.foo.com / Prefix"], host: "bar.foo.com", path: "/", takes: 0 },
  { name: "not for two", rules: ["*.foo.com / Prefix"], host: "baz.bar.foo.com", path: "/", takes: undefined },
  { name: "nor for none", rules: ["*.foo.com / Prefix"], host: "foo.com", path: "/", takes: undefined },
  {
    name: "an exact host before a wildcard",
    rules: ["*.foo.com /longer Prefix", "bar.foo.com / Prefix"],
    host: "bar.foo.com",
    path: "/longer",
    takes: 1,
  },
  { name: "a wildcard before no host", rules: ["* / Prefix", "*.foo.com / Prefix"], host: "bar.foo.com", path: "/", takes: 1 },
  {
    name: "a known host whose paths do not match falls back to no other host",
    rules: ["* / Prefix", "foo.com /only Prefix"],
    host: "foo.com",
    path: "/else",
    takes: undefined,
  },
];

const rows = cases.map(({ name, rules, host, path, takes }): Row => {
  const port = 8100 + (takes ?? 0);
  return {
    id: name,
    command: `curl --resolve ${host.toLowerCase()}:80:192.168.56.101 -H 'Host: ${host}' http://${host.toLowerCase()}${path}`,
    in: withRules(rules),
    expect:
      takes === undefined
        ? { verdict: "http-error", exit: 1, paths: ["1 http-error ingress-no-match 404"] }
        : {
            verdict: "http-error",
            exit: 1,
            paths: Array.from({ length: 3 }, () => "1/3 http-error upstream-failed 502"),
            legs: [
              "transport host 192.168.56.101:80 nginx",
              ...[11, 210, 211].flatMap((last) => [`transport pod 10.244.${last > 200 ? 2 : 1}.${last % 200}:${port}`]),
            ],
          },
  };
});
runRows(rows);
