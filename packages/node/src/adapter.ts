// How does a WebSocket of `ws` become one of ours?

import {
  createClock,
  withAccessors,
  type Adapter,
  type CloseInfo,
  type Socket,
  type SocketEvents,
  type SocketRequest,
} from '@holdfast/core';
import { WebSocket } from 'ws';
import { settingsOf, type NodeOptions, type Settings } from './options.ts';
import { retryAfterOf } from './retry-after.ts';

/**
 * Sockets of the package `ws`, with headers, ping frames and the status of a refused upgrade.
 * @throws `INVALID_OPTION`
 */
export function nodeAdapter(options: NodeOptions = {}): Adapter {
  const settings = settingsOf(options);
  return {
    name: 'node',
    capabilities: { headers: true, bufferedAmount: true, pingFrames: true },
    openSocket: (request, events) => openSocket(request, events, settings),
    random: () => Math.random(),
    ...createClock({
      read: () => Date.now(),
      setTimeout: (wakeUp, ms) => {
        const timer = setTimeout(wakeUp, ms);
        return settings.unref ? timer.unref() : timer;
      },
      clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
    }),
  };
}

/** Where a socket is on its way: what it may still tell follows from it. */
type Phase = 'dialling' | 'open' | 'over';

function openSocket(request: SocketRequest, events: SocketEvents, settings: Settings): Socket {
  let phase: Phase = 'dialling';
  let ws: WebSocket;
  try {
    ws = dial(request, settings);
  } catch (cause) {
    return stillborn(events, cause);
  }
  let failure: unknown;

  function finish(close: CloseInfo): void {
    if (phase === 'over') return;
    phase = 'over';
    events.closed(close);
  }

  // Stays for ever: `ws` emits an error also after `terminate()` while dialling, and one that nobody hears ends the
  // process (T10). It decides nothing, since a close event follows each of them.
  ws.on('error', (error) => {
    failure = error;
  });
  ws.on('unexpected-response', (_request, response) => {
    // ends the request and its connection, so the body is not read, however long it is
    ws.terminate();
    finish({
      ...abnormal(undefined),
      status: response.statusCode,
      retryAfter: retryAfterOf(response.headers, Date.now()),
    });
  });
  ws.on('open', () => {
    if (phase !== 'dialling') return;
    phase = 'open';
    events.opened({ protocol: ws.protocol });
  });
  ws.on('message', (data, isBinary) => {
    if (phase !== 'open') return;
    const bytes = data as Buffer; // as it is while `binaryType` is left alone
    events.message(isBinary ? ownBytes(bytes) : bytes.toString());
  });
  ws.on('ping', () => {
    if (phase === 'open') events.alive?.();
  });
  ws.on('pong', (payload) => {
    if (phase === 'open') events.pong?.(ownBytes(payload));
  });
  // by the W3C's face of `ws`, the only one that says whether both close frames went their way
  ws.addEventListener('close', ({ code, reason, wasClean }) => {
    finish({ code, reason, wasClean, cause: failure });
  });

  return withAccessors({
    // No callback, and so nothing is ever told by `rejected`: `ws` calls back with an error only when the socket is
    // going down, and then `closed` says all there is to say. What is wrong with one message is thrown at once.
    send(data) {
      // the compressor reads later, and by then the caller may have written into his memory again
      ws.send(settings.perMessageDeflate && typeof data !== 'string' ? new Uint8Array(data) : data);
    },
    ping(payload) {
      ws.ping(payload);
    },
    close(code, reason) {
      ws.close(code, reason);
    },
    // also takes down the timer by which `ws` waits 30 s for the answer to a close frame (T3)
    terminate() {
      phase = 'over';
      ws.terminate();
    },
    get bufferedAmount() {
      return ws.bufferedAmount;
    },
  });
}

function dial({ url, protocols, headers }: SocketRequest, settings: Settings): WebSocket {
  const { tls, agent, maxPayload, perMessageDeflate } = settings;
  return new WebSocket(url, [...protocols], {
    ...tls,
    ...(agent && { agent }),
    ...(headers && { headers: { ...headers } }),
    maxPayload,
    perMessageDeflate,
  });
}

/** A socket that could not even be made: a bad protocol, a bad header, a certificate that is none (T13). */
function stillborn(events: SocketEvents, cause: unknown): Socket {
  let phase: Phase = 'dialling';
  queueMicrotask(() => {
    if (phase === 'over') return;
    phase = 'over';
    events.closed(abnormal(cause));
  });
  return {
    send() {},
    ping() {},
    close() {},
    terminate() {
      phase = 'over';
    },
    bufferedAmount: 0,
  };
}

const abnormal = (cause: unknown): CloseInfo => ({
  code: 1006,
  reason: '',
  wasClean: false,
  cause,
});

/**
 * A plain `Uint8Array` that its receiver may keep, write into and transfer. `ws` hands out a window on what the network
 * delivered in one piece, where other messages lie too, or on Node's pool; only a message that was put together from
 * several pieces, as large ones are, has its memory for itself and is not copied. Nor is one of no bytes: `ws` has a
 * single empty buffer for all of them.
 */
function ownBytes(bytes: Buffer): Uint8Array {
  const { buffer, byteLength } = bytes;
  return byteLength > 0 && byteLength === buffer.byteLength ? new Uint8Array(buffer) : new Uint8Array(bytes);
}
