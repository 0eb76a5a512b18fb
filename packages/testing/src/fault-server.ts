// What does a client meet that dials a server which misbehaves in exactly one way, named by the path?

import {
  createServer as createPlainServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
} from 'node:http';
import { createServer as createSecureServer, type ServerOptions as SecureServerOptions } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { beforeUpgrade, behave, type Manners } from './faults.ts';
import { createMoments, type Moments } from './moments.ts';

export interface FaultServerOptions {
  /**
   * Key and certificate, to serve `wss:`.
   * @default none: `ws:`
   */
  readonly tls?: SecureServerOptions | undefined;
  /**
   * Compression is accepted where a client offers it.
   * @default false
   */
  readonly perMessageDeflate?: boolean | undefined;
}

/** A real WebSocket server on loopback. Its paths are listed with `behave` and `beforeUpgrade`. */
export interface FaultServer {
  readonly port: number;
  /** Address of a path, which begins with a slash and says how the server behaves. */
  url(path: string): string;
  /** An address on loopback at which nobody listens. */
  readonly refusedUrl: string;
  /** WebSockets that are open or closing. */
  readonly connections: ReadonlySet<FaultConnection>;
  /** TCP connections that are open, also those that never became a WebSocket. */
  readonly sockets: number;
  /**
   * The next WebSocket, of those on `path` if it is given, that was not returned by this before; waits for it. One that
   * has ended since is returned too.
   */
  connection(path?: string): Promise<FaultConnection>;
  /** Resolves when no TCP connection is open. */
  idle(): Promise<void>;
  /** Destroys what is open and stops listening. May be called twice. */
  close(): Promise<void>;
}

/** The server's end of one WebSocket. */
export interface FaultConnection {
  /** With the query. */
  readonly path: string;
  /** Of the upgrade request. */
  readonly headers: IncomingHttpHeaders;
  /** The subprotocol that was chosen, or empty. */
  readonly protocol: string;
  /** All that was received so far, in order. */
  readonly messages: readonly (string | Uint8Array)[];
  /** Ping frames received so far. */
  readonly pings: number;
  /** Resolves with the first `count` messages once there are so many; rejects if the socket ends before. */
  received(count: number): Promise<(string | Uint8Array)[]>;
  /** Resolves when the socket has ended; 1005 for a close frame without a code, 1006 for none. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  send(data: string | Uint8Array): void;
  ping(payload?: Uint8Array): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

export async function createFaultServer(options: FaultServerOptions = {}): Promise<FaultServer> {
  const { tls, perMessageDeflate = false } = options;
  const moments = createMoments();
  const connections = new Set<FaultConnection>();
  const arrived: FaultConnection[] = [];
  const sockets = new Set<Duplex>();
  const http = tls ? createSecureServer(tls) : createPlainServer();

  /** `ws` decides on these by server and not by socket, so there is a server for each; none of them listens. */
  const servers = new Map<Manners, WebSocketServer>();
  const serverFor = (manners: Manners): WebSocketServer => {
    let server = servers.get(manners);
    if (!server) {
      server = new WebSocketServer({
        noServer: true,
        maxPayload: 64 * 1024 * 1024,
        perMessageDeflate,
        autoPong: manners !== 'silent',
        handleProtocols: (offered) => (manners === 'second protocol' ? ([...offered][1] ?? false) : false),
      });
      servers.set(manners, server);
    }
    return server;
  };

  http.on('connection', (socket: Duplex) => {
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      moments.changed();
    });
  });
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', ignore); // the client may be gone while it is being answered
    const url = new URL(request.url ?? '/', 'ws://server');
    const manners = beforeUpgrade(url, request, socket);
    if (manners === undefined) {
      // it will not become a WebSocket: what the client still says is not read, but that it goes away is noticed
      socket.on('end', () => socket.destroy());
      socket.resume();
      return;
    }
    // corked, so that what a path sends at once leaves in the same segment as the 101
    socket.cork();
    serverFor(manners).handleUpgrade(request, socket, head, (ws) => {
      const connection = connectionOf(ws, request, moments);
      connections.add(connection);
      arrived.push(connection);
      ws.on('close', () => {
        connections.delete(connection);
        moments.changed();
      });
      behave(url, request, ws, socket);
      moments.changed();
    });
    socket.uncork();
  });

  const port = await listen(http);
  const refusedPort = await unusedPort();
  const scheme = tls ? 'wss' : 'ws';

  return {
    port,
    url: (path) => `${scheme}://127.0.0.1:${port}${path}`,
    refusedUrl: `${scheme}://127.0.0.1:${refusedPort}/`,
    connections,
    get sockets() {
      return sockets.size;
    },
    connection: (path) =>
      moments.until(() => {
        const next = arrived.findIndex((connection) => path === undefined || connection.path === path);
        return next < 0 ? undefined : arrived.splice(next, 1)[0];
      }),
    idle: () => moments.until(() => sockets.size === 0 || undefined).then(ignore),
    close() {
      moments.end(new Error('the fault server was closed'));
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => {
        http.close(() => resolve());
      });
    },
  };
}

function connectionOf(ws: WebSocket, request: IncomingMessage, moments: Moments): FaultConnection {
  const messages: (string | Uint8Array)[] = [];
  let pings = 0;
  let ended = false;
  ws.on('message', (data: Buffer, isBinary) => {
    messages.push(isBinary ? new Uint8Array(data) : data.toString());
    moments.changed();
  });
  ws.on('ping', () => {
    pings++;
  });
  ws.on('error', ignore); // a close follows
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.on('close', (code, reason) => {
      ended = true;
      resolve({ code, reason: reason.toString() });
    });
  });
  return {
    path: request.url ?? '/',
    headers: request.headers,
    protocol: ws.protocol,
    messages,
    get pings() {
      return pings;
    },
    async received(count) {
      const there = await moments.until(() => {
        if (messages.length >= count) return messages.slice(0, count);
        return ended ? 'ended' : undefined;
      });
      if (there === 'ended') throw new Error(`the socket ended after ${messages.length} of ${count} messages`);
      return there;
    },
    closed,
    send: (data) => ws.send(data),
    ping: (payload) => ws.ping(payload),
    close: (code, reason) => ws.close(code, reason),
    terminate: () => ws.terminate(),
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** A port that was free a moment ago. */
function unusedPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createTcpServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function ignore(): void {}
