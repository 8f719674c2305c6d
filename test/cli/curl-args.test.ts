import assert from "node:assert/strict";
import test from "node:test";
import { type CurlRequest, expandWriteOut, parseCurl } from "../../src/cli/curl-args.ts";
import { UsageError } from "../../src/objects/diagnostic.ts";

const parse = (args: readonly string[]): CurlRequest => parseCurl(args, (path) => path === "manifests" || path === "topology.yaml");
const view = ({ host, port, http, family, localPort, sourceAddress, url }: CurlRequest) => ({
  host,
  port,
  scheme: http.scheme,
  path: http.path,
  method: http.method,
  ...(http.hostHeader === undefined ? {} : { hostHeader: http.hostHeader }),
  ...(family === undefined ? {} : { family }),
  ...(localPort === undefined ? {} : { localPort }),
  ...(sourceAddress === undefined ? {} : { sourceAddress }),
  flags: [http.insecure && "k", http.head && "I", http.follow && "L", http.fail && "f"].filter(Boolean).join(""),
  url,
});
const plain = { port: 80, scheme: "http", path: "/", method: "GET", flags: "" };

const read = [
  { args: "node2:31160", sees: { ...plain, host: "node2", port: 31160, url: "http://node2:31160/" } },
  { args: "http://www.test.com/a?b=1#frag", sees: { ...plain, host: "www.test.com", path: "/a?b=1", url: "http://www.test.com/a?b=1" } },
  { args: "http://host?x", sees: { ...plain, host: "host", path: "/?x", url: "http://host/?x" } },
  { args: "HTTPS://user:pw@host/", sees: { ...plain, host: "host", port: 443, scheme: "https", url: "https://host/" } },
  { args: "[FD00::0:1]:8080/x", sees: { ...plain, host: "fd00::1", port: 8080, path: "/x", url: "http://[fd00::1]:8080/x" } },
  {
    args: "-sSfkIL https://h",
    sees: { ...plain, host: "h", port: 443, scheme: "https", method: "HEAD", flags: "kILf", url: "https://h/" },
  },
  {
    args: "-XPUT -H Host:www.test.com -6 h",
    sees: { ...plain, host: "h", method: "PUT", hostHeader: "www.test.com", family: 6, url: "http://h/" },
  },
  { args: "--request DELETE h -4", sees: { ...plain, host: "h", method: "DELETE", family: 4, url: "http://h/" } },
  { args: "-d a=1 -A agent h", sees: { ...plain, host: "h", method: "POST", url: "http://h/" } },
  { args: "-G -d a=1 h", sees: { ...plain, host: "h", url: "http://h/" } },
  {
    args: "--local-port 40000-40010 --interface eth1 h",
    sees: { ...plain, host: "h", localPort: 40000, sourceAddress: "eth1", url: "http://h/" },
  },
  { args: "--url=h --request-target /raw", sees: { ...plain, host: "h", path: "/raw", url: "http://h/" } },
];
for (const { args, sees } of read) test(`curl ${args}`, () => assert.deepEqual(view(parse(args.split(" "))), sees));

test("--resolve and --connect-to, IPv6 and wildcards", () => {
  const { http } = parse([
    "--resolve",
    "www:80:10.0.0.1,[fd00::1]",
    "--resolve",
    "*:443:1.2.3.4",
    "--connect-to",
    "a:1:b:",
    "--connect-to",
    "::[::1]:8",
    "www",
  ]);
  assert.deepEqual(http.resolve, [
    { host: "www", port: 80, addresses: ["10.0.0.1", "fd00::1"] },
    { host: "*", port: 443, addresses: ["1.2.3.4"] },
  ]);
  assert.deepEqual(http.connectTo, [
    { host: "a", port: 1, toHost: "b" },
    { toHost: "::1", toPort: 8 },
  ]);
});

test("the command is what was typed, without ktrace's own flags", () => {
  const request = parse(["-I", "http://h/a b", "-o", "json", "--from", "pod/nginx", "-H", "Host: x"]);
  assert.deepEqual(request.command, ["curl", "-I", "http://h/a b", "-H", "Host: x"]);
  assert.deepEqual(
    request.own.map((item) => item.kind === "flag" && [item.name, item.value]),
    [
      ["output", "json"],
      ["from", "pod/nginx"],
    ],
  );
});

test("a flag that decides nothing is noted once", () => {
  assert.deepEqual(parse(["--limit-rate", "1k", "-N", "-s", "h"]).notes, ["curl's --limit-rate changes nothing here"]);
  assert.deepEqual(parse(["-sS", "-w", "%{http_code}", "h"]).notes, []);
});

const refused = [
  { args: "", says: /URL is missing/ },
  { args: "a b", says: /one URL at a time/ },
  { args: "ftp://h", says: /Protocol "ftp"/ },
  { args: "h:0", says: /port is a number from 1 to 65535/ },
  { args: "h:65536", says: /port is a number/ },
  { args: "http://", says: /host is missing/ },
  { args: "http://[::1", says: /neither a host name|no IPv6 address|port/ },
  { args: "http://\u001b[31m", says: /neither a host name/ },
  { args: "-x proxy:3128 h", says: /cannot be traced/ },
  { args: "--resolve h:80 h", says: /--resolve is HOST:PORT:ADDRESS/ },
  { args: "--resolve h:80:nonsense h", says: /--resolve is HOST:PORT:ADDRESS/ },
  { args: "--connect-to a:b h", says: /--connect-to is/ },
  { args: "-m soon h", says: /--max-time is a number/ },
  { args: "h -H", says: /needs a value/ },
  { args: "--insecur h", says: /no flag --insecur/, help: /--insecure/ },
  { args: "h -f manifests", says: /curl's own --fail/, help: /put it first/ },
  { args: "-sf manifests h", says: /curl's own --fail/ },
  { args: "-t topology.yaml h", says: /curl's own --telnet-option/ },
];
for (const { args, says, help } of refused) {
  test(`curl ${JSON.stringify(args)} is refused`, () => {
    assert.throws(
      () => parse(args === "" ? [] : args.split(" ")),
      (error) => error instanceof UsageError && says.test(error.message) && (help === undefined || help.test(error.help ?? "")),
    );
  });
}

test("-f before a URL that is no file is --fail", () => assert.equal(parse(["-f", "node2"]).http.fail, true));

test("-w prints the variables it knows", () => {
  const values = new Map([
    ["http_code", "200"],
    ["remote_ip", "10.0.0.1"],
  ]);
  assert.equal(expandWriteOut("%{http_code} %{remote_ip} %{nosuch}%%\\n", values), "200 10.0.0.1 %\n");
});
