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
  const sockets = new Set<Tenant>();

  return {
    name: 'browser',
    capabilities: { headers: false, pingFrames: false, bufferedAmount: true },
    resolveUrl,
    openSocket: (request, events) => openSocket(request, events, () => given ?? globalWebSocket(), clock, sockets),
    ...clock,
    random: () => Math.random(),
    watch: (tell) =>
      watchPage(
        tell,
        () => sockets.forEach(({ moveOut }) => moveOut()),
        () => sockets.forEach(({ look }) => look()),
      ),
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

/** A socket that is there when the page goes away or comes back. */
interface Tenant {
  /**
   * The page goes into the back/forward cache. Chromium keeps no page there that has a socket open, and takes back what
   * `persisted` has promised; others end the socket when the page comes back, and the server waits for it in vain.
   */
  moveOut(): void;
  /** The page has come back: a socket that the platform has closed meanwhile is over now, not when it says so. */
  look(): void;
}

function openSocket(
  request: SocketRequest,
  events: SocketEvents,
  constructorOf: () => WebSocketConstructor,
  clock: Pick<Adapter, 'now' | 'wake'>,
  sockets: Set<Tenant>,
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

  const tenant: Tenant = {
    moveOut: () => abandon(new Error('the page has gone into the back/forward cache')),
    look() {
      if (socket && socket.readyState === CLOSED) finish(abnormal());
    },
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
    sockets.delete(tenant);
  }

  try {
    const { url, protocols } = request;
    const WebSocket = constructorOf();
    socket = protocols.length > 0 ? new WebSocket(url, [...protocols]) : new WebSocket(url);
    leave = listenTo(socket, {
      open() {
        if (phase !== 'dialling') return;
        if (protocols.length > 0 && socket!.protocol === '') {
          // as the standard has it (WHATWG WebSockets, "establish a connection"); Firefox and WebKit let it pass
          abandon(new Error('the server chose none of the subprotocols offered'));
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
        // Deno says 0 of a dial that failed, which is no code (RFC 6455 §7.4.2)
        const close = {
          code: code === 0 ? 1006 : (code ?? 1005),
          reason: reason ?? '',
          wasClean: wasClean ?? false,
          cause,
        };
        inOrder.after(() => finish(close));
      },
    });
    socket.binaryType = 'arraybuffer';
    sockets.add(tenant);
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
