/**
 * The helper process of one namespace: answers on the ports it is told, and opens connections when asked. A file of its own
 * in plain JavaScript, because node must start it inside the namespace and start it fast: no imports beyond node's own.
 * Speaks JSON lines. The first line on stdin is its configuration; then requests come on stdin, answers go to stdout. Ends
 * with stdin unless `daemon` is set. A server tells whom it saw: {"server", "local", "peer"}; to an HTTP request it says so in
 * HTTP. A socket that `serves` something is a process of the cluster: a name server, an HTTP or TCP proxy (processes.ts).
 * Not done: TLS, name queries other than A and AAAA, keep-alive towards upstreams.
 */
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin });
let isClosed = false;
lines.once("close", () => {
  isClosed = true;
});
const config = await new Promise((resolve) => {
  lines.once("line", (line) => resolve(JSON.parse(line)));
  lines.once("close", () => resolve({}));
});
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const at = (ip, port) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`);
const family = (ip) => (ip.includes(":") ? "udp6" : "udp4");
/** A dual-stack listener reports IPv4 peers as ::ffff:a.b.c.d. */
const plain = (ip) => (ip ?? "").replace(/^::ffff:(?=\d+\.)/, "");

/** A client that says nothing (nc) gets its answer after this long. */
const PATIENCE_MS = 200;

function listenTcp(ip, port, owner, serves) {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      const answer = JSON.stringify({
        server: owner,
        local: at(plain(socket.localAddress), socket.localPort),
        peer: at(plain(socket.remoteAddress), socket.remotePort),
      });
      if (serves) return startProcess(socket, serves, answer);
      const reply = (text) => socket.end(text);
      const silent = setTimeout(() => reply(`${answer}\n`), PATIENCE_MS);
      socket.on("error", () => {});
      socket.once("data", (data) => {
        clearTimeout(silent);
        const isHttp = /^[A-Z]+ \S+ HTTP\/1/.test(data.toString("latin1"));
        reply(
          isHttp
            ? `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(answer) + 1}\r\nConnection: close\r\n\r\n${answer}\n`
            : `${answer}\n`,
        );
      });
    });
    server.on("error", (error) => resolve(`${at(ip, port)}/tcp: ${error.code}`));
    server.listen({ host: ip, port, ipv6Only: true }, () => resolve(undefined));
  });
}

/** What a helper sends when it only wants to know whom it reached. */
const WHO = "?\n";

/** A process is asked by the helpers too: they hear whom they reached. Who says nothing first waits for the process to speak. */
function startProcess(socket, serves, answer) {
  socket.on("error", () => {});
  const begin = (data) => {
    clearTimeout(silent);
    socket.off("data", begin);
    if (data?.toString("latin1") === WHO) return socket.end(`${answer}\n`);
    socket.pause();
    if (data) socket.unshift(data);
    TCP_PROCESSES[serves.kind](socket, serves);
    if (serves.kind !== "forward") socket.resume();
  };
  const silent = setTimeout(begin, PATIENCE_MS);
  socket.on("data", begin);
}

function listenUdp(ip, port, owner, serves) {
  return new Promise((resolve) => {
    const socket = createSocket({ type: family(ip), ...(ip.includes(":") ? { ipv6Only: true } : {}) });
    socket.on("error", (error) => resolve(`${at(ip, port)}/udp: ${error.code}`));
    const answer = serves && UDP_PROCESSES[serves.kind](serves);
    socket.on("message", (data, peer) => {
      if (answer && data.toString("latin1") !== WHO)
        return answer(data, (reply) => socket.send(reply, peer.port, peer.address, () => {}), at(peer.address, peer.port));
      socket.send(
        `${JSON.stringify({ server: owner, local: at(ip, port), peer: at(peer.address, peer.port) })}\n`,
        peer.port,
        peer.address,
        () => {},
      );
    });
    socket.bind({ address: ip, port }, () => resolve(undefined));
  });
}

/** A connection failed for want of an answer after this long (proxy_connect_timeout of ingress-nginx). */
const UPSTREAM_PATIENCE_MS = 5000;

/** Takes the upstreams in turn, from a random one on, and opens a connection to the first that accepts. */
function connectUpstream({ upstreams, tries, bind }, done, at = Math.floor(Math.random() * upstreams.length), tried = 0) {
  const upstream = upstreams[at % upstreams.length];
  if (!upstream || tried >= Math.min(tries, upstreams.length)) return done(undefined, "refused");
  const socket = connect({ host: upstream.ip, port: upstream.port, ...(bind ? { localAddress: bind } : {}) });
  let isOver = false;
  const failed = (how) => {
    if (isOver) return;
    isOver = true;
    socket.destroy();
    if (tried + 1 < Math.min(tries, upstreams.length)) connectUpstream({ upstreams, tries, bind }, done, at + 1, tried + 1);
    else done(undefined, how);
  };
  const timer = setTimeout(() => failed("silent"), UPSTREAM_PATIENCE_MS);
  socket.on("error", () => failed("refused"));
  socket.once("connect", () => {
    clearTimeout(timer);
    isOver = true;
    done(socket);
  });
}

/** A balancer or proxy that looks at no byte: what comes in goes out. Without an upstream it closes at once. */
function passOn(client, serves) {
  connectUpstream(serves, (upstream) => {
    if (!upstream) return client.resetAndDestroy();
    upstream.on("error", () => client.destroy());
    client.on("close", () => upstream.destroy());
    client.pipe(upstream).pipe(client);
  });
}

/** An ingress controller: the host and path of the request decide the upstream. One request a connection. */
function proxyHttp(client, serves) {
  let head = Buffer.alloc(0);
  client.on("data", function read(data) {
    head = Buffer.concat([head, data]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return head.length > 65536 ? client.destroy() : undefined;
    client.off("data", read);
    client.pause();
    const [first = "", ...headers] = head.subarray(0, end).toString("latin1").split("\r\n");
    const [method, target] = first.split(" ");
    const host =
      headers
        .find((line) => /^host:/i.test(line))
        ?.slice(5)
        .trim() ?? "";
    const action = actionFor(serves, host, target ?? "/");
    if (action.kind === "answer") return answerHttp(client, action, method);
    const { remoteAddress } = client;
    const kept = headers.filter((line) => !/^(connection|x-forwarded-for|x-real-ip):/i.test(line));
    const sent = [first, ...kept, `X-Real-IP: ${plain(remoteAddress)}`, `X-Forwarded-For: ${plain(remoteAddress)}`, "Connection: close"];
    connectUpstream(action, (upstream, how) => {
      if (!upstream) return answerHttp(client, { status: how === "silent" ? 504 : 502, text: "upstream" }, method);
      upstream.on("error", () => client.destroy());
      client.on("close", () => upstream.destroy());
      upstream.write(`${sent.join("\r\n")}\r\n\r\n`, "latin1");
      upstream.write(head.subarray(end + 4));
      client.pipe(upstream);
      upstream.pipe(client);
    });
  });
}

const STATUS_WORDS = {
  200: "OK",
  308: "Permanent Redirect",
  404: "Not Found",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Time-out",
};

function answerHttp(client, { status = 200, text, location }, method) {
  const words = `${status} ${STATUS_WORDS[status] ?? "Answer"}`;
  const body = `${words}: ${text}\n`;
  const lines = [
    `HTTP/1.1 ${words}`,
    ...(location ? [`Location: ${location}`] : []),
    "Content-Type: text/plain",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  client.end(`${lines.join("\r\n")}\r\n\r\n${method === "HEAD" ? "" : body}`);
}

/** The exact host before a wildcard before none; then the longest path, Exact before the others. */
function actionFor({ hosts }, header, target) {
  const host = header.replace(/:\d+$/, "").toLowerCase();
  const path = target.split(/[?#]/)[0] ?? "/";
  const rank = (pattern) => (pattern === "" ? 1 : pattern === host ? 3 : isWildcardOf(pattern, host) ? 2 : 0);
  const [best] = hosts.filter((each) => rank(each.host) > 0).sort((a, b) => rank(b.host) - rank(a.host));
  const [rule] = (best?.rules ?? [])
    .filter((each) => takesPath(each, path))
    .sort((a, b) => b.path.length - a.path.length || Number(b.type === "Exact") - Number(a.type === "Exact"));
  return (rule ?? best)?.action ?? { kind: "answer", status: 404, text: "no rule" };
}

const isWildcardOf = (pattern, host) =>
  pattern.startsWith("*.") &&
  host.endsWith(pattern.slice(1)) &&
  !host.slice(0, -(pattern.length - 1)).includes(".") &&
  host.length >= pattern.length;

function takesPath({ path, type }, asked) {
  if (type === "Exact") return asked === path;
  const bare = path.replace(/\/$/, "");
  return type === "Prefix" ? asked === bare || asked.startsWith(`${bare}/`) : asked.startsWith(path);
}

/** RFC 1035: header, question and the addresses on file for the name. */
function answerQuery(query, { domain, records }) {
  if (query.length < 17 || query.readUInt16BE(4) !== 1) return undefined;
  const labels = [];
  let at = 12;
  for (let length = query[at]; length > 0; length = query[at]) {
    if (length > 63 || at + length + 1 >= query.length) return undefined;
    labels.push(query.toString("latin1", at + 1, at + 1 + length).toLowerCase());
    at += length + 1;
  }
  if (at + 5 > query.length) return undefined;
  const type = query.readUInt16BE(at + 1);
  const name = labels.join(".");
  const record = Object.hasOwn(records, name) ? records[name] : undefined;
  const isOurs = name === domain || name.endsWith(`.${domain}`) || labels.length < 2;
  const addresses = record && type === 1 ? record.a : record && type === 28 ? record.aaaa : [];
  const code = record ? 0 : isOurs ? 3 : 2; // no such name; a name outside is up to a server that is not there
  const header = Buffer.alloc(12);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  header.writeUInt16BE(0x8480 | (query.readUInt16BE(2) & 0x0100) | code, 2); // answer, authoritative, recursion available
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length + (record?.alias ? 1 : 0), 6);
  const alias = record?.alias ? nameBytes(record.alias) : undefined;
  const answers = [
    ...(alias ? [resourceRecord(Buffer.from([0xc0, 12]), 5, alias)] : []),
    ...addresses.map((ip) => resourceRecord(alias ?? Buffer.from([0xc0, 12]), type, addressBytes(ip))),
  ];
  return Buffer.concat([header, query.subarray(12, at + 5), ...answers]);
}

const DNS_TTL = 30; // the kubernetes plugin's, as kubeadm sets it

function resourceRecord(name, type, data) {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(DNS_TTL, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([name, fixed, data]);
}

const nameBytes = (name) =>
  Buffer.concat([
    ...name.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, "latin1")])),
    Buffer.from([0]),
  ]);

function addressBytes(ip) {
  if (!ip.includes(":")) return Buffer.from(ip.split(".").map(Number));
  const [left = "", right] = ip.split("::");
  const groups = (part) => (part ? part.split(":") : []);
  const [head, tail] = [groups(left), groups(right)];
  const all = right === undefined ? head : [...head, ...Array(8 - head.length - tail.length).fill("0"), ...tail];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}

/** Over TCP a message has its length in front. */
function dnsOverTcp(client, serves) {
  let rest = Buffer.alloc(0);
  client.on("data", (data) => {
    rest = Buffer.concat([rest, data]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const length = rest.readUInt16BE(0);
      const reply = answerQuery(rest.subarray(2, 2 + length), serves);
      rest = rest.subarray(2 + length);
      if (reply) client.write(Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 255]), reply]));
    }
  });
}

const dnsOverUdp = (serves) => (query, reply) => {
  const answer = answerQuery(query, serves);
  if (answer) reply(answer);
};

/** A balancer of datagrams: every client has an upstream and a socket of its own. */
function passOnUdp({ upstreams, bind }) {
  const clients = new Map();
  return (data, reply, client) => {
    const upstream = upstreams[Math.floor(Math.random() * upstreams.length)];
    if (!upstream) return;
    if (!clients.has(client)) {
      const socket = createSocket(family(upstream.ip));
      socket.on("error", () => {});
      socket.on("message", (answer) => reply(answer));
      if (bind) socket.bind({ address: bind });
      clients.set(client, { socket, upstream });
    }
    const kept = clients.get(client);
    kept.socket.send(data, kept.upstream.port, kept.upstream.ip, () => {});
  };
}

const TCP_PROCESSES = {
  dns: dnsOverTcp,
  http: proxyHttp,
  forward: passOn,
  silence: () => undefined,
  answer: (client, serves) => {
    client.once("data", (data) => answerHttp(client, serves, data.toString("latin1").split(" ")[0]));
  },
};
const UDP_PROCESSES = {
  dns: dnsOverUdp,
  forward: passOnUdp,
  silence: () => () => undefined,
  http: () => undefined,
  answer: () => undefined,
};

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** connect() and one question. The timeout lies below the first SYN's retransmission. */
function askTcp(flow, done) {
  let connected = false;
  let text = "";
  const socket = connect({ host: flow.dst, port: flow.dport, localPort: flow.sport, ...(flow.src ? { localAddress: flow.src } : {}) });
  socket.on("connect", () => {
    connected = true;
    socket.write(WHO);
  });
  socket.on("data", (data) => {
    text += data.toString("latin1");
    if (text.endsWith("\n")) done({ connected, answer: parsed(text) });
  });
  socket.on("end", () => done({ connected, answer: parsed(text) }));
  socket.on("error", (error) => done({ connected, errno: error.code ?? error.message }));
  // A connection that failed half-way is reset: what it would send again later must not meet the next flows.
  return { stop: () => (connected && !socket.readableEnded ? socket.resetAndDestroy() : socket.destroy()), isConnected: () => connected };
}

function askUdp(flow, done) {
  const socket = createSocket(family(flow.dst));
  socket.on("error", (error) => done({ connected: false, errno: error.code ?? error.message }));
  socket.on("message", (data) => done({ connected: true, answer: parsed(data.toString("latin1")) }));
  socket.bind({ port: flow.sport, ...(flow.src ? { address: flow.src } : {}) }, () => {
    if (flow.ttl) socket.setTTL(flow.ttl);
    socket.connect(flow.dport, flow.dst, (error) => {
      if (error) return done({ connected: false, errno: error.code ?? error.message });
      socket.send(WHO, (failure) => failure && done({ connected: false, errno: failure.code ?? failure.message }));
    });
  });
  return { stop: () => socket.close(), isConnected: () => false };
}

/**
 * What node cannot do: a TTL of its own for a TCP connection, and raw ICMP sockets that say each error. Perl can, and is on
 * every Debian (perl-base). Arguments: protocol, destination, port or echo id, source port, source, TTL. Prints words.
 */
const PERL = String.raw`
use strict; use Socket qw(:all); use Errno; use IO::Handle; $| = 1;
my ($protocol, $dst, $dport, $sport, $src, $ttl) = @ARGV;
my $six = $dst =~ /:/;
my $family = $six ? AF_INET6 : AF_INET;
sub at { my ($ip, $port) = @_; my $raw = inet_pton($family, $ip); return $six ? pack_sockaddr_in6($port, $raw) : pack_sockaddr_in($port, $raw); }
sub fail { my ($name) = grep { $!{$_} } sort keys %!; print "errno $name\n"; exit 0; }
my $tcp = $protocol eq "tcp";
socket(my $s, $family, $tcp ? SOCK_STREAM : SOCK_RAW, $tcp ? 6 : $six ? 58 : 1) or fail();
setsockopt($s, $six ? 41 : 0, $six ? 16 : 2, pack("i", $ttl)) or fail() if $ttl;
if ($tcp) {
  setsockopt($s, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0));
  bind($s, at($src || ($six ? "::" : "0.0.0.0"), $sport)) or fail();
  $s->blocking(0);
  connect($s, at($dst, $dport)) or $!{EINPROGRESS} or fail();
  print "asking\n";
  # An ICMP error that comes while connect() runs is a soft one, which wakes nobody: SO_ERROR tells (tcp_v4_err).
  for (my $ready = 0; !$ready;) {
    vec(my $set = "", fileno($s), 1) = 1;
    $ready = select(undef, $set, undef, 0.02);
    $! = unpack("i", getsockopt($s, SOL_SOCKET, SO_ERROR));
    fail() if $!;
  }
  $s->blocking(1);
  print "connected\n";
  syswrite($s, "?\n") or fail();
  my $text = "";
  for (;;) { my $n = sysread($s, $text, 4096, length $text); fail() unless defined $n; last unless $n; }
  print "answer $text\n";
  exit 0;
}
bind($s, at($src, 0)) or fail() if $src;
my $echo = pack("CCnnn", $six ? 128 : 8, 0, 0, $sport, 1) . ("ktrace__" x 7);
unless ($six) { my $sum = unpack("%32n*", $echo); $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16; substr($echo, 2, 2) = pack("n", ~$sum & 0xffff); }
defined send($s, $echo, 0, at($dst, 0)) or fail();
print "asking\n";
for (;;) {
  my $peer = recv($s, my $packet, 2048, 0);
  fail() unless defined $peer;
  my $icmp = $six ? $packet : substr($packet, 4 * (ord($packet) & 15));
  my ($type, $code, undef, $id) = unpack("CCnn", $icmp);
  if ($type == ($six ? 129 : 0) && $id == $sport) {
    my (undef, $raw) = $six ? unpack_sockaddr_in6($peer) : unpack_sockaddr_in($peer);
    print "echo ", inet_ntop($family, $raw), "\n";
    exit 0;
  }
  next unless $six ? ($type >= 1 && $type <= 4) : ($type == 3 || $type == 11 || $type == 12);
  my $quoted = substr($icmp, 8);
  my $inside = $six ? substr($quoted, 40) : substr($quoted, 4 * (ord($quoted) & 15));
  my ($what, undef, undef, $ours) = unpack("CCnn", $inside);
  next unless $what == ($six ? 128 : 8) && $ours == $sport;
  print "icmp $type $code\n";
  exit 0;
}
`;

/** Runs it, and hears what it says. */
function askPerl(flow, done, begin) {
  const args = [flow.protocol, flow.dst, flow.dport, flow.sport, flow.src ?? "", flow.ttl ?? ""].map(String);
  const perl = spawn("perl", ["-e", PERL, "--", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let connected = false;
  let complaint = "";
  const starting = setInterval(begin, 100);
  createInterface({ input: perl.stdout }).on("line", (line) => {
    const [word, ...rest] = line.split(" ");
    if (word === "asking") {
      clearInterval(starting);
      begin();
    }
    if (word === "connected") connected = true;
    if (word === "errno") done({ connected, errno: rest[0] });
    if (word === "answer") done({ connected, answer: parsed(rest.join(" ")) });
    if (word === "echo") done({ connected: true, answer: { server: "kernel", local: rest[0], peer: "" } });
    if (word === "icmp") done({ connected: false, errno: icmpErrno(flow.protocol, Number(rest[0]), Number(rest[1])) });
  });
  perl.stderr.on("data", (data) => {
    complaint += data;
  });
  perl.on("close", () => clearInterval(starting));
  perl.on("error", (error) => done({ connected: false, errno: error.code ?? error.message }));
  perl.on("close", (code) => code && done({ connected, errno: `perl: ${complaint.trim().slice(0, 200)}` }));
  return { stop: () => perl.kill("SIGKILL"), isConnected: () => connected };
}

/** icmp_err_convert (net/ipv4/icmp.c) and tab_unreach (net/ipv6/icmp.c), but for a TTL that ran out: ping(8) tells that apart. */
function icmpErrno(protocol, type, code) {
  if (type === (protocol === "icmp" ? 11 : 3)) return "ETTL";
  if (protocol === "icmpv6")
    return type === 1
      ? (["ENETUNREACH", "EACCES", "EHOSTUNREACH", "EHOSTUNREACH", "ECONNREFUSED", "EACCES", "EACCES"][code] ?? "EPROTO")
      : "EPROTO";
  if (type !== 3) return "EPROTO";
  if ([0, 6, 9].includes(code)) return "ENETUNREACH";
  return { 2: "ENOPROTOOPT", 3: "ECONNREFUSED", 4: "EMSGSIZE", 5: "EOPNOTSUPP", 8: "ENONET" }[code] ?? "EHOSTUNREACH";
}

/**
 * In a lab an error can come while connect() still runs: a soft one, which wakes nobody. Of IPv6 that is the rule (tcp_v6_err),
 * and node would hear of it with the first retransmission, after 1 s.
 */
const askTcpEither = (flow, done, begin) => (flow.ttl || flow.dst.includes(":") ? askPerl : askTcp)(flow, done, begin);

const ASK = { tcp: askTcpEither, udp: askUdp, icmp: askPerl, icmpv6: askPerl };

function ask(flow) {
  const started = process.hrtime.bigint();
  let isDone = false;
  const done = (result) => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    say({ id: flow.id, ...result, ms: Number((process.hrtime.bigint() - started) / 1000n) / 1000 });
    setImmediate(() => asked.stop());
  };
  const giveUp = () => done({ connected: asked.isConnected(), timeout: true });
  let timer = setTimeout(giveUp, flow.timeoutMs);
  // A program that is only starting has not asked yet.
  const begin = () => {
    clearTimeout(timer);
    if (!isDone) timer = setTimeout(giveUp, flow.timeoutMs);
  };
  const asked = ASK[flow.protocol](flow, done, begin);
}

/** One datagram to a port nobody has, so that ARP, and with it the bridges on the way, know the neighbour. */
function greet(ips, id) {
  const sockets = ips.map((ip) => {
    const socket = createSocket(family(ip));
    socket.on("error", () => {});
    socket.send("hello", config.greetPort ?? 9, ip, () => {});
    return socket;
  });
  setTimeout(
    () => {
      for (const socket of sockets) socket.close();
      say({ id, greeted: ips.length });
    },
    ips.length > 0 ? 40 : 0,
  );
}

const failed = (
  await Promise.all(
    (config.sockets ?? []).flatMap(({ protocol, ips, port, owner, serves }) =>
      ips.map((ip) => (protocol === "tcp" ? listenTcp : listenUdp)(ip, port, owner, serves)),
    ),
  )
).filter((problem) => problem !== undefined);
say({ ready: true, failed });

if (!config.daemon) {
  lines
    .on("line", (line) => {
      const request = parsed(line);
      if (request?.op === "ask") ask(request);
      if (request?.op === "greet") greet(request.ips, request.id);
    })
    .on("close", () => process.exit(0));
  if (isClosed) process.exit(0);
} else {
  process.stdout.on("error", () => {});
  setInterval(() => {}, 1 << 30); // a namespace without servers keeps its helper too
}
