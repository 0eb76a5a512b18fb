// What is underneath: an HTTP server of our own, one that is shared, or none?

import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { serverError, type ServerError } from './errors.ts';
import type { Place } from './settings.ts';

/** The HTTP server underneath, as far as the WebSocket server has to do with it. */
export interface Foundation {
  /** Where to take upgrades from; undefined with `noServer`. */
  readonly http: HttpServer | HttpsServer | undefined;
  /** Settled once it listens; rejects SERVER_FAILED. */
  readonly ready: Promise<void>;
  /** No one can dial from here on. Resolves when the last TCP connection is gone; at once if the server is not ours. */
  close(): Promise<void>;
  /** Destroys the TCP connections that are left, of clients that never got as far as a request. */
  cut(): void;
}

/** What a client may take for its TLS handshake, and then for its request. Node's own limits are minutes. */
const REQUEST_TIMEOUT = 10_000;

export function layFoundation(place: Place, failed: (error: ServerError) => void): Foundation {
  switch (place.name) {
    case 'none':
      return { http: undefined, ready: Promise.resolve(), close: async () => {}, cut() {} };
    case 'shared': {
      const http = place.server;
      // its owner hears its errors
      const ready = http.listening
        ? Promise.resolve()
        : new Promise<void>((resolve) => http.once('listening', resolve));
      return { http, ready, close: async () => {}, cut() {} };
    }
    case 'own': {
      const http = createOwn(place);
      const ready = new Promise<void>((resolve, reject) => {
        http.once('listening', resolve);
        http.on('error', (cause) => {
          const message = `the HTTP server failed: ${cause.message}`;
          const error = serverError('SERVER_FAILED', message, { cause });
          reject(error);
          failed(error);
        });
      });
      ready.catch(() => {}); // `failed` was told; whoever waits for it hears it too
      // Node's closeAllConnections does not know those that are still at their TLS handshake
      const sockets = new Set<Socket>();
      http.on('connection', (socket: Socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
      http.listen(place.port, place.host);
      const cut = () => sockets.forEach((socket) => socket.destroy());
      return { http, ready, close: () => closeOwn(http, ready), cut };
    }
  }
}

function createOwn({ tls }: Place & { name: 'own' }): HttpServer | HttpsServer {
  const limits = {
    headersTimeout: REQUEST_TIMEOUT,
    requestTimeout: REQUEST_TIMEOUT,
    connectionsCheckingInterval: REQUEST_TIMEOUT / 2,
  };
  return tls
    ? createHttpsServer({ ...limits, handshakeTimeout: REQUEST_TIMEOUT, ...tls }, upgradeRequired)
    : createHttpServer(limits, upgradeRequired);
}

/** RFC 9110 §15.5.22: there is nothing here but WebSocket. */
function upgradeRequired(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { Upgrade: 'websocket', Connection: 'close' }).end();
}

async function closeOwn(http: HttpServer | HttpsServer, ready: Promise<void>): Promise<void> {
  await ready.catch(() => {}); // one that is still looking up its host would listen afterwards
  if (!http.listening) return;
  await new Promise<void>((resolve) => {
    http.close(() => resolve());
    http.closeAllConnections?.(); // Node 18.2; those that were never upgraded
  });
}
