// Does an Origin header name one of our own pages?
//
// This is a browser's defence: it keeps foreign pages from using a visitor's cookies (cross-site WebSocket hijacking).
// Anything that is not a browser can forge the header, so a good Origin is never an authentication.

import { isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { getPublicSuffix } from 'tldts';
import { invalidOption } from './errors.ts';

/** What a request says about where it comes from. */
export interface OriginFacts {
  /** The values of all its Origin headers (RFC 6454 §7), as they came. Browsers send exactly one. */
  readonly origins: readonly string[];
  /** It has a Cookie header, that is, authority that a foreign page could borrow. */
  readonly hasCookie: boolean;
  /** Its Host header. */
  readonly host: string | undefined;
  /** It came over TLS to this process. */
  readonly isEncrypted: boolean;
}

/** What to do about a request that has no Origin at all. */
export type AbsentOrigin = 'auto' | 'allow' | 'deny';

export interface OriginPolicy {
  /** The allowlist; `'*'` for every Origin, `'ask'` where the caller's function decides. */
  readonly allowed: Allowlist | '*' | 'ask';
  readonly absent: AbsentOrigin;
  /** `host` or `host:port`, lower case: where these are asked for, a page of the same host is welcome. */
  readonly sameHosts: ReadonlySet<string>;
}

/** `ask`: it is well-formed enough to be put to the caller's function. */
export type OriginVerdict = 'accepted' | 'refused' | 'ask';

/** Longer than any Origin that a browser sends. */
const MAX_ORIGIN_LENGTH = 2_048;

export function judgeOrigin(facts: OriginFacts, policy: OriginPolicy): OriginVerdict {
  const [text, ...more] = facts.origins;
  if (text === undefined) {
    if (policy.absent === 'auto') return facts.hasCookie ? 'refused' : 'accepted';
    return policy.absent === 'allow' ? 'accepted' : 'refused';
  }
  if (more.length > 0 || text.length > MAX_ORIGIN_LENGTH || !isPrintable(text)) return 'refused';
  if (policy.allowed === '*') return 'accepted';
  const origin = parseOrigin(text);
  if (origin && isSameHost(origin, facts, policy.sameHosts)) return 'accepted';
  if (policy.allowed === 'ask') return 'ask';
  return origin && policy.allowed.has(origin) ? 'accepted' : 'refused';
}

/** A serialized origin (RFC 6454 §6.2). The port is there also when the text leaves it to the scheme. */
export type Origin =
  | { readonly kind: 'tuple'; readonly scheme: string; readonly host: string; readonly port: string }
  | { readonly kind: 'null' };

/**
 * Reads what a browser may send: scheme and host in any case, a port that is the scheme's default or not, and nothing
 * else. By hand and not by `URL`, which is made to be kind: it takes user-info, paths, odd slashes and tabs, and makes
 * `http://0x7f.1` a 127.0.0.1. `undefined` if it is not an origin.
 */
export function parseOrigin(text: string): Origin | undefined {
  if (text === 'null') return { kind: 'null' };
  const parts = /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[^[\]:/?#@\\]+)(?::(\d{1,5}))?$/i.exec(text);
  if (!parts) return undefined;
  const scheme = parts[1]!.toLowerCase();
  const host = parseHost(parts[2]!);
  const port = parts[3] ?? defaultPort(scheme);
  return host !== undefined && isPort(port) ? { kind: 'tuple', scheme, host, port } : undefined;
}

/** The entries of an allowlist, read once at start-up. */
export interface Allowlist {
  has(origin: Origin): boolean;
}

/**
 * Reads the entries. An entry is a serialized origin without a trailing slash: `https://app.example.com`,
 * `http://localhost:5173`, `capacitor://localhost`. Beyond that: `https://*.example.com` is every host below
 * example.com, at any depth, and never example.com itself; `http://localhost:*` is every port; `ws:` and `wss:` mean
 * `http:` and `https:`; `null` must be written as such, and lets in every sandboxed frame and every `file:` page.
 *
 * @throws INVALID_OPTION for anything else, since an entry that never matches, or matches too much, is a mistake.
 */
export function createAllowlist(entries: readonly string[]): Allowlist {
  const exact = new Set<string>();
  const wildcards: { scheme: string; below: string; port: string }[] = [];
  for (const text of entries) {
    if (text === 'null') exact.add('null');
    else {
      const { scheme, host, port } = readEntry(text);
      if (host.startsWith('*.')) wildcards.push({ scheme, below: host.slice(1), port });
      else exact.add(keyOf(scheme, host, port));
    }
  }
  return {
    has(origin) {
      if (origin.kind === 'null') return exact.has('null');
      const { scheme, host, port } = origin;
      return (
        exact.has(keyOf(scheme, host, port)) ||
        exact.has(keyOf(scheme, host, '*')) ||
        wildcards.some(
          (entry) =>
            entry.scheme === scheme && (entry.port === port || entry.port === '*') && host.endsWith(entry.below),
        )
      );
    },
  };
}

/**
 * Reads the hosts of `sameHost`, each `host` or `host:port`. They are written out because `Origin` and `Host` agree also
 * under DNS rebinding, where both carry the attacker's name.
 *
 * @throws INVALID_OPTION
 */
export function readSameHosts(hosts: readonly string[]): ReadonlySet<string> {
  const expected = 'a host such as app.example.com or localhost:5173';
  return new Set(
    hosts.map((text) => {
      if (typeof text !== 'string' || !parseOrigin(`http://${text}`)) {
        throw invalidOption('sameHost.hosts', expected, text);
      }
      return text.toLowerCase();
    }),
  );
}

/** The scheme must be that of this very connection, so behind a proxy that ends TLS the public origin has to be listed. */
function isSameHost(origin: Origin, facts: OriginFacts, hosts: ReadonlySet<string>): boolean {
  const header = facts.host?.toLowerCase();
  if (header === undefined || !hosts.has(header)) return false;
  const own = parseOrigin(`${facts.isEncrypted ? 'https' : 'http'}://${header}`);
  return (
    origin.kind === 'tuple' &&
    own?.kind === 'tuple' &&
    keyOf(origin.scheme, origin.host, origin.port) === keyOf(own.scheme, own.host, own.port)
  );
}

function readEntry(text: string): { scheme: string; host: string; port: string } {
  const refuse = (why: string): never => {
    throw invalidOption('origins', `a list of origins such as https://app.example.com (${why})`, text);
  };
  if (typeof text !== 'string') return refuse('each entry is a string');
  if (text === '*') return refuse("for every origin write origins: '*', without a list");
  if (text.endsWith('/')) return refuse('without a trailing slash');
  const anyPort = text.endsWith(':*');
  const plain = anyPort ? text.slice(0, -2) : text;
  const below = /^([^:]*:\/\/)\*\.(.*)$/.exec(plain);
  const origin = parseOrigin(below ? below[1]! + below[2]! : plain);
  if (origin?.kind !== 'tuple') return refuse(hintFor(plain));
  const scheme = origin.scheme.replace(/^ws(?=s?$)/, 'http');
  const host = origin.host.startsWith('[') ? canonicalIPv6(origin.host) : origin.host;
  if (below && !mayHaveWildcard(host)) {
    return refuse('a wildcard stands below a domain of your own, as in https://*.example.com');
  }
  return { scheme, host: below ? `*.${host}` : host, port: anyPort ? '*' : origin.port };
}

function hintFor(text: string): string {
  const host = /^[a-z][a-z0-9+.-]*:\/\/([^/:]+)/i.exec(text)?.[1];
  if (host === undefined) return 'scheme://host or scheme://host:port';
  if (host.includes('*')) return '* stands only for whole labels on the left, or for the port';
  if (!isPrintable(host)) return `in ASCII, as browsers send it: ${domainToASCII(host)}`;
  return 'scheme, host and port, no user, path, query or fragment';
}

/** Not an address, at least two labels, and not a name under which strangers register theirs (co.uk, github.io). */
function mayHaveWildcard(host: string): boolean {
  const labels = host.split('.');
  return (
    labels.length >= 2 &&
    labels.at(-1) !== '' &&
    !/^\d+$/.test(labels.at(-1)!) &&
    !host.startsWith('[') &&
    getPublicSuffix(host, { allowPrivateDomains: true }) !== host
  );
}

/** In lower case; a trailing dot stays, so that `example.com.` is another host. */
function parseHost(text: string): string | undefined {
  const host = text.toLowerCase();
  const isHost = host.startsWith('[')
    ? isIPv6(host.slice(1, -1))
    : host.length <= 254 && /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$/.test(host);
  return isHost ? host : undefined;
}

/** Browsers send IPv6 in one form only; an entry may be written in any. */
function canonicalIPv6(host: string): string {
  return new URL(`http://${host}`).hostname;
}

/** As text without leading zeros; empty for a scheme that has no default port. */
function isPort(text: string): boolean {
  return text === '' || (/^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535);
}

function defaultPort(scheme: string): string {
  switch (scheme) {
    case 'http':
    case 'ws':
      return '80';
    case 'https':
    case 'wss':
      return '443';
  }
  return '';
}

const keyOf = (scheme: string, host: string, port: string): string => `${scheme}://${host}:${port}`;

/** Visible ASCII and the space, which only a caller's function may want to see; no control characters. */
function isPrintable(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}
