/** A proxy that wants https, and a certificate that nobody signed: other ways to ask. */
import { ask } from "../ask.ts";
import { type Case, change, type Finding } from "../case.ts";

export function redirected(failed: Case): Finding | undefined {
  const to = failed.leg.proxy?.location;
  if (failed.question.http === undefined || to === undefined) return undefined;
  return {
    because: [
      {
        text: `${failed.leg.proxy?.process ?? "The proxy"} sends every http request for this host to ${to}; curl does not follow without -L`,
      },
    ],
    changes: [change("let curl follow: -L", undefined, () => ask(failed, {}, { follow: true }))],
  };
}

export function tlsFailed(failed: Case): Finding | undefined {
  const { http, to } = failed.question;
  if (http === undefined) return undefined;
  const host = http.hostHeader ?? to.host;
  return {
    because: [{ text: `No Ingress has a tls section for ${host}, so the controller shows its own certificate, which curl does not trust` }],
    changes: [
      change("take any certificate: -k", undefined, () => ask(failed, {}, { insecure: true })),
      change(`ask by http: http://${host}${http.path}`, undefined, () => ask(failed, { port: 80 }, { scheme: "http" })),
    ],
  };
}
