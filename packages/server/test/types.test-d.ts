// What do the types say?
import { expectTypeOf, test } from 'vitest';
import {
  createServer,
  deny,
  memoryStore,
  type Peer,
  type Server,
  type ServerEvents,
  type Session,
  type SessionMessage,
} from '../src/index.ts';
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

test('a session has the identity of the upgrade, and authorize says a principal or false', () => {
  const server = createServer({
    noServer: true,
    authorize: (): User => ({ name: 'ada' }),
    sessions: {
      store: memoryStore(),
      authorize: ({ request, identity, auth }) => {
        expectTypeOf(request).toEqualTypeOf<IncomingMessage>();
        expectTypeOf(identity).toEqualTypeOf<User>();
        expectTypeOf(auth).toBeUnknown();
        return identity.name;
      },
      handle: async (message, session) => {
        expectTypeOf(message).toEqualTypeOf<SessionMessage>();
        expectTypeOf(message.data).toEqualTypeOf<string | Uint8Array>();
        expectTypeOf(session).toEqualTypeOf<Session<User>>();
      },
    },
  });
  server.on('session', (session, { resumed }) => {
    expectTypeOf(session).toEqualTypeOf<Session<User>>();
    expectTypeOf(resumed).toBeBoolean();
    session.on('ended', ({ reason }) => expectTypeOf(reason).toExtend<string>());
  });
  expectTypeOf(server.sessions.send).returns.toEqualTypeOf<Promise<boolean>>();
  // @ts-expect-error: nobody is undefined
  createServer({ noServer: true, sessions: { store: memoryStore(), authorize: () => undefined, handle: () => {} } });
});
