/**
 * KT210: a port that is bound to 127.0.0.1 inside the pod, though it is declared for others. Only what names the address it
 * listens on counts: flags and variables of listening (`--listen`, `BIND_ADDR`), and for others a port that is declared here.
 */
import type { Container } from "../../objects/api.ts";
import type { PathPart } from "../../objects/source.ts";
import { makerRef, outermostMakers, podField, runningContainers, titleOf } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";

export const KT210: Rule = {
  code: "KT210",
  name: "pod-binds-loopback",
  severity: "warning",
  needs: "graph",
  fix: "no",
  title: "a container is told to listen on 127.0.0.1 only, at a port that it declares",
  why: "Packets come to the pod's own address, where no socket is bound: the client gets a RST. `kubectl port-forward` works all the same, for it starts inside the pod.",
  bad: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: api, labels: {app: api}}
spec: {containers: [{name: c, image: x, args: ["--listen=127.0.0.1:8080"], ports: [{containerPort: 8080}]}]}
`,
  },
  good: {
    manifests: `kind: Pod
apiVersion: v1
metadata: {name: api, labels: {app: api}}
spec: {containers: [{name: c, image: x, args: ["--listen=:8080"], ports: [{containerPort: 8080}]}]}
`,
  },
  check: function* (subject) {
    for (const maker of outermostMakers(subject)) {
      if (maker.spec.hostNetwork) continue; // often on purpose: the node's own clients are the only ones
      for (const { container, field } of runningContainers(maker))
        for (const bound of bindings(container)) {
          const ports = (container.ports ?? []).filter(({ containerPort }) => bound.port === undefined || containerPort === bound.port);
          const [port] = ports;
          if (!port || (bound.port === undefined && ports.length > 1)) continue;
          yield {
            message: `${titleOf(maker)}: container ${container.name} listens on ${bound.host} only, and declares port ${port.containerPort} for others`,
            at: podField(maker, ...field, ...bound.field),
            label: `nobody outside the pod reaches ${bound.host}`,
            help: `bind to all addresses: ${bound.port === undefined ? "0.0.0.0" : `0.0.0.0:${bound.port}`}`,
            about: [makerRef(maker)],
          };
        }
    }
  },
};

type Binding = { readonly host: string; readonly port?: number; readonly field: readonly PathPart[] };

const LOOPBACK = /^(?:[a-z]+:\/\/)?(127\.0\.0\.1|localhost|\[::1\])(?::(\d{1,5}))?\/?$/;
const LISTENING = /(?:^|[-_.])(?:listen|bind)(?:[-_.]?(?:addr|address|host|ip|on|to|http))?s?$|^(?:http[-_.]?)?(?:listen|bind)/i;
/** Names that also stand for whom to call: believed only with a port that this container declares. */
const MAYBE = /^(?:--?(?:http[-_.]?)?(?:host|addr|address)|-[lb]|(?:HTTP_|SERVER_)?(?:HOST|ADDR|ADDRESS))$/i;

function bindings(container: Container): Binding[] {
  const declared = new Set((container.ports ?? []).map(({ containerPort }) => containerPort));
  const judge = (name: string, value: string, field: readonly PathPart[]): Binding[] => {
    const found = LOOPBACK.exec(value);
    const [, host = "", digits] = found ?? [];
    const port = digits === undefined ? undefined : Number(digits);
    const isBinding =
      LISTENING.test(name.replace(/^-+/, "")) || (MAYBE.test(name) && (port === undefined ? name !== "-l" : declared.has(port)));
    return found && isBinding ? [{ host, field, ...(port === undefined ? {} : { port }) }] : [];
  };
  const words = (list: "command" | "args"): Binding[] =>
    (container[list] ?? []).flatMap((word, i, all) => {
      const flag = /^(--?[A-Za-z][\w.-]*)=(.+)$/.exec(word);
      if (flag) return judge(flag[1] ?? "", flag[2] ?? "", [list, i]);
      return /^--?[A-Za-z]/.test(word) ? judge(word, all[i + 1] ?? "", [list, i + 1]) : [];
    });
  const variables = (container.env ?? []).flatMap(({ name, value = "" }, i) => judge(name, value, ["env", i, "value"]));
  return [...words("command"), ...words("args"), ...variables];
}
