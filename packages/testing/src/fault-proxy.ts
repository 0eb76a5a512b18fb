// How does a test break the network between two ends, and mend it, without being root?

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createLane, reset, type Lane, type Weather } from './lane.ts';
import { createMoments } from './moments.ts';

/** Where the proxy forwards to: a port on loopback or at `host`, or the host and port of a URL. */
export type FaultProxyOptions =
  { readonly port: number; readonly host?: string | undefined } | { readonly target: string };

/** Which way of a link a blackhole swallows. */
export type Direction = 'both' | 'toServer' | 'toClient';

/**
 * A TCP proxy on loopback that breaks links on demand. It begins with `pass`. `pass`, `delay`, `throttle` and
 * `blackhole` say how the links are from now on, those that are open and those to come; `refuse` and `hang` are about
 * those to come alone; `cut` and `fin` end those that are open.
 */
export interface FaultProxy {
  readonly port: number;
  /** The proxy's own address, as `ws:`. `path` begins with a slash. */
  url(path?: string): string;
  /** Links that are open at one end at least. */
  readonly connections: number;
  /** Bytes of all links that are held back just now. */
  readonly held: number;

  /**
   * All is well. A link that a blackhole has swallowed stays dead, as a client's old connection does after it has moved
   * to another network, until `release`.
   */
  pass(): void;
  /** Everything arrives `ms` milliseconds later, in order. */
  delay(ms: number): void;
  /** At most so many bytes a second each way, each link by itself. */
  throttle(bytesPerSecond: number): void;
  /** Links stay open and nothing comes through, neither bytes nor the end of a stream. What is sent is held back. */
  blackhole(direction?: Direction): void;
  /** What blackholes have held back arrives late, and in order; the swallowed links are alive again. */
  release(): void;

  /** New connections are accepted and reset at once: `ECONNRESET`. */
  refuse(): void;
  /** New connections are accepted and never answered; the server does not hear of them. */
  hang(): void;

  /** Resets both ends of every link (RST). */
  cut(): void;
  /** Ends both ends of every link in order (FIN), in the middle of whatever was said. */
  fin(): void;

  /** Resolves when `dials` connections have come in altogether, refused and hanging ones included. @default 1 */
  connected(dials?: number): Promise<void>;
  /** Resolves when at least `bytes` are held back. @default 1 */
  holding(bytes?: number): Promise<void>;
  /** Resolves when no link is open. */
  idle(): Promise<void>;
  /** Destroys what is open and stops listening. May be called twice. */
  close(): Promise<void>;
}

/** One client's connection and ours to the server, with a lane for each way. */
interface Link {
  readonly client: Socket;
  readonly server: Socket;
  readonly toServer: Lane;
  readonly toClient: Lane;
}

type Door = 'open' | 'refuse' | 'hang';

export async function createFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const target = targetOf(options);
  const moments = createMoments();
  const links = new Set<Link>();
  const hanging = new Set<Socket>();
  let door: Door = 'open';
  let weather: { readonly toServer: Weather; readonly toClient: Weather } = both({ name: 'pass' });
  let dials = 0;

  // half-open must be allowed, or else Node would answer the end of one stream by ending the other
  const listener = createServer({ allowHalfOpen: true }, (client) => {
    dials++;
    switch (door) {
      case 'open':
        link(client);
        break;
      case 'refuse':
        client.on('error', ignore);
        client.resetAndDestroy();
        break;
      case 'hang':
        hang(client);
        break;
    }
    moments.changed();
  });

  function link(client: Socket): void {
    const server = connect({ ...target, allowHalfOpen: true });
    const pair: Link = {
      client,
      server,
      toServer: createLane(client, server, weather.toServer, () => moments.changed()),
      toClient: createLane(server, client, weather.toClient, () => moments.changed()),
    };
    links.add(pair);
    for (const socket of [client, server]) {
      socket.setNoDelay();
      socket.on('close', () => {
        if (!client.destroyed || !server.destroyed) return;
        links.delete(pair);
        moments.changed();
      });
    }
  }

  function hang(client: Socket): void {
    hanging.add(client);
    client.on('error', ignore);
    client.on('end', () => client.destroy()); // the client has given up
    client.on('close', () => {
      hanging.delete(client);
      moments.changed();
    });
    client.resume();
  }

  function change(next: { readonly toServer: Weather; readonly toClient: Weather }): void {
    door = 'open';
    weather = next;
    for (const { toServer, toClient } of links) {
      toServer.change(next.toServer);
      toClient.change(next.toClient);
    }
  }

  const held = (): number => {
    let bytes = 0;
    for (const { toServer, toClient } of links) bytes += toServer.held + toClient.held;
    return bytes;
  };

  const when = (isSo: () => boolean): Promise<void> => moments.until(() => isSo() || undefined).then(ignore);

  await listen(listener);
  const { port } = listener.address() as AddressInfo;

  return {
    port,
    url: (path = '/') => `ws://127.0.0.1:${port}${path}`,
    get connections() {
      return links.size + hanging.size;
    },
    get held() {
      return held();
    },
    pass: () => change(both({ name: 'pass' })),
    delay: (ms) => change(both({ name: 'delay', ms })),
    throttle: (bytesPerSecond) => change(both({ name: 'throttle', bytesPerSecond })),
    blackhole(direction = 'both') {
      change({
        toServer: { name: direction === 'toClient' ? 'pass' : 'blackhole' },
        toClient: { name: direction === 'toServer' ? 'pass' : 'blackhole' },
      });
    },
    release() {
      if (weather.toServer.name === 'blackhole' || weather.toClient.name === 'blackhole') {
        change(both({ name: 'pass' }));
      }
      for (const { toServer, toClient } of links) {
        toServer.release(weather.toServer);
        toClient.release(weather.toClient);
      }
    },
    refuse() {
      door = 'refuse';
    },
    hang() {
      door = 'hang';
    },
    cut() {
      for (const { client, server, toServer, toClient } of links) {
        toServer.stop();
        toClient.stop();
        reset(client);
        reset(server);
      }
      for (const client of hanging) reset(client);
    },
    fin() {
      for (const { client, server, toServer, toClient } of links) {
        toServer.stop();
        toClient.stop();
        client.end();
        server.end();
      }
      for (const client of hanging) client.end();
    },
    connected: (wanted = 1) => when(() => dials >= wanted),
    holding: (bytes = 1) => when(() => held() >= bytes),
    idle: () => when(() => links.size + hanging.size === 0),
    close() {
      moments.end(new Error('the fault proxy was closed'));
      for (const { client, server, toServer, toClient } of links) {
        toServer.stop();
        toClient.stop();
        client.destroy();
        server.destroy();
      }
      for (const client of hanging) client.destroy();
      return new Promise((resolve) => {
        listener.close(() => resolve());
      });
    },
  };
}

function targetOf(options: FaultProxyOptions): { host: string; port: number } {
  if ('port' in options) return { host: options.host ?? '127.0.0.1', port: options.port };
  const url = new URL(options.target);
  const secure = url.protocol === 'wss:' || url.protocol === 'https:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1'); // as it is in a URL for IPv6
  return { host, port: Number(url.port || (secure ? 443 : 80)) };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve());
  });
}

const both = (weather: Weather) => ({ toServer: weather, toClient: weather });

function ignore(): void {}
