// Is this a URL that can be dialled, and which one is it where a page has an address of its own?

import { HoldfastError, show } from './errors.ts';

const ABSOLUTE = /^(wss?):\/\/([^\s/?#]+)([^\s#]*)$/i;
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
/** `user:password@`, then a name, an IPv4 address or a bracketed IPv6 one, then perhaps a port. */
const AUTHORITY = /^(?:[^@]*@)?(?:\[[0-9a-f:.]+\]|[^:@[\]]+)(?::(\d{1,5}))?$/i;

/**
 * An absolute `ws:` or `wss:` URL. Where `location` is given, http(s) becomes ws(s) and a relative URL is resolved
 * against it, as the WHATWG standard has it for `new WebSocket(url)`.
 *
 * Written by hand, since the hosts that we run on may have no `URL`.
 * @throws `INVALID_URL`, naming the value
 */
export function resolveUrl(url: unknown, location: string | undefined): string {
  if (typeof url !== 'string' || url === '') throw invalid(url, 'must be a non-empty string');
  const absolute = toWebSocketScheme(location !== undefined && !SCHEME.test(url) ? join(location, url) : url, location);
  if (absolute.indexOf('#') >= 0) throw invalid(url, 'must not have a fragment (#…)');
  const parts = ABSOLUTE.exec(absolute);
  if (!parts) throw invalid(url, 'must be an absolute ws:// or wss:// URL without spaces');
  const authority = AUTHORITY.exec(parts[2]!);
  if (!authority || Number(authority[1] ?? 0) > 65_535) throw invalid(url, 'has no valid host and port');
  return absolute;
}

function toWebSocketScheme(url: string, location: string | undefined): string {
  return location !== undefined ? url.replace(/^http(s?):/i, 'ws$1:') : url;
}

/** RFC 3986 §5.2.2, for the four forms that people write: `//host/…`, `/path`, `?query` and `path`. */
function join(location: string, relative: string): string {
  const base = /^([a-z][a-z0-9+.-]*:)(\/\/[^/?#]*)([^?#]*)/i.exec(location);
  if (!base) return relative;
  const [, scheme, authority, path] = base as unknown as [string, string, string, string];
  if (relative.slice(0, 2) === '//') return scheme + relative;
  if (relative[0] === '/') return scheme + authority + withoutDots(relative);
  if (relative[0] === '?') return scheme + authority + (path || '/') + relative;
  return scheme + authority + withoutDots(path.replace(/[^/]*$/, '') + relative);
}

/** RFC 3986 §5.2.4. */
function withoutDots(pathAndQuery: string): string {
  const [, path, rest] = /^([^?#]*)(.*)$/.exec(pathAndQuery) as unknown as [string, string, string];
  const out: string[] = [];
  const segments = path.split('/');
  segments.forEach((segment, i) => {
    const last = i === segments.length - 1;
    if (segment === '..') {
      if (out.length > 1) out.pop();
      if (last) out.push('');
    } else if (segment === '.') {
      if (last) out.push('');
    } else out.push(segment);
  });
  return (out[0] === '' ? '' : '/') + out.join('/') + rest;
}

function invalid(url: unknown, rule: string): HoldfastError {
  return new HoldfastError('INVALID_URL', `url ${rule}, got ${show(url)}`, { value: url });
}
