// Several servers on one HTTP server: whose is this upgrade?

import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { invalidOption } from './errors.ts';
import { pathOf } from './handshake.ts';
import { refuse, type Refusal } from './refusal.ts';

/** One server's part of an HTTP server; without a path it takes what no other route does. */
export interface Route {
  readonly path: string | undefined;
  enter(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** A request was refused because its path is nobody's. */
  missed(refusal: Refusal, request: IncomingMessage): void;
}

/**
 * The routes of each HTTP server. They share one `upgrade` listener, since with one each, nobody could tell whether any
 * of the others is going to answer.
 */
const tables = new WeakMap<HttpServer | HttpsServer, Table>();

interface Table {
  readonly routes: Map<string | undefined, Route>;
  readonly listener: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/**
 * Adds a route. Returns a detach, which may be called twice.
 * @throws INVALID_OPTION if the path is taken.
 */
export function attach(server: HttpServer | HttpsServer, route: Route): () => void {
  const table = tables.get(server) ?? open(server);
  if (table.routes.has(route.path)) {
    throw invalidOption('path', 'one that no other server has on this HTTP server', route.path);
  }
  table.routes.set(route.path, route);
  return () => {
    if (table.routes.get(route.path) !== route) return;
    table.routes.delete(route.path);
    if (table.routes.size > 0) return;
    tables.delete(server);
    server.off('upgrade', table.listener);
  };
}

function open(server: HttpServer | HttpsServer): Table {
  const routes = new Map<string | undefined, Route>();
  const table: Table = {
    routes,
    listener(request, socket, head) {
      const route = routes.get(pathOf(request)) ?? routes.get(undefined);
      if (route) return route.enter(request, socket, head);
      if (server.listenerCount('upgrade') > 1) return; // another library's, and its business
      refuseNobodys(request, socket, routes.values());
    },
  };
  tables.set(server, table);
  server.on('upgrade', table.listener);
  return table;
}

/** Answers 404, and tells those whose path it might have been. */
export function refuseNobodys(request: IncomingMessage, socket: Duplex, routes: Iterable<Route>): void {
  const refusal: Refusal = { status: 404, reason: 'path' };
  socket.on('error', () => {});
  refuse(socket, refusal);
  for (const route of routes) route.missed(refusal, request);
}
