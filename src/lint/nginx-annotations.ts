/**
 * The annotations that ingress-nginx knows, without `nginx.ingress.kubernetes.io/`: docs/user-guide/nginx-configuration/annotations.md
 * of its last release, and those that earlier ones had. Which of them hold numbers or truth values is that table's word, too.
 */

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

const NUMBERS = words(`auth-tls-verify-depth auth-keepalive auth-keepalive-requests auth-keepalive-timeout canary-weight canary-weight-total
  cors-max-age limit-connections limit-rps limit-rpm limit-rate limit-rate-after limit-burst-multiplier permanent-redirect-code
  temporal-redirect-code proxy-connect-timeout proxy-send-timeout proxy-read-timeout proxy-next-upstream-timeout
  proxy-next-upstream-tries proxy-ssl-verify-depth proxy-buffers-number upstream-hash-by-subset-size`);
const TRUTHS =
  words(`auth-tls-pass-certificate-to-upstream auth-keepalive-share-vars auth-always-set-cookie enable-global-auth canary enable-cors
  cors-allow-credentials force-ssl-redirect from-to-www-redirect http2-push-preload preserve-trailing-slash enable-rewrite-log
  service-upstream session-cookie-change-on-failure session-cookie-conditional-samesite-none session-cookie-secure ssl-redirect
  ssl-passthrough enable-access-log enable-opentelemetry opentelemetry-trust-incoming-span use-regex enable-modsecurity
  enable-owasp-core-rules upstream-hash-by-subset disable-proxy-intercept-errors use-port-in-redirects`);
const TEXTS = words(`affinity affinity-canary-behavior affinity-mode allowlist-source-range app-root auth-cache-duration auth-cache-key
  auth-method auth-proxy-set-headers auth-realm auth-request-redirect auth-response-headers auth-secret auth-secret-type auth-signin
  auth-signin-redirect-param auth-snippet auth-tls-error-page auth-tls-match-cn auth-tls-secret auth-tls-verify-client auth-type
  auth-url backend-protocol canary-by-cookie canary-by-header canary-by-header-pattern canary-by-header-value
  client-body-buffer-size configuration-snippet connection-proxy-header cors-allow-headers cors-allow-methods cors-allow-origin
  cors-expose-headers custom-headers custom-http-errors default-backend denylist-source-range fastcgi-index
  fastcgi-params-configmap limit-allowlist limit-whitelist load-balance mirror-host mirror-request-body mirror-target
  modsecurity-snippet modsecurity-transaction-id opentelemetry-operation-name permanent-redirect proxy-body-size
  proxy-buffer-size proxy-buffering proxy-busy-buffers-size proxy-cookie-domain proxy-cookie-path proxy-http-version
  proxy-max-temp-file-size proxy-next-upstream proxy-redirect-from proxy-redirect-to proxy-request-buffering proxy-ssl-ciphers
  proxy-ssl-name proxy-ssl-protocols proxy-ssl-secret proxy-ssl-server-name proxy-ssl-verify rewrite-target satisfy server-alias
  server-snippet session-cookie-domain session-cookie-expires session-cookie-max-age session-cookie-name session-cookie-path
  session-cookie-samesite ssl-ciphers ssl-prefer-server-ciphers stream-snippet temporal-redirect upstream-hash-by upstream-vhost
  whitelist-source-range x-forwarded-prefix`);
const EARLIER =
  words(`add-base-url base-url-scheme enable-opentracing opentracing-operation-name opentracing-trust-incoming-span enable-influxdb
  influxdb-measurement influxdb-port influxdb-host influxdb-server-name lua-resty-waf secure-backends secure-verify-ca-secret
  session-cookie-hash grpc-backend upstream-max-fails upstream-fail-timeout proxy-pass-params proxy-host
  global-rate-limit global-rate-limit-window global-rate-limit-key global-rate-limit-ignored-cidrs`);

export const NGINX_NUMBERS: ReadonlySet<string> = new Set(NUMBERS);
export const NGINX_TRUTHS: ReadonlySet<string> = new Set(TRUTHS);
/** Every one that some release reads. */
export const NGINX_ANNOTATIONS: ReadonlySet<string> = new Set([...NUMBERS, ...TRUTHS, ...TEXTS, ...EARLIER]);
/** Those of today, for hints. */
export const NGINX_CURRENT: readonly string[] = [...NUMBERS, ...TRUTHS, ...TEXTS].sort();
