// How is an app tested that dials a server which is not there?
//
// On msw: the global WebSocket is replaced while a mock server listens, in Node and in a page, and all that happens
// happens in microtasks, so that fake timers work. It proves protocol and timing. What msw does unlike a socket is listed
// in docs/testing.md, and is better proven on the fault server.

import { browserAdapter, type Adapter, type Data, type WebSocketConstructor } from '@holdfast/browser';
import {
  breakOff,
  createLink,
  socketOf,
  type ClientConnection,
  type MockHeartbeat,
  type MockLink,
} from './mock/link.ts';
import { createHandler } from './mock/handler.ts';
import { listen, type MockNetwork } from './mock/network.ts';
import { createMoments } from './moments.ts';

export type { MockEnd, MockHeartbeat, MockLink } from './mock/link.ts';
export type { MockNetwork } from './mock/network.ts';

export interface MockServerOptions {
  /**
   * What becomes of a client's `ping`. May be changed later: {@link MockServer.heartbeat}.
   * @default 'answer'
   */
  readonly heartbeat?: MockHeartbeat | undefined;
  /**
   * Asked for each message; what it returns is sent back.
   * @default none: the server is silent
   */
  readonly answer?: ((data: Data, link: MockLink) => Data | undefined | void) | undefined;
  /**
   * Called for each accepted dial, before the client hears `open`. What it sends arrives right after that.
   * @default none
   */
  readonly onConnection?: ((link: MockLink) => void) | undefined;
  /**
   * Your own msw, if you mock HTTP too: what `setupServer` or `setupWorker` returned, listening already. Only one msw can
   * listen at a time.
   * @default one of our own, which touches the global `WebSocket` and nothing else
   */
  readonly network?: MockNetwork | undefined;
}

/** A server at an address that does not exist. */
export interface MockServer {
  /** The address. A query may be added; {@link MockLink.url} tells it. */
  readonly url: string;
  /** For `connect(server.url, { adapter: server.adapter })`. After `close()` it dials nobody. */
  readonly adapter: Adapter;
  heartbeat: MockHeartbeat;
  /** Accepted and not yet ended. */
  readonly connections: ReadonlySet<MockLink>;
  /** All messages of all connections so far, in order. */
  readonly received: readonly Data[];
  /** How often it was dialled so far, also in vain. */
  readonly dials: number;
  /** Resolves once it was dialled `count` times. */
  dialled(count: number): Promise<void>;
  /** The next connection that was not returned by this before; waits for it. One that has ended since is returned too. */
  connection(): Promise<MockLink>;
  /** From now on dials succeed, as they do at the beginning; so do those that hang. */
  accept(): void;
  /** From now on dials fail, with `error` and 1006; so do those that hang. What is open stays open. */
  refuse(): void;
  /** From now on dials are not answered. What is open stays open. */
  hang(): void;
  /** Ends what is open as {@link MockLink.kill} does, and gives the address back. May be called twice. */
  close(): Promise<void>;
}

/** Addresses at which a mock server listens. */
const taken = new Set<string>();

/**
 * Listens at `url`, absolute and `ws:` or `wss:`. In Node 20, which has no global `WebSocket`, one is brought that can
 * dial mock servers only.
 * @throws (rejects) for another kind of address, where another mock server listens at `url`, or where an msw listens that
 * was not given as `network`
 */
export async function mockServer(url: string, options: MockServerOptions = {}): Promise<MockServer> {
  if (!/^wss?:\/\//.test(url)) throw new TypeError(`a mock server needs an absolute ws: or wss: address, got ${url}`);
  if (taken.has(url)) throw new Error(`a mock server listens at ${url} already; close it first`);
  const moments = createMoments();
  const connections = new Set<MockLink>();
  const arrived: MockLink[] = [];
  const received: Data[] = [];
  let manner: 'accept' | 'refuse' | 'hang' | 'closed' = 'accept';
  let dials = 0;

  function takeDial(client: ClientConnection, protocols: readonly string[]): Promise<void> | undefined {
    if (manner === 'closed') return undefined;
    const socket = socketOf(client);
    dials++;
    moments.changed();
    return moments
      .until(() => manner !== 'hang' || undefined)
      .then(() => {
        if (manner !== 'accept') breakOff(socket);
        else if (socket.readyState === socket.CONNECTING) connected(client, protocols); // else given up meanwhile
      });
  }

  function connected(client: ClientConnection, protocols: readonly string[]): void {
    const link = createLink(client, protocols, {
      answer: options.answer,
      heartbeat: () => server.heartbeat,
      received: (data) => void received.push(data),
    });
    connections.add(link);
    void link.closed.then(() => connections.delete(link));
    arrived.push(link);
    options.onConnection?.(link);
    moments.changed();
  }

  function behave(next: typeof manner): void {
    if (manner === 'closed') return;
    manner = next;
    moments.changed();
  }

  /** Fails where the global one would try the network. */
  function MockedWebSocket(dialledUrl: string, protocols?: string | string[]): WebSocket {
    if (manner === 'closed') throw new Error(`the mock server at ${url} was closed`);
    return new WebSocket(dialledUrl, protocols);
  }

  const stop = listen(createHandler(url, takeDial), options.network);
  taken.add(url);

  const server: MockServer = {
    url,
    adapter: browserAdapter({ WebSocket: MockedWebSocket as unknown as WebSocketConstructor }),
    heartbeat: options.heartbeat ?? 'answer',
    connections,
    received,
    get dials() {
      return dials;
    },
    dialled: (count) => moments.until(() => dials >= count || undefined).then(() => {}),
    connection: () => moments.until(() => arrived.shift()),
    accept: () => behave('accept'),
    refuse: () => behave('refuse'),
    hang: () => behave('hang'),
    async close() {
      if (manner === 'closed') return;
      behave('closed');
      moments.end(new Error(`the mock server at ${url} was closed`));
      taken.delete(url);
      stop();
      const open = [...connections];
      for (const link of open) link.kill();
      await Promise.all(open.map(({ closed }) => closed));
    },
  };
  return server;
}
