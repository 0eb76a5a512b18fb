// Do libraries that want a WebSocket run in a mini-program, as they are published?

import { createRequire } from 'node:module';
import { afterEach, assert, beforeEach, describe, expect, it } from 'vitest';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { bundle, createRealm, type Realm } from './support/realm.ts';
import type * as Graphql from 'graphql';
import type { Client as GraphqlClient, ClientOptions } from 'graphql-ws';
import type { WebSocketClass, WebSocketClassOptions } from '@holdfast/uniapp/websocket';

// the copy that graphql-ws has: a bundler's rules would bring another, and graphql refuses to be there twice
const { GraphQLInt, GraphQLObjectType, GraphQLSchema, GraphQLString } = createRequire(import.meta.url)(
  'graphql',
) as typeof Graphql;

interface Ours {
  createWebSocketClass(options: WebSocketClassOptions): WebSocketClass;
}

let server: WebSocketServer;
let realm: Realm;
let url: string;

beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: (offered) => [...offered][0] ?? false });
  await new Promise((resolve) => server.once('listening', resolve));
  url = `ws://127.0.0.1:${(server.address() as { port: number }).port}`;
  realm = createRealm();
});

afterEach(async () => {
  server.clients.forEach((socket) => socket.terminate());
  await new Promise((resolve) => server.close(resolve));
  await realm.wx.idle();
  assert.deepEqual(realm.wx.offences, []);
});

async function load<Library>(library: string): Promise<Library & { WebSocket: WebSocketClass }> {
  const code = await bundle(
    `export * from '${library}'; export { createWebSocketClass } from '@holdfast/uniapp/websocket';`,
  );
  const loaded = realm.load<Library & Ours>(code);
  const { connectSocket } = realm.wx;
  const WebSocket = loaded.createWebSocketClass({ connectSocket: connectSocket as never, closeTimeout: 500 });
  return { ...loaded, WebSocket };
}

const dropAll = (): void => server.clients.forEach((socket) => socket.terminate());

describe('in a bare realm, on a strict wx', () => {
  it('graphql-ws queries, subscribes, and subscribes again after a loss', async () => {
    let subscriptions = 0;
    const schema = new GraphQLSchema({
      query: new GraphQLObjectType({
        name: 'Query',
        fields: { hello: { type: GraphQLString, resolve: () => 'world' } },
      }),
      subscription: new GraphQLObjectType({
        name: 'Subscription',
        fields: {
          counter: {
            type: GraphQLInt,
            async *subscribe() {
              yield { counter: ++subscriptions };
              await new Promise(() => {}); // until the link breaks
            },
          },
        },
      }),
    });
    useServer({ schema }, server);
    const { createClient, WebSocket } = await load<{ createClient(options: ClientOptions): GraphqlClient }>(
      'graphql-ws',
    );
    const client = createClient({
      url,
      webSocketImpl: WebSocket,
      retryWait: () => Promise.resolve(),
      shouldRetry: () => true,
    });

    const answer = client.iterate({ query: '{ hello }' });
    expect((await answer.next()).value).toEqual({ data: { hello: 'world' } });

    const counts: number[] = [];
    await new Promise<void>((resolve, reject) => {
      client.subscribe<{ counter: number }>(
        { query: 'subscription { counter }' },
        {
          next({ data }) {
            counts.push(data!.counter);
            if (counts.length === 1) dropAll();
            else resolve();
          },
          error: reject,
          complete: () => {},
        },
      );
    });
    expect(counts).toEqual([1, 2]);
    await client.dispose();
  });

  it('phoenix joins a channel, pushes, gets its reply, and joins again after a loss', async () => {
    // what Phoenix has on the other side: [joinRef, ref, topic, event, payload], each answered by `phx_reply`
    const joins: string[] = [];
    let joinedAgain = (): void => {};
    server.on('connection', (socket) =>
      socket.on('message', (frame) => {
        const [joinRef, ref, topic, event, payload] = JSON.parse(String(frame)) as [
          string,
          string,
          string,
          string,
          object,
        ];
        if (event === 'phx_join' && joins.push(topic) === 2) joinedAgain();
        const response = event === 'shout' ? { heard: payload } : {};
        socket.send(JSON.stringify([joinRef, ref, topic, 'phx_reply', { status: 'ok', response }]));
      }),
    );
    const { Socket, WebSocket } = await load<{ Socket: PhoenixSocket }>('phoenix');
    const socket = new Socket(`${url}/socket`, {
      transport: WebSocket,
      reconnectAfterMs: () => 10,
      rejoinAfterMs: () => 10,
    });
    socket.connect();
    const channel = socket.channel('room:1', {});
    const join = channel.join();
    await new Promise((resolve) => join.receive('ok', resolve));
    const reply = await new Promise((resolve) => channel.push('shout', { loud: true }).receive('ok', resolve));
    expect(reply).toEqual({ heard: { loud: true } });

    await new Promise<void>((resolve) => {
      joinedAgain = resolve;
      dropAll();
    });
    expect(joins).toEqual(['room:1', 'room:1']);
    await new Promise<void>((resolve) => socket.disconnect(resolve));
  });
});

/** As much of Phoenix as is used here; it has no types of its own. */
type PhoenixSocket = new (
  url: string,
  options: { transport: WebSocketClass; reconnectAfterMs(): number; rejoinAfterMs(): number },
) => {
  connect(): void;
  disconnect(done: () => void): void;
  channel(topic: string, params: object): { join(): Push; push(event: string, payload: object): Push };
};
interface Push {
  receive(status: string, heard: (response: unknown) => void): Push;
}
