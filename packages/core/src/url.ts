// Can this URL be dialled?

import { HoldfastError, show } from './errors.ts';
import type { Adapter } from './adapter.ts';

/** Scheme, then a host (a name, an IPv4 address or a bracketed IPv6 one) with perhaps user info and a port, then the rest. */
const ABSOLUTE = /^wss?:\/\/(?:[^\s/?#@]*@)?(?:\[[0-9a-f:.]+\]|[^\s/?#:@[\]]+)(?::(\d{1,5}))?(?:[/?][^\s#]*)?$/i;

/**
 * An absolute `ws:` or `wss:` URL without a fragment, as `new WebSocket(url)` wants it (WHATWG WebSockets). Where a page
 * has an address its adapter resolves relative and http(s) URLs first. Checked by hand, for the hosts that we run on may
 * have no `URL`.
 * @throws `INVALID_URL`, naming the value
 */
export function resolveUrl(url: unknown, adapter: Pick<Adapter, 'resolveUrl'>): string {
  if (typeof url !== 'string') throw invalid(url);
  let absolute = url;
  try {
    if (adapter.resolveUrl) absolute = adapter.resolveUrl(url);
  } catch (cause) {
    throw invalid(url, cause);
  }
  const parts = ABSOLUTE.exec(absolute);
  if (!parts || Number(parts[1] ?? 0) > 65_535) throw invalid(url);
  return absolute;
}

function invalid(url: unknown, cause?: unknown): HoldfastError {
  const rule = 'must be an absolute ws:// or wss:// URL, without spaces or a fragment';
  return new HoldfastError('INVALID_URL', `url ${rule}, got ${show(url)}`, { value: url, cause });
}
