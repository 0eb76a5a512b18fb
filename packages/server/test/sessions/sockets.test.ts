// Sessions over real sockets: a server, and `ws` as a client that speaks the protocol frame by frame.
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  QUERY,
  SUBPROTOCOL,
  decodeFromServer,
  encodeAck,
  encodeMessage,
  encodeOpen,
  encodePing,
  encodeResume,
  type FrameFromServer,
} from '@holdfast/session/wire';
import { viewOf, type Data } from '@holdfast/core';
import {
  memoryStore,
  type Server,
  type ServerOptions,
  type Session,
  type SessionMessage,
  type SessionOptions,
} from '@holdfast/server';
import { join, joinRaw, nextError, serve, until, urlOf } from '../helpers.ts';
import { createGate } from './world.ts';

interface Held {
  readonly server: Server;
  readonly messages: SessionMessage[];
  readonly sessions: Session[];
}

async function serveSessions(sessions: Partial<SessionOptions> = {}, options: ServerOptions = {}): Promise<Held> {
  const store = sessions.store ?? memoryStore();
  if (!sessions.store) onTestFinished(() => store.close());
  const messages: SessionMessage[] = [];
  const server = await serve({
    ...options,
    sessions: {
      authorize: ({ auth }) => String(auth),
      handle: (message) => messages.push(message),
      ...sessions,
      store,
    },
  });
  const known: Session[] = [];
  server.on('session', (session) => known.push(session));
  return { server, messages, sessions: known };
}

/** A client that offers a session. */
class Speaker {
  readonly frames: FrameFromServer[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly ws: WebSocket;
  private readonly wake = new Set<() => void>();

  constructor(server: Server, { path = '/', protocols = [SUBPROTOCOL] }: { path?: string; protocols?: string[] } = {}) {
    this.ws = new WebSocket(urlOf(server, path), protocols);
    this.ws.on('error', () => {});
    this.ws.on('message', (data, isBinary) => {
      this.frames.push(decodeFromServer(isBinary ? viewOf(data)! : String(data)));
      for (const wake of this.wake) wake();
    });
    this.closed = new Promise((resolve) => {
      this.ws.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
    onTestFinished(() => this.ws.terminate());
  }

  async heard<Type extends FrameFromServer['type']>(
    type: Type,
    count = 1,
  ): Promise<Extract<FrameFromServer, { type: Type }>> {
    for (;;) {
      const found = this.frames.filter((frame) => frame.type === type);
      if (found.length >= count) return found[count - 1] as Extract<FrameFromServer, { type: Type }>;
      await new Promise<void>((resolve) => this.wake.add(resolve));
    }
  }

  say(frame: Data): void {
    this.ws.send(frame);
  }

  async open(auth = 'ada'): Promise<{ sid: string; token: string }> {
    await this.heard('hello');
    this.say(encodeOpen({ attempt: 1, holders: [1], window: 1_048_576, auth }));
    const { sid, token } = await this.heard('ready');
    return { sid, token: token! };
  }

  async resume(held: { sid: string; token: string }, attempt: number, sent = 0): Promise<number> {
    await this.heard('hello');
    this.say(
      encodeResume({
        ...held,
        attempt,
        holders: [1],
        window: 1_048_576,
        auth: 'ada',
        received: 0,
        tag: 0,
        acked: 0,
        sent,
      }),
    );
    return (await this.heard('ready')).received;
  }
}

describe('who offers a session', () => {
  test.each([
    ['by the subprotocol', {}, SUBPROTOCOL],
    ['by the subprotocol among others', { protocols: ['chat.v1', SUBPROTOCOL] }, SUBPROTOCOL],
    ['by the query', { path: `/?${QUERY}`, protocols: [] }, ''],
    ['by the query among others', { path: `/?room=7&${QUERY}`, protocols: ['chat.v1'] }, 'chat.v1'],
  ])('%s is greeted, and is no peer', async (_, offer, protocol) => {
    const { server, sessions } = await serveSessions({}, { protocols: ['chat.v1'] });
    let peers = 0;
    server.on('connection', () => peers++);
    const client = new Speaker(server, offer);
    const { sid } = await client.open();
    expect(client.ws.protocol).toBe(protocol);
    expect(client.frames[0]).toMatchObject({ type: 'hello', ttl: 120_000, heartbeat: 30_000 });
    expect(sessions.map((session) => session.sid)).toEqual([sid]);
    expect([peers, server.peers.size]).toEqual([0, 0]);
  });

  test('I12: who does not is a plain peer on the same endpoint, byte for byte', async () => {
    const { server } = await serveSessions({}, { protocols: ['chat.v1'] });
    const heard: unknown[] = [];
    server.on('connection', (peer) => peer.on('message', (data) => heard.push(data)));
    const client = await join(server, { path: '/?holdfast-session=10', protocols: ['chat.v1'] });
    expect(client.ws.protocol).toBe('chat.v1');
    client.ws.send('p0');
    client.ws.send('ping');
    expect(await client.received(1)).toEqual(['pong']);
    await until(() => heard.length === 1);
    expect(heard).toEqual(['p0']);
    const raw = await joinRaw(server.port);
    expect(server.peers.size).toBe(2);
    expect(raw.read()).toBeNull();
  });

  test('at a server without sessions is a plain peer too', async () => {
    const server = await serve();
    const connected = once(server, 'connection');
    const client = new Speaker(server, { path: `/?${QUERY}`, protocols: [] });
    await connected;
    expect(client.frames).toEqual([]);
    await expect(server.sessions.send('sid', 'x')).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(server.sessions.end('sid')).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    expect(server.sessions.get('sid')).toBeUndefined();
  });
});

test('text and binary go both ways, are acknowledged, and survive a socket that breaks', async () => {
  const { server, messages, sessions } = await serveSessions();
  const first = new Speaker(server);
  const held = await first.open();
  first.say(encodeMessage(1, 0, 'grüß'));
  first.say(encodeMessage(2, 0, Uint8Array.of(1, 2, 3)));
  expect((await first.heard('ack')).received).toBe(2);
  expect(messages.map(({ data }) => data)).toEqual(['grüß', Uint8Array.of(1, 2, 3)]);

  const closed = once(sessions[0]!, 'close');
  first.ws.terminate();
  await closed;
  expect(await sessions[0]!.send('text')).toBe(true);
  expect(await server.sessions.send(held.sid, Uint8Array.of(9))).toBe(true);

  const second = new Speaker(server);
  expect(await second.resume(held, 2, 2)).toBe(2);
  expect((await second.heard('message', 2)).data).toEqual(Uint8Array.of(9));
  expect((await second.heard('message')).data).toBe('text');
  second.say(encodeAck(2));
  second.say(encodePing(2));
  expect((await second.heard('pong')).received).toBe(2);
  expect(server.sessions.get(held.sid)).toBe(sessions[0]);
});

test('a text ping is a frame in a session, and is not answered by pong', async () => {
  const { server } = await serveSessions();
  const client = new Speaker(server);
  await client.open();
  client.say('ping'); // acknowledges message 24172, which was never sent
  expect((await client.closed).code).toBe(4803);
  expect(client.frames.map(({ type }) => type)).toEqual(['hello', 'ready']);
});

test('authorize sees the request and the identity of the upgrade', async () => {
  const store = memoryStore();
  onTestFinished(() => store.close());
  const server = await serve<{ name: string }>({
    authorize: ({ headers }) => ({ name: String(headers['x-name']) }),
    sessions: {
      store,
      authorize: ({ request, identity }) => `${identity.name} at ${request.url}`,
      handle: () => {},
    },
  });
  const session = new Promise<Session<{ name: string }>>((resolve) => server.once('session', resolve));
  const ws = new WebSocket(urlOf(server, '/live'), [SUBPROTOCOL], { headers: { 'x-name': 'ada' } });
  onTestFinished(() => ws.terminate());
  await once(ws, 'open');
  ws.send(encodeOpen({ attempt: 1, holders: [1], window: 1, auth: undefined }));
  expect(await session).toMatchObject({ principal: 'ada at /live', identity: { name: 'ada' } });
});

test('budgets count the frames of sessions too', async () => {
  const { server } = await serveSessions(
    {},
    {
      heartbeat: { interval: 20, timeout: 20 },
      budget: { messages: { perSecond: 1, burst: 10 }, patience: 30, retryAfter: 2_000 },
      closeTimeout: 50,
    },
  );
  server.on('error', () => {});
  const client = new Speaker(server);
  await client.open();
  for (let seq = 1; seq < 100; seq++) client.say(encodeMessage(seq, 0, 'x'));
  const close = await client.closed;
  expect(close.code).toBe(4429);
  expect(close.reason).toMatch(/^retry-after=/);
});

test('a dead peer is noticed in a session too, and the session lives on', async () => {
  const { server, sessions } = await serveSessions({}, { heartbeat: { interval: 40, timeout: 40 } });
  const dead = nextError(server, 'HEARTBEAT_TIMEOUT');
  const client = new Speaker(server);
  await client.open();
  const closed = once(sessions[0]!, 'close');
  client.ws.pause(); // so that it answers no ping
  await Promise.all([dead, closed]);
  expect(await sessions[0]!.send('later')).toBe(true);
});

test('a handler that throws is told with its session', async () => {
  const { server, sessions } = await serveSessions({
    handle: () => {
      throw new Error('typo');
    },
  });
  const told = new Promise<unknown[]>((resolve) => server.once('error', (...all) => resolve(all)));
  const client = new Speaker(server);
  await client.open();
  client.say(encodeMessage(1, 0, 'x'));
  const [error, peer, session] = await told;
  expect(error).toMatchObject({ code: 'HANDLER_FAILED', cause: expect.objectContaining({ message: 'typo' }) });
  expect([peer, session]).toEqual([undefined, sessions[0]]);
});

test('end() reaches the client of any node, and server.sessions says whether there was one', async () => {
  const store = memoryStore();
  onTestFinished(() => store.close());
  const [one, other] = [await serveSessions({ store }), await serveSessions({ store })];
  const client = new Speaker(one.server);
  const held = await client.open();
  expect(await other.server.sessions.send(held.sid, 'from elsewhere')).toBe(true);
  expect((await client.heard('message')).data).toBe('from elsewhere');
  const ended = once(one.sessions[0]!, 'ended');
  expect(await other.server.sessions.end(held.sid)).toBe(true);
  await client.heard('end');
  expect((await client.closed).code).toBe(1000);
  expect(await ended).toEqual([{ reason: 'ended', undelivered: [] }]);
  expect(await other.server.sessions.end(held.sid)).toBe(false);
});

describe('a server that leaves', () => {
  test.each([
    ['drain', (server: Server) => server.drain({ over: 1_000 }), /^retry-after=0\.\d{3}$/, 2],
    ['close', (server: Server) => server.close(), /^$/, undefined],
  ] as const)(
    '%s lets the handler in flight finish, acknowledges it, and sends its client away by 1012',
    async (_, leave, reason, count) => {
      const store = memoryStore();
      onTestFinished(() => store.close());
      const gate = createGate();
      let begun = 0;
      const { server } = await serveSessions({ store, handle: () => (begun++, gate.promise) });
      const client = new Speaker(server);
      const held = await client.open();
      client.say(encodeMessage(1, 0, 'x'));
      client.say(encodeMessage(2, 0, 'y'));
      await until(() => begun === 1);
      const plain = await join(server);
      const gone = leave(server);
      await plain.closed; // does not wait for any handler
      expect(client.ws.readyState).toBe(WebSocket.OPEN);
      gate.open();
      const close = await client.closed;
      expect(close.code).toBe(1012);
      expect(close.reason).toMatch(reason);
      expect(client.frames.at(-1)).toEqual({ type: 'ack', received: 1 });
      expect(await gone).toBe(count);

      const next = await serveSessions({ store });
      const again = new Speaker(next.server);
      expect(await again.resume(held, 2, 2)).toBe(1);
    },
  );

  test('waits for a stuck handler no longer than it was told', async () => {
    const gate = createGate();
    const { server } = await serveSessions({ handle: () => gate.promise });
    const client = new Speaker(server);
    await client.open();
    client.say(encodeMessage(1, 0, 'x'));
    client.say(encodePing(0));
    await client.heard('pong');
    await server.close({ timeout: 50 });
    expect((await client.closed).code).toBe(1012);
    gate.open();
  });
});
