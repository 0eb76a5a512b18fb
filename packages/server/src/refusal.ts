// How is an upgrade refused?

import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Why an upgrade was refused. The client sees the status alone. */
export type RefusalReason =
  /** 400, 405, 426: no WebSocket handshake of version 13. */
  | 'bad-handshake'
  /** 404: no server has this path. */
  | 'path'
  /** 503: draining or closed. */
  | 'closing'
  /** 503: `maxPeers`. */
  | 'full'
  /** 429: `maxPeersPerAddress`. */
  | 'address-full'
  /** 403: `origins`, `absentOrigin`. */
  | 'origin'
  /** 401, 403: `authorize` said no. */
  | 'unauthorized'
  /** 503: `authorize` threw or gave no answer in time. */
  | 'authorize-failed';

export interface Refusal {
  readonly status: number;
  readonly reason: RefusalReason;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** `Retry-After` in whole seconds (RFC 9110 §10.2.3), at least one. */
export function retryAfterHeader(ms: number): { 'Retry-After': string } {
  return { 'Retry-After': String(Math.max(1, Math.ceil(ms / 1000))) };
}

/** What is left unread then is dropped. */
const MAX_LINGER = 1_000;

/**
 * Answers with a body that says nothing beyond the status, since what exactly was wrong helps only those who try, and
 * destroys the socket, also when the client does not read.
 */
export function refuse(socket: Duplex, { status, headers }: Refusal): void {
  if (socket.destroyed) return;
  const body = STATUS_CODES[status] ?? '';
  const lines = Object.entries({
    ...headers,
    Connection: 'close',
    'Content-Type': 'text/plain',
    'Content-Length': String(body.length),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const linger = setTimeout(() => socket.destroy(), MAX_LINGER);
  socket.once('close', () => clearTimeout(linger));
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${body}\r\n${lines.join('')}\r\n${body}`);
}
