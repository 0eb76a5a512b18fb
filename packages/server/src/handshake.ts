// Is this request a WebSocket handshake (RFC 6455 §4.2.1)?

import type { IncomingMessage } from 'node:http';
import type { OriginFacts } from './origin.ts';
import type { Refusal } from './refusal.ts';

/** A base64 of 16 bytes. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

export function judgeHandshake({ method, headers }: IncomingMessage): Refusal | undefined {
  if (method !== 'GET') return { status: 405, reason: 'bad-handshake', headers: { Allow: 'GET' } };
  // ws also takes version 8, which carries its origin in another header
  if (headers['sec-websocket-version'] !== '13') {
    return {
      status: 426,
      reason: 'bad-handshake',
      headers: { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
    };
  }
  const isHandshake = headers.upgrade?.toLowerCase() === 'websocket' && KEY.test(headers['sec-websocket-key'] ?? '');
  return isHandshake ? undefined : { status: 400, reason: 'bad-handshake' };
}

/** The path of a request, without its query, as the client wrote it. */
export function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

export function originFactsOf(request: IncomingMessage): OriginFacts {
  return {
    origins: valuesOf(request, 'origin'),
    hasCookie: request.headers.cookie !== undefined,
    host: valuesOf(request, 'host').length === 1 ? request.headers.host : undefined,
    isEncrypted: 'encrypted' in request.socket,
  };
}

/** From the raw headers, since Node joins those that are repeated. */
function valuesOf({ rawHeaders }: IncomingMessage, name: string): string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name);
}
