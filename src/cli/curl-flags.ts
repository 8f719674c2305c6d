/**
 * curl's command-line flags as its manual (curl 8) lists them: which there are, which take a value. Those that change where
 * packets go are read in curl-args.ts; the rest are known here so that a pasted command is not refused.
 */
import type { FlagSpec } from "./getopt.ts";

const SWITCHES = `a:append anyauth basic ca-native cert-status compressed compressed-ssh create-dirs crlf digest q:disable
disable-eprt disable-epsv disallow-username-in-url doh-cert-status doh-insecure ech f:fail fail-early fail-with-body
false-start form-escape ftp-create-dirs ftp-pasv ftp-pret ftp-skip-pasv-ip ftp-ssl-ccc ftp-ssl-control G:get g:globoff
haproxy-protocol I:head http0.9 0:http1.0 http1.1 http2 http2-prior-knowledge http3 http3-only ignore-content-length i:include
k:insecure 4:ipv4 6:ipv6 j:junk-session-cookies l:list-only L:location location-trusted mail-rcpt-allowfails M:manual metalink
mptcp negotiate n:netrc netrc-optional N:no-buffer no-alpn no-clobber no-keepalive no-npn no-progress-meter no-sessionid ntlm
ntlm-wb Z:parallel parallel-immediate path-as-is post301 post302 post303 #:progress-bar proxy-anyauth proxy-basic
proxy-ca-native proxy-digest proxy-http2 proxy-insecure proxy-negotiate proxy-ntlm proxy-ssl-allow-beast
proxy-ssl-auto-client-cert proxy-tlsv1 p:proxytunnel raw J:remote-header-name O:remote-name remote-name-all R:remote-time
remove-on-error retry-all-errors retry-connrefused sasl-ir S:show-error s:silent skip-existing socks5-basic socks5-gssapi
socks5-gssapi-nec ssl ssl-allow-beast ssl-auto-client-cert ssl-no-revoke ssl-reqd ssl-revoke-best-effort 2:sslv2 3:sslv3
styled-output suppress-connect-headers tcp-fastopen tcp-nodelay tftp-no-options tls-earlydata 1:tlsv1 tlsv1.0 tlsv1.1 tlsv1.2
tlsv1.3 tr-encoding trace-ids trace-time B:use-ascii V:version xattr`;

const WITH_VALUE = `abstract-unix-socket alt-svc aws-sigv4 cacert capath E:cert cert-type ciphers K:config connect-timeout
connect-to C:continue-at b:cookie c:cookie-jar create-file-mode crlfile curves d:data data-ascii data-binary data-raw
data-urlencode delegation dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url D:dump-header egd-file engine
etag-compare etag-save expect100-timeout F:form form-string ftp-account ftp-alternative-to-user ftp-method P:ftp-port
ftp-ssl-ccc-mode happy-eyeballs-timeout-ms haproxy-clientip H:header hostpubmd5 hostpubsha256 hsts interface ip-tos
ipfs-gateway json keepalive-cnt keepalive-time key key-type krb libcurl limit-rate local-port login-options mail-auth mail-from
mail-rcpt max-filesize max-redirs m:max-time netrc-file noproxy oauth2-bearer output-dir parallel-max pass pinnedpubkey preproxy
proto proto-default proto-redir x:proxy proxy-cacert proxy-capath proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile
proxy-header proxy-key proxy-key-type proxy-pass proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype
proxy-tlspassword proxy-tlsuser U:proxy-user proxy1.0 pubkey Q:quote random-file r:range rate e:referer X:request
request-target resolve retry retry-delay retry-max-time sasl-authzid service-name socks4 socks4a socks5
socks5-gssapi-service socks5-hostname Y:speed-limit y:speed-time stderr t:telnet-option tftp-blksize z:time-cond tls-max
tls13-ciphers tlsauthtype tlspassword tlsuser trace trace-ascii trace-config unix-socket T:upload-file url url-query u:user
A:user-agent variable vlan-priority w:write-out`;

export const CURL_FLAGS: readonly FlagSpec[] = [...specsOf(SWITCHES, false), ...specsOf(WITH_VALUE, true)];

/** Flags that are understood, or that change nothing of a packet's way: they need no note. */
export const SILENT_FLAGS: ReadonlySet<string> = new Set(
  `silent show-error fail fail-with-body write-out include no-buffer progress-bar no-progress-meter user-agent user referer cookie
  cookie-jar data data-ascii data-binary data-raw data-urlencode json form form-string header request url head location insecure
  ipv4 ipv6 http1.0 http1.1 http2 http2-prior-knowledge max-time connect-timeout interface local-port resolve connect-to compressed
  max-redirs request-target path-as-is globoff disable styled-output get noproxy url-query`.split(/\s+/),
);

/** Flags that would send the packets elsewhere than traced: refused rather than ignored. */
export const REFUSED_FLAGS: ReadonlyMap<string, string> = new Map([
  ["proxy", "a forward proxy is not modelled; trace the way to the proxy itself: curl http://PROXY:PORT/"],
  ["preproxy", "a SOCKS proxy is not modelled; trace the way to the proxy itself: nc PROXY PORT"],
  ["proxy1.0", "a forward proxy is not modelled; trace the way to the proxy itself: curl http://PROXY:PORT/"],
  ["socks4", "a SOCKS proxy is not modelled; trace the way to the proxy itself: nc PROXY PORT"],
  ["socks4a", "a SOCKS proxy is not modelled; trace the way to the proxy itself: nc PROXY PORT"],
  ["socks5", "a SOCKS proxy is not modelled; trace the way to the proxy itself: nc PROXY PORT"],
  ["socks5-hostname", "a SOCKS proxy is not modelled; trace the way to the proxy itself: nc PROXY PORT"],
  ["unix-socket", "a UNIX socket has no packets to trace"],
  ["abstract-unix-socket", "a UNIX socket has no packets to trace"],
  ["http3", "HTTP/3 runs over UDP; trace it as such: nc -u HOST 443"],
  ["http3-only", "HTTP/3 runs over UDP; trace it as such: nc -u HOST 443"],
  ["config", "put the flags of the file on the command line"],
]);

function specsOf(words: string, value: boolean): FlagSpec[] {
  return words.split(/\s+/).map((word) => {
    const colon = word.indexOf(":");
    return colon < 0 ? { name: word, value } : { short: word.slice(0, colon), name: word.slice(colon + 1), value };
  });
}
