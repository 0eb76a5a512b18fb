// A host of the fake kind, a clock that does as it is told, and everything that was told written down.
//
// The gate for dials and the subscription to the host's events are one for the process, so each test loads its own.

import { afterEach, assert, beforeEach, expect, vi } from 'vitest';
import type * as UniappPackage from '@holdfast/uniapp';
import { createFakeHost, type FakeHost, type FakeHostOptions } from '@holdfast/testing';
import type {
  Binary,
  Client,
  ClientOptions,
  CloseEvent,
  CloseInfo,
  Data,
  DropEvent,
  HoldfastError,
  Socket,
} from '@holdfast/core';

type Uniapp = typeof UniappPackage;

/** What a socket of the adapter told, in order. */
export type Story = (
  | readonly ['opened', string]
  | readonly ['message', Data]
  | readonly ['rejected', Data, unknown]
  | readonly ['closed', CloseInfo]
)[];

export interface Watched {
  readonly client: Client;
  readonly opens: { readonly reconnected: boolean }[];
  readonly messages: Data[];
  readonly closes: CloseEvent[];
  readonly drops: DropEvent<string | Binary>[];
  readonly errors: HoldfastError[];
}

let loaded: Uniapp;
const clients: Client[] = [];
const hosts: FakeHost[] = [];

beforeEach(async () => {
  vi.resetModules();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  loaded = await import('@holdfast/uniapp');
});

afterEach(async () => {
  const closed = clients.splice(0).map((client) => client.close());
  await pass(10_000);
  await Promise.all(closed);
  hosts.splice(0);
  assert.equal(vi.getTimerCount(), 0, 'timers left behind');
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
export const uniapp = (): Uniapp => loaded;

export function fakeHost(options: FakeHostOptions | readonly FakeHost['modes'][number][] = {}): FakeHost {
  const host = createFakeHost('length' in options ? { modes: options } : options);
  hosts.push(host);
  return host;
}

/** The newest task is gone, and its host says so within each call. */
export function goneInTheCall(host: FakeHost): void {
  const task: { send: FakeHost['last']['socketTask']['send'] } = host.last.socketTask;
  task.send = ({ fail, complete }) => {
    fail?.({ errMsg: 'sendSocketMessage:fail taskID not exist' });
    complete?.({});
  };
}

/** One socket, and what it tells. */
export function dial(host: FakeHost, connectSocket: FakeHost['api']['connectSocket'] = host.api.connectSocket) {
  const adapter = loaded.uniappAdapter({ connectSocket });
  return dialBy(adapter);
}

export function dialBy(adapter: ReturnType<Uniapp['uniappAdapter']>): {
  socket: Socket;
  story: Story;
  names(): string;
} {
  const story: Story = [];
  const socket = adapter.openSocket(
    { url: 'wss://example.com/live', protocols: [] },
    {
      opened: ({ protocol }) => story.push(['opened', protocol]),
      message: (data) => story.push(['message', data]),
      rejected: (data, cause) => story.push(['rejected', data, cause]),
      closed: (close) => story.push(['closed', close]),
    },
  );
  return { socket, story, names: () => story.map(([name]) => name).join(' ') };
}

export async function open(host: FakeHost) {
  const dialled = dial(host);
  await pass(20);
  expect(dialled.names()).toBe('opened');
  return dialled;
}

/** A client, closed after the test. */
export function connect(host: FakeHost, options: ClientOptions = {}): Watched {
  return watch(loaded.connect('wss://example.com/live', { connectSocket: host.api.connectSocket, ...options }));
}

export function watch(client: Client): Watched {
  clients.push(client);
  const watched: Watched = { client, opens: [], messages: [], closes: [], drops: [], errors: [] };
  client
    .on('open', (event) => watched.opens.push(event))
    .on('message', (data) => watched.messages.push(data))
    .on('close', (event) => watched.closes.push(event))
    .on('drop', (event) => watched.drops.push(event))
    .on('error', (error) => watched.errors.push(error));
  return watched;
}

/** A server that answers our pings. */
export function replyToPings(host: FakeHost): void {
  host.onMessage = (task, data) => {
    if (data === 'ping') task.message('pong');
  };
}
