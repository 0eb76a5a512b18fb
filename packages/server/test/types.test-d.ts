// What do the types say?
import { expectTypeOf, test } from 'vitest';
import { createServer, deny, type Peer, type Server, type ServerEvents } from '../src/index.ts';
import type { IncomingMessage } from 'node:http';

interface User {
  name: string;
}

test('what authorize returns is the identity, without the ways to say no', () => {
  const server = createServer({
    noServer: true,
    authorize: async (request): Promise<User | false | ReturnType<typeof deny>> => {
      expectTypeOf(request).toEqualTypeOf<IncomingMessage>();
      return request.url === '/' ? { name: 'ada' } : request.url ? false : deny(403);
    },
  });
  expectTypeOf(server).toEqualTypeOf<Server<User>>();
  server.on('connection', (peer) => {
    expectTypeOf(peer).toEqualTypeOf<Peer<User>>();
    peer.on('message', (data) => expectTypeOf(data).toEqualTypeOf<string | Uint8Array>());
  });
});

test('without authorize there is none', () => {
  const server = createServer({ noServer: true });
  server.on('connection', (peer) => expectTypeOf(peer.identity).toEqualTypeOf<undefined>());
});

test('there is no event but those that are told', () => {
  const server = createServer({ noServer: true });
  expectTypeOf<keyof ServerEvents<undefined>>().toEqualTypeOf<
    'connection' | 'session' | 'refused' | 'error' | 'close'
  >();
  // @ts-expect-error: no such event
  server.on('conection', () => {});
});
