/** A controller's 404: which hosts and paths there are rules for, and the nearest to what was asked (networking.k8s.io/v1 Ingress). */

import { nearest } from "../../objects/near.ts";
import { ask } from "../ask.ts";
import { at, type Case, type Change, change, type Finding } from "../case.ts";
import { listed } from "../entrance.ts";
import { hostsOfIngresses, type IngressRule, ingressRules } from "./ingress-hosts.ts";

export function ingressNoMatch(failed: Case): Finding | undefined {
  const { http, to } = failed.question;
  const proxy = failed.leg.proxy?.process ?? "The controller";
  if (http === undefined) return undefined;
  const asked = (http.hostHeader ?? to.host).replace(/:\d+$/, "").toLowerCase();
  const rules = ingressRules(failed.cluster);
  const ignored = otherClasses(failed, rules, asked);
  if (ignored) return ignored;
  const ofHost = rules.filter(({ host }) => host === asked || host === "");
  if (ofHost.length > 0) return wrongPath(failed, proxy, asked, ofHost);
  const hosts = hostsOfIngresses(failed.cluster);
  const near = [...new Set([...nearest(asked, hosts, (host) => host), ...hosts])].slice(0, 2);
  const first = rules.find(({ host }) => host === near[0]);
  const place = first && failed.place(first.ingress.source, first.field.slice(0, 3));
  const there = hosts.length === 0 ? "has no rule for any host" : `has rules for ${listed(hosts)} only`;
  return {
    because: [{ text: `${proxy} ${there}, and this request's Host is ${asked}`, ...at(place) }],
    changes: near.map((host) => change(`say the host: -H 'Host: ${host}'`, undefined, () => ask(failed, {}, { hostHeader: host }))),
  };
}

function wrongPath(failed: Case, proxy: string, host: string, rules: readonly IngressRule[]): Finding {
  const asked = failed.question.http?.path ?? "/";
  const [first] = rules;
  const paths = [...new Set(rules.map(({ path }) => path))];
  const shown = [...new Set(rules.map(({ path, pathType }) => `${path} (${pathType})`))];
  const near = [...new Set([...nearest(asked, paths, (path) => path), ...paths])].slice(0, 2);
  const ask1 = (path: string): Change => change(`ask the path ${path}`, undefined, () => ask(failed, {}, { path }));
  return {
    because: [
      {
        text: `For ${host} ${proxy} has the ${shown.length === 1 ? "path" : "paths"} ${listed(shown)}, and this request's path is ${asked}`,
        ...at(first && failed.place(first.ingress.source, [...first.field, "path"])),
      },
    ],
    changes: near.map(ask1),
  };
}

/** A rule fits, but its Ingress is of a class that this controller leaves alone. */
function otherClasses(failed: Case, rules: readonly IngressRule[], asked: string): Finding | undefined {
  const classes = failed.cluster.ingressControllers.flatMap((each) => each.class ?? []);
  const found = rules.find(({ host, ingress }) => {
    const wanted = ingress.spec?.ingressClassName;
    return host === asked && wanted !== undefined && classes.length > 0 && !classes.includes(wanted);
  });
  if (!found) return undefined;
  const { metadata, source, spec } = found.ingress;
  const place = failed.place(source, ["spec", "ingressClassName"]);
  return {
    because: [
      {
        text: `Ingress ${metadata.namespace}/${metadata.name} has a rule for ${asked}, but is of class ${spec?.ingressClassName}; the controller is of class ${listed(classes)}`,
        ...at(place),
      },
    ],
    changes: classes.slice(0, 2).map((name) =>
      change(`ingressClassName: ${name}`, place, () => ({
        objects: failed.objects.map((object) =>
          object.kind === "Ingress" && object.source === source ? { ...object, spec: { ...object.spec, ingressClassName: name } } : object,
        ),
      })),
    ),
  };
}
