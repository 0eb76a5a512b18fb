// What does a mock server know of one socket, and what can it do to it?

import { viewOf, type Data } from '@holdfast/core';
import { CloseEvent, type WebSocketClientConnection } from '@mswjs/interceptors/WebSocket';
import type { WebSocketHandlerConnection } from 'msw';
import { createMoments } from '../moments.ts';

/**
 * What becomes of a client's `ping`: answered with `pong`, counted and not answered, or taken for a message as any other.
 * The first two keep pings out of `received`.
 */
export type MockHeartbeat = 'answer' | 'ignore' | 'off';

/** How a socket ended. */
export interface MockEnd {
  readonly code: number;
  readonly reason: string;
}

/** The server's end of one WebSocket. */
export interface MockLink {
  /** With the query. */
  readonly url: string;
  /** Subprotocols that were offered. The client is always told the first. */
  readonly protocols: readonly string[];
  /** All messages so far, in order, without heartbeats. */
  readonly received: readonly Data[];
  /** Heartbeats so far, answered or not. */
  readonly pings: number;
  /** The next message that was not returned by this before; waits for it. Rejects if the socket ends before. */
  message(): Promise<Data>;
  send(data: Data): void;
  /**
   * Closes with the closing handshake; a dial that is not open yet opens first.
   * @param code any, also one that only a server may send
   * @default 1005, as a close frame without a code is told
   */
  close(code?: number, reason?: string): void;
  /** Ends it without a closing handshake: the client hears `error` and 1006. */
  kill(): void;
  /** Resolves when it has ended, whoever ended it. */
  readonly closed: Promise<MockEnd>;
}

export type ClientConnection = WebSocketHandlerConnection['client'];

/** What the server has to say about all its links. */
export interface LinkManners {
  heartbeat(): MockHeartbeat;
  readonly answer: ((data: Data, link: MockLink) => Data | undefined | void) | undefined;
  received(data: Data): void;
}

/** The client's socket; msw has it, and leaves it out of its types. */
export function socketOf(client: ClientConnection): WebSocket {
  return (client as WebSocketClientConnection).socket;
}

export function createLink(client: ClientConnection, protocols: readonly string[], manners: LinkManners): MockLink {
  const socket = socketOf(client);
  const moments = createMoments();
  const received: Data[] = [];
  let returned = 0;
  let pings = 0;

  const closed = new Promise<MockEnd>((resolve) => {
    client.addEventListener('close', ({ code, reason }) => {
      moments.end(new Error(`the socket ended with ${code} after ${received.length} messages`));
      resolve({ code, reason });
    });
  });

  client.addEventListener('message', ({ data }) => {
    const message = typeof data === 'string' ? data : viewOf(data)?.slice();
    if (message === undefined) throw new TypeError('a mock server takes strings and binary, and no Blob');
    if (message === 'ping' && manners.heartbeat() !== 'off') {
      pings++;
      if (manners.heartbeat() === 'answer') link.send('pong');
      return;
    }
    received.push(message);
    manners.received(message);
    moments.changed();
    const answer = manners.answer?.(message, link);
    if (answer !== undefined) link.send(answer);
  });

  const link: MockLink = {
    url: client.url.href,
    protocols,
    received,
    get pings() {
      return pings;
    },
    message: () => moments.until(() => (returned < received.length ? received[returned++] : undefined)),
    send: (data) => client.send(typeof data === 'string' ? data : binaryFor(socket, data)),
    close(code = 1005, reason = '') {
      const close = (): void => client.close(code, reason);
      // msw would leave the `open` out, which no server can
      if (socket.readyState === socket.CONNECTING) socket.addEventListener('open', close, { once: true });
      else close();
    },
    kill: () => breakOff(socket),
    closed,
  };
  return link;
}

/** As the standard has it: bytes of the message's own, in the form that `binaryType` names. msw hands on what it is given. */
function binaryFor(socket: WebSocket, data: Uint8Array): ArrayBuffer | Blob {
  const own = new Uint8Array(data);
  return socket.binaryType === 'blob' ? new Blob([own]) : own.buffer;
}

/** An end without a closing handshake, or a dial that fails, as the standard tells it. msw has a word for neither. */
export function breakOff(socket: WebSocket): void {
  if (socket.readyState !== socket.CONNECTING && socket.readyState !== socket.OPEN) return;
  Object.assign(socket, { readyState: socket.CLOSED });
  queueMicrotask(() => {
    socket.dispatchEvent(new Event('error'));
    socket.dispatchEvent(new CloseEvent('close', { code: 1006, reason: '', wasClean: false }));
  });
}
