// A world and a client in it, with everything that was told written down, and nothing left behind at the end.

import { afterEach, assert } from 'vitest';
import {
  createClient,
  type Adapter,
  type Client,
  type ClientOptions,
  type CloseEvent,
  type Data,
  type DropEvent,
  type EndReason,
  type HoldfastError,
  type Provider,
  type Status,
} from '@holdfast/core';
import { createWorld, type World, type WorldAdapterOptions, type WorldOptions } from '@holdfast/testing';

type Out = Parameters<Client['send']>[0];

/** What one client has told so far. */
export interface Told {
  readonly opens: { readonly protocol: string; readonly reconnected: boolean }[];
  readonly messages: Data[];
  readonly closes: CloseEvent[];
  readonly statuses: Status[];
  readonly drops: DropEvent<Out>[];
  readonly pongs: number[];
  readonly errors: HoldfastError[];
  readonly ends: EndReason[];
  writables: number;
}

export interface Watched {
  readonly client: Client;
  readonly told: Told;
}

const worlds: { readonly world: World; readonly clients: Client[] }[] = [];

/** A world that is inspected for leaks after the test. */
export function newWorld(options: WorldOptions = {}): World {
  const world = createWorld(options);
  worlds.push({ world, clients: [] });
  return world;
}

export interface NewClientOptions extends ClientOptions {
  readonly url?: Provider<string>;
  readonly runtime?: WorldAdapterOptions;
}

/** A client that is closed after the test. */
export function newClient(world: World, options: NewClientOptions = {}): Watched {
  const { url = 'ws://world.test/', runtime, ...rest } = options;
  const client = createClient(url, { adapter: world.adapter(runtime), ...rest });
  adopt(world, client);
  return { client, told: listenTo(client) };
}

/** A client that was made elsewhere is closed after the test too. */
export function adopt(world: World, client: { close(): Promise<void> }): void {
  worlds.find((entry) => entry.world === world)!.clients.push(client as Client);
}

/** The same, and open. */
export async function openClient(world: World, options: NewClientOptions = {}): Promise<Watched> {
  const watched = newClient(world, options);
  await world.runUntil(() => watched.client.status === 'open');
  return watched;
}

export function listenTo(client: Client): Told {
  const told: Told = {
    opens: [],
    messages: [],
    closes: [],
    statuses: [],
    drops: [],
    pongs: [],
    errors: [],
    ends: [],
    writables: 0,
  };
  client
    .on('open', (event) => told.opens.push(event))
    .on('message', (data) => told.messages.push(data))
    .on('close', (event) => told.closes.push(event))
    .on('status', (status) => told.statuses.push(status))
    .on('drop', (event) => told.drops.push(event))
    .on('pong', (roundTrip) => told.pongs.push(roundTrip))
    .on('error', (error) => told.errors.push(error))
    .on('end', ({ reason }) => told.ends.push(reason))
    .on('writable', () => told.writables++);
  return told;
}

/** What a promise comes to while time passes. */
export async function whilst<T>(promise: Promise<T>, passes: Promise<unknown>): Promise<T> {
  promise.catch(() => {}); // it may be over before the time is
  await passes;
  return promise;
}

/** A runtime whose `send` throws for some frames. */
export function refusing(world: World, isBad: (data: Data) => boolean): Adapter {
  const inner = world.adapter();
  return {
    ...inner,
    openSocket(request, events) {
      const socket = inner.openSocket(request, events);
      const send = (data: Data): void => {
        if (isBad(data)) throw new Error('too strange');
        socket.send(data);
      };
      return Object.assign(Object.create(socket) as typeof socket, { send });
    },
  };
}

/** The connections whose client end lives. */
export const liveOf = (world: World) => world.server.connections.filter((connection) => connection.isLive);

afterEach(async () => {
  for (const { world, clients } of worlds.splice(0)) {
    world.throttleTimers(1);
    const closed = clients.map((client) => client.close());
    await world.runUntil(() => clients.every(({ status }) => status === 'closed'), 60_000);
    await Promise.all(closed);
    assert.equal(world.timers, 0, 'timers left behind');
    assert.equal(liveOf(world).length, 0, 'sockets left behind');
    assert.deepEqual(
      clients.map(({ queued }) => queued).filter((queued) => queued > 0),
      [],
      'queues left behind',
    );
  }
});
