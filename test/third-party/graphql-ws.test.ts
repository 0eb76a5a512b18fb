// Does graphql-ws, as it is published, come back over our WebSocket class?

import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient, type Client } from 'graphql-ws';
import { createWebSocketClass } from '@holdfast/core/websocket';
import { nodeAdapter } from '@holdfast/node';
import { createFaultProxy, type FaultProxy } from '@holdfast/testing';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { feed, type Feed } from './feed.ts';
import type * as Graphql from 'graphql';

// the copy that graphql-ws has: a bundler's rules would bring another, and graphql refuses to be there twice
const { GraphQLInt, GraphQLObjectType, GraphQLSchema, GraphQLString } = createRequire(import.meta.url)(
  'graphql',
) as typeof Graphql;

/** `counter` starts anew with each subscription, so that 1 says that somebody has subscribed again. */
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
          yield { counter: 1 };
          yield { counter: 2 };
          await new Promise(() => {}); // until the link breaks
        },
      },
    },
  }),
});

let proxy: FaultProxy;
let stopServer: () => Promise<void>;
let client: Client | undefined;

beforeEach(async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const graphql = useServer({ schema }, server);
  await new Promise((resolve) => server.once('listening', resolve));
  proxy = await createFaultProxy({ port: (server.address() as { port: number }).port });
  stopServer = async () => {
    for (const socket of server.clients) socket.terminate();
    await graphql.dispose();
  };
});

afterEach(async () => {
  await client?.dispose();
  client = undefined;
  await proxy.close();
  await stopServer();
});

/** A link that is silent is noticed after 300 ms. */
const WebSocket = createWebSocketClass(nodeAdapter(), { heartbeat: { interval: 200, timeout: 100 } });

function connect(): Client {
  return (client = createClient({
    url: proxy.url('/'),
    webSocketImpl: WebSocket,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait: () => Promise.resolve(),
  }));
}

/** Subscribes to the counter. */
function count(from: Client): Feed<number> {
  const counts = feed<number>();
  from.subscribe<{ counter: number }>(
    { query: 'subscription { counter }' },
    { next: ({ data }) => counts.push(data!.counter), error: counts.fail, complete: () => {} },
  );
  return counts;
}

describe('graphql-ws over our WebSocket class', () => {
  it('asks and is answered', async () => {
    const results = feed<unknown>();
    connect().subscribe({ query: '{ hello }' }, { next: results.push, error: results.fail, complete: () => {} });
    expect(await results.next()).toEqual({ data: { hello: 'world' } });
  });

  it('a subscription comes back after a killed link', async () => {
    const counts = count(connect());
    expect([await counts.next(), await counts.next()]).toEqual([1, 2]);
    for (let i = 0; i < 3; i++) {
      proxy.cut();
      expect([await counts.next(), await counts.next()]).toEqual([1, 2]);
    }
    await proxy.connected(4);
  });

  it('T1: a subscription comes back after a silent link, which graphql-ws by itself would not notice', async () => {
    const counts = count(connect());
    expect([await counts.next(), await counts.next()]).toEqual([1, 2]);
    proxy.blackhole();
    await proxy.holding(); // a ping
    proxy.pass();
    expect([await counts.next(), await counts.next()]).toEqual([1, 2]);
    await proxy.connected(2);
  });

  it('T10: a dial that hangs is given up, and the next one is made', async () => {
    proxy.hang();
    client = createClient({
      url: proxy.url('/'),
      webSocketImpl: createWebSocketClass(nodeAdapter(), { connectTimeout: 200 }),
      retryAttempts: Infinity,
      shouldRetry: () => true,
      retryWait: () => Promise.resolve(),
    });
    const counts = count(client);
    await proxy.connected(2);
    proxy.pass();
    expect(await counts.next()).toBe(1);
  });

  it('is told the codes that it closes with itself, and those of the server', async () => {
    const closes = feed<{ code: number; reason: string }>();
    const from = connect();
    from.on('closed', (event) => closes.push(event as { code: number; reason: string }));
    const counts = count(from);
    await counts.next();
    from.terminate();
    expect(await closes.next()).toMatchObject({ code: 4499 });
    expect(await counts.next()).toBe(2);
  });
});
