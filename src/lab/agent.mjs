/**
 * The helper process of one namespace: answers on the ports it is told, and opens connections when asked. A file of its own
 * in plain JavaScript, because node must start it inside the namespace and start it fast: no imports beyond node's own.
 * Speaks JSON lines. argv[2] is its configuration; requests come on stdin, answers go to stdout. Ends with stdin unless
 * `daemon` is set. A server tells whom it saw: {"server", "local", "peer"}; to an HTTP request it says so in HTTP.
 */
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

const config = JSON.parse(process.argv[2] ?? "{}");
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const at = (ip, port) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`);
const family = (ip) => (ip.includes(":") ? "udp6" : "udp4");
/** A dual-stack listener reports IPv4 peers as ::ffff:a.b.c.d. */
const plain = (ip) => (ip ?? "").replace(/^::ffff:(?=\d+\.)/, "");

/** A client that says nothing (nc) gets its answer after this long. */
const PATIENCE_MS = 200;

function listenTcp(ip, port, owner) {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      const answer = JSON.stringify({
        server: owner,
        local: at(plain(socket.localAddress), socket.localPort),
        peer: at(plain(socket.remoteAddress), socket.remotePort),
      });
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

function listenUdp(ip, port, owner) {
  return new Promise((resolve) => {
    const socket = createSocket({ type: family(ip), ...(ip.includes(":") ? { ipv6Only: true } : {}) });
    socket.on("error", (error) => resolve(`${at(ip, port)}/udp: ${error.code}`));
    socket.on("message", (_, peer) => {
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
    socket.write("?\n");
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
      socket.send("?\n", (failure) => failure && done({ connected: false, errno: failure.code ?? failure.message }));
    });
  });
  return { stop: () => socket.close(), isConnected: () => false };
}

/** Raw sockets are not node's: ping(8) of iputils sends one echo request with the id we give. */
function askPing(flow, done) {
  const args = [
    "-n",
    "-c",
    "1",
    "-W",
    String(Math.max(1, Math.ceil(flow.timeoutMs / 1000))),
    "-e",
    String(flow.sport),
    ...(flow.ttl ? ["-t", String(flow.ttl)] : []),
    ...(flow.src ? ["-I", flow.src] : []),
    flow.dst,
  ];
  const ping = spawn("ping", args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, LC_ALL: "C" } });
  let out = "";
  for (const stream of [ping.stdout, ping.stderr]) {
    stream.on("data", (data) => {
      out += data;
    });
  }
  ping.on("error", (error) => done({ connected: false, errno: error.code ?? error.message }));
  ping.on("close", (code) => {
    const from = /^\d+ bytes from ([^\s:]+(?::[0-9a-f:]*)?):? .*ttl=(\d+)/m.exec(out);
    if (code === 0 && from) return done({ connected: true, answer: { server: "kernel", local: from[1], peer: "" } });
    done({ connected: false, ...(pingErrno(out) ? { errno: pingErrno(out) } : {}) });
  });
  return { stop: () => ping.kill("SIGKILL"), isConnected: () => false };
}

function pingErrno(out) {
  if (/Destination (Net|Network) [Uu]nreachable|Network is unreachable|No route/.test(out)) return "ENETUNREACH";
  if (/Destination (Host|Address)? ?[Uu]nreachable|Address unreachable/.test(out)) return "EHOSTUNREACH";
  if (/Destination Port Unreachable|Port unreachable/.test(out)) return "ECONNREFUSED";
  if (/Time to live exceeded|Hop limit/.test(out)) return "ETTL";
  return undefined;
}

const ASK = { tcp: askTcp, udp: askUdp, icmp: askPing, icmpv6: askPing };

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
  const patience = flow.timeoutMs + (flow.protocol.startsWith("icmp") ? 200 : 0); // ping(8) counts for itself
  const timer = setTimeout(() => done({ connected: asked.isConnected(), timeout: true }), patience);
  const asked = ASK[flow.protocol](flow, done);
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

/** A datagram to oneself over lo: when the capture has it, it has all that came before. */
function mark({ id, port }) {
  const socket = createSocket("udp4");
  socket.on("error", () => {});
  socket.send("mark", port, "127.0.0.1", () => {
    socket.close();
    say({ id, marked: port });
  });
}

const failed = (
  await Promise.all(
    (config.sockets ?? []).flatMap(({ protocol, ips, port, owner }) =>
      ips.map((ip) => (protocol === "tcp" ? listenTcp : listenUdp)(ip, port, owner)),
    ),
  )
).filter((problem) => problem !== undefined);
say({ ready: true, failed });

if (!config.daemon) {
  createInterface({ input: process.stdin })
    .on("line", (line) => {
      const request = parsed(line);
      if (request?.op === "ask") ask(request);
      if (request?.op === "greet") greet(request.ips, request.id);
      if (request?.op === "mark") mark(request);
    })
    .on("close", () => process.exit(0));
} else {
  process.stdout.on("error", () => {});
  setInterval(() => {}, 1 << 30); // a namespace without servers keeps its helper too
}
