// How does a WHATWG WebSocket become one of ours?
//
// Also where there is no page: workers of every kind, Deno, Bun, Cloudflare's workerd, React Native, Node's own
// WebSocket. What differs there is taken as it comes, and no runtime is asked for its name.

import {
  createClock,
  HoldfastError,
  withAccessors,
  type Adapter,
  type CloseInfo,
  type Socket,
  type SocketEvents,
  type SocketRequest,
} from '@holdfast/core';
import { createInOrder } from './in-order.ts';
import { CLOSED, globalWebSocket, listenTo, type WebSocketConstructor, type WebSocketLike } from './web-socket.ts';
import { watchPage } from './page.ts';

export interface BrowserOptions {
  /**
   * The constructor to use, for instance a mock's or a polyfill's. It need not be the platform's, nor make events of
   * the platform's classes.
   * @default the global `WebSocket`, read at each dial
   */
  readonly WebSocket?: WebSocketConstructor | undefined;
}

/**
 * Sockets of the platform's `WebSocket`, and the page's signals where there is a page. Made without one, for instance
 * while a page is rendered on a server, it only fails when it has to dial.
 * @throws `INVALID_OPTION`
 */
export function browserAdapter(options: BrowserOptions = {}): Adapter {
  const { WebSocket: given } = options;
  if (given !== undefined && typeof given !== 'function') {
    throw new HoldfastError('INVALID_OPTION', `WebSocket must be a constructor, got ${String(given)}`, {
      value: given,
    });
  }
  const clock = createClock({
    read: () => Date.now(),
    setTimeout: (wakeUp, ms) => setTimeout(wakeUp, ms),
    clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  });
  const sockets = new Set<() => void>();

  return {
    name: 'browser',
    capabilities: { headers: false, pingFrames: false, bufferedAmount: true },
    resolveUrl,
    openSocket: (request, events) => openSocket(request, events, () => given ?? globalWebSocket(), clock, sockets),
    ...clock,
    random: () => Math.random(),
    // a page that was away may have lost its sockets without having been told yet
    watch: (tell) => watchPage(tell, () => sockets.forEach((look) => look())),
  };
}

/** Where a page or a worker has an address, URLs are relative to it (WHATWG WebSockets, `new WebSocket(url)`). */
function resolveUrl(url: string): string {
  const base = typeof location === 'undefined' || typeof URL === 'undefined' ? '' : location.href;
  return (base ? new URL(url, base).href : url).replace(/^http/, 'ws');
}

/**
 * How long an `error` waits for the `close` that the standard has follow it in the same task. Some platforms leave it
 * out: Node 22 does after a failed dial.
 */
const ERROR_GRACE = 100;

function openSocket(
  request: SocketRequest,
  events: SocketEvents,
  constructorOf: () => WebSocketConstructor,
  clock: Pick<Adapter, 'now' | 'wake'>,
  sockets: Set<() => void>,
): Socket {
  let phase: 'dialling' | 'open' | 'over' = 'dialling';
  let socket: WebSocketLike | undefined;
  let cause: unknown;
  let leave = (): void => {};
  let cancelGrace = (): void => {};

  const inOrder = createInOrder(
    (data) => {
      if (phase === 'open') events.message(data);
    },
    (unreadable) => abandon(unreadable),
  );

  /** The page has come back: a socket that the platform has closed meanwhile is over now, not when it says so. */
  const look = (): void => {
    if (socket && socket.readyState === CLOSED) finish(abnormal());
  };

  function finish(close: CloseInfo): void {
    if (phase === 'over') return;
    release();
    events.closed(close);
  }

  /** Our own verdict: the platform's socket may well be open. */
  function abandon(why: unknown): void {
    if (phase === 'over') return;
    finish({ ...abnormal(), cause: why });
    socket?.close();
  }

  function release(): void {
    phase = 'over';
    leave();
    cancelGrace();
    sockets.delete(look);
  }

  try {
    const { url, protocols } = request;
    const WebSocket = constructorOf();
    socket = protocols.length > 0 ? new WebSocket(url, [...protocols]) : new WebSocket(url);
    leave = listenTo(socket, {
      open() {
        if (phase !== 'dialling') return;
        if (protocols.length > 0 && socket!.protocol === '') {
          finish({ ...abnormal(), cause: new Error('the server chose none of the subprotocols offered') });
          socket!.close();
          return;
        }
        phase = 'open';
        events.opened({ protocol: socket!.protocol ?? '' });
      },
      message: ({ data }) => inOrder.message(data),
      error(event) {
        if (phase === 'over') return;
        cause = event;
        cancelGrace();
        cancelGrace = clock.wake(clock.now() + ERROR_GRACE, () => abandon(event));
      },
      close({ code, reason, wasClean }) {
        cancelGrace();
        const close = { code: code ?? 1005, reason: reason ?? '', wasClean: wasClean ?? false, cause };
        inOrder.after(() => finish(close));
      },
    });
    socket.binaryType = 'arraybuffer';
    sockets.add(look);
  } catch (thrown) {
    // a content security policy, mixed content, a bad subprotocol, or no WebSocket at all
    leave();
    cancelGrace = clock.wake(clock.now(), () => finish({ ...abnormal(), cause: thrown }));
  }

  return withAccessors({
    send: (data) => socket!.send(data as never),
    close: (code, reason) => socket?.close(code, reason),
    // what the standard has no word for: nobody listens any more, and the platform ends it as it can
    terminate() {
      release();
      socket?.close();
    },
    get bufferedAmount() {
      return socket?.bufferedAmount ?? 0;
    },
  });
}

const abnormal = (): CloseInfo => ({ code: 1006, reason: '', wasClean: false });
