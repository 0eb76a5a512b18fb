// Who replaces the global WebSocket, so that mock servers can be dialled?

import { WebSocketInterceptor } from '@mswjs/interceptors/WebSocket';
import type { WebSocketHandler } from 'msw';
import { defineNetwork, InterceptorSource } from 'msw/experimental';

/** What `setupServer` and `setupWorker` of msw return. */
export interface MockNetwork {
  use(...handlers: WebSocketHandler[]): void;
}

/** One for all mock servers: a second msw in the same realm would hear nothing, without a word. */
interface Listening {
  readonly handlers: Set<WebSocketHandler>;
  /** Has msw know the handlers as they are now. */
  update(): void;
  stop(): void;
}

let listening: Listening | undefined;

/** Has `handler` asked about every dial from now on. Returns a stop; after the last one the global is what it was. */
export function listen(handler: WebSocketHandler, network: MockNetwork | undefined): () => void {
  if (network) {
    network.use(handler);
    return () => {}; // msw takes handlers off all together; ours declines from now on
  }
  const ours = (listening ??= start());
  ours.handlers.add(handler);
  ours.update();
  return () => {
    ours.handlers.delete(handler);
    if (ours.handlers.size > 0) return ours.update();
    ours.stop();
    listening = undefined;
  };
}

function start(): Listening {
  if (Reflect.get(globalThis, WebSocketInterceptor.symbol) !== undefined) {
    throw new Error('msw is listening already; pass what setupServer or setupWorker returned as options.network');
  }
  const takeAway = bringWebSocket();
  // only WebSockets: fetch, node:http and the ws package go where they always went, and no service worker is needed
  const interceptor = new WebSocketInterceptor() as never; // its types are told twice, and differ in a private name
  const source = new InterceptorSource({ interceptors: [interceptor] });
  const network = defineNetwork({ sources: [source], onUnhandledFrame: 'bypass', context: { quiet: true } });
  const real = WebSocket;
  network.enable();
  const handlers = new Set<WebSocketHandler>();
  leaveAlone(real, (url) => [...handlers].some((handler) => isAt(handler, url)));
  return {
    handlers,
    update: () => network.resetHandlers(...handlers),
    stop() {
      network.disable();
      takeAway();
    },
  };
}

function isAt(handler: WebSocketHandler, url: string): boolean {
  try {
    return handler.test(url);
  } catch {
    return false; // no address at all: the real one says so
  }
}

/**
 * A dial that no handler wants would be passed through by msw: it opens at once, whatever the server does, and does not
 * close when that fails. So it never gets there. What is put here goes when msw gives the global back.
 */
function leaveAlone(real: typeof WebSocket, isMocked: (url: string) => boolean): void {
  const value = new Proxy(WebSocket, {
    construct: (mocked, args: [url: string | URL], newTarget) =>
      Reflect.construct(isMocked(String(args[0])) ? mocked : real, args, newTarget) as WebSocket,
  });
  Object.defineProperty(globalThis, 'WebSocket', { value, configurable: true, enumerable: true, writable: true });
}

/** msw replaces a global `WebSocket` and does nothing where there is none, as in Node 20. */
function bringWebSocket(): () => void {
  if (typeof WebSocket !== 'undefined') return () => {};
  class OnlyMocked {
    constructor(url: string) {
      throw new Error(`${url} is no mock server's address, and this runtime has no WebSocket of its own`);
    }
  }
  Object.defineProperty(globalThis, 'WebSocket', { value: OnlyMocked, configurable: true, writable: true });
  return () => Reflect.deleteProperty(globalThis, 'WebSocket');
}
