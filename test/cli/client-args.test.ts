import assert from "node:assert/strict";
import test from "node:test";
import { type ClientRequest, parseNc, parsePing } from "../../src/cli/client-args.ts";
import { parseDig, parseNslookup } from "../../src/cli/dig-args.ts";
import { UsageError } from "../../src/objects/diagnostic.ts";

const parsers = { nc: parseNc, ping: parsePing, dig: parseDig, nslookup: parseNslookup };
type Program = keyof typeof parsers;
const run = (line: string): ClientRequest => {
  const [program = "nc", ...args] = line.split(" ");
  const name = Object.keys(parsers).find((known): known is Program => known === program);
  if (name === undefined) throw new Error(`no parser for ${program}`);
  return parsers[name](args);
};

const read = [
  { line: "nc -u node2 31999", sees: { host: "node2", port: 31999, protocol: "udp" } },
  { line: "nc -zv -w 3 -p 4000 10.0.2.5 80", sees: { host: "10.0.2.5", port: 80, protocol: "tcp", localPort: 4000 } },
  { line: "nc -6 -s fd00::5 [fd00::1] 80", sees: { host: "fd00::1", port: 80, protocol: "tcp", family: 6, sourceAddress: "fd00::5" } },
  { line: "ping -c 3 -t 5 -I eth1 node2", sees: { host: "node2", protocol: "icmp", ttl: 5, sourceAddress: "eth1" } },
  { line: "ping -4 node2", sees: { host: "node2", protocol: "icmp", family: 4 } },
  {
    line: "dig @10.96.0.10 tomcat6.default srv +short",
    sees: { host: "tomcat6.default", port: 53, protocol: "udp", type: "SRV", server: "10.96.0.10" },
  },
  { line: "dig -x 10.96.0.1", sees: { host: "1.0.96.10.in-addr.arpa", port: 53, protocol: "udp", type: "PTR" } },
  {
    line: "nslookup -type=AAAA tomcat6 10.96.0.10",
    sees: { host: "tomcat6", port: 53, protocol: "udp", type: "AAAA", server: "10.96.0.10" },
  },
];
for (const { line, sees } of read) {
  test(line, () => {
    const { command, own, lookup, ...rest } = run(line);
    assert.equal(command.join(" "), line);
    assert.deepEqual(
      own.map((item) => item.kind === "flag" && item.name),
      line.includes("-zv") ? ["verbose"] : [],
    );
    assert.deepEqual(rest, sees);
  });
}

const refused = [
  { line: "nc node2", says: /needs a host and a port/ },
  { line: "nc node2 http", says: /port is a number/ },
  { line: "nc node2 80-90", says: /one port at a time/ },
  { line: "nc -l 80", says: /listens/ },
  { line: "ping a b", says: /one host/ },
  { line: "ping -t 300 a", says: /from 1 to 255/ },
  { line: "ping -Z a", says: /no flag -Z/ },
  { line: "dig name BOGUS", says: /unknown record type/ },
  { line: "dig", says: /needs a name/ },
];
for (const { line, says } of refused)
  test(`${line} is refused`, () =>
    assert.throws(
      () => run(line),
      (error) => error instanceof UsageError && says.test(error.message),
    ));
