// Does code that was written for reconnecting-websocket find what its README promises?
//
// The same tests run on the original, on the original over our WebSocket class, and on the face of a client, whose
// options are the ones that docs/websocket-faces.md gives for each of the original's.

import OriginalClass, { type Options } from 'reconnecting-websocket';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect, nodeAdapter } from '@holdfast/node';
import { createFaultProxy, type FaultProxy } from '@holdfast/testing';
import { createWebSocketClass, toWebSocket, type WebSocketFace } from '@holdfast/core/websocket';
import { WebSocket, WebSocketServer } from 'ws';
import { feed, type Feed } from './feed.ts';

type Subject = Pick<
  WebSocketFace,
  'readyState' | 'onopen' | 'onclose' | 'onmessage' | 'onerror' | 'binaryType' | 'protocol' | 'OPEN' | 'CLOSED'
> & {
  readonly CONNECTING: 0;
  readonly retryCount: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  reconnect(): void;
  addEventListener(type: string, listener: unknown): void;
  removeEventListener(type: string, listener: unknown): void;
};
type Url = string | (() => string) | (() => Promise<string>);
type Make = (url: Url, protocols: string[], options: Options) => Subject;

const original =
  (implementation: unknown): Make =>
  (url, protocols, options) =>
    new OriginalClass(url, protocols, { ...options, WebSocket: implementation }) as unknown as Subject;

const ours: Make = (url, protocols, options) =>
  toWebSocket(
    connect(url, {
      protocols,
      autoConnect: !options.startClosed,
      connectTimeout: options.connectionTimeout,
      heartbeat: false,
      reconnect: {
        initialDelay: options.minReconnectionDelay,
        maxDelay: options.maxReconnectionDelay,
        factor: options.reconnectionDelayGrowFactor,
        stableAfter: options.minUptime,
        maxAttempts: options.maxRetries,
        jitter: 'none',
      },
      queue: { maxMessages: options.maxEnqueuedMessages },
    }),
  );

/** Short waits, so that the tests are short. */
const QUICK: Options = { minReconnectionDelay: 20, maxReconnectionDelay: 40, connectionTimeout: 3_000 };

let server: WebSocketServer;
let proxy: FaultProxy;
let received: Feed<string>;
let paths: string[];
let subjects: Subject[];

beforeEach(async () => {
  received = feed();
  paths = [];
  subjects = [];
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket, { url }) => {
    paths.push(url!);
    socket.on('message', (data: Buffer) => received.push(data.toString()));
    socket.on('error', () => {}); // a cut link
  });
  await new Promise((resolve) => server.once('listening', resolve));
  proxy = await createFaultProxy({ port: (server.address() as { port: number }).port });
});

afterEach(async () => {
  for (const subject of subjects) subject.close();
  await proxy.close();
  for (const socket of server.clients) socket.terminate();
  await new Promise((resolve) => server.close(resolve));
});

describe.each<[string, Make]>([
  ['reconnecting-websocket over ws', original(WebSocket)],
  ['reconnecting-websocket over our WebSocket class', original(createWebSocketClass(nodeAdapter()))],
  ['the face of a client', ours],
])('%s', (_name, make) => {
  function open(options: Options = {}, url: Url = proxy.url('/'), protocols: string[] = []): Subject {
    const subject = make(url, protocols, { ...QUICK, ...options });
    subjects.push(subject);
    return subject;
  }

  /** What is told of one kind, in order. */
  function told<E = { code: number; reason: string }>(subject: Subject, type: string): Feed<E> {
    const events = feed<E>();
    subject.addEventListener(type, events.push);
    return events;
  }

  it('simple usage: an open listener sends', async () => {
    const subject = open();
    subject.addEventListener('open', () => subject.send('hello!'));
    expect(await received.next()).toBe('hello!');
  });

  it('has both event models', async () => {
    const subject = open();
    const [level0, level2] = [feed<string>(), feed<string>()];
    const removed = (): void => level2.push('removed');
    subject.onopen = () => level0.push('open');
    subject.onmessage = ({ data }) => level0.push(String(data));
    subject.addEventListener('open', () => level2.push('open'));
    subject.addEventListener('open', removed);
    subject.removeEventListener('open', removed);
    subject.addEventListener('message', { handleEvent: ({ data }: { data: string }) => level2.push(data) });
    expect([await level0.next(), await level2.next()]).toEqual(['open', 'open']);
    for (const socket of server.clients) socket.send('hi');
    expect([await level0.next(), await level2.next()]).toEqual(['hi', 'hi']);
  });

  it('reconnects when the connection is closed, and tells close and open each time', async () => {
    const subject = open();
    const [opens, closes] = [told(subject, 'open'), told(subject, 'close')];
    await opens.next();
    for (const socket of server.clients) socket.close(4001, 'come back');
    expect(await closes.next()).toMatchObject({ code: 4001, reason: 'come back' });
    await opens.next();
    proxy.cut();
    await closes.next();
    await opens.next();
    expect(subject.readyState).toBe(subject.OPEN);
  });

  it('asks a function for the url before each dial', async () => {
    let dials = 0;
    const subject = open({}, () => proxy.url(`/${dials++}`));
    const opens = told(subject, 'open');
    await opens.next();
    proxy.cut();
    await opens.next();
    expect(paths).toEqual(['/0', '/1']);
  });

  it('takes a promise of the url', async () => {
    const subject = open({}, () => Promise.resolve(proxy.url('/token')));
    await told(subject, 'open').next();
    expect(paths).toEqual(['/token']);
  });

  it('sends accumulated messages on open, in order', async () => {
    const subject = open();
    subject.send('one');
    subject.send('two');
    expect([await received.next(), await received.next()]).toEqual(['one', 'two']);
  });

  it('keeps at most maxEnqueuedMessages', async () => {
    const subject = open({ maxEnqueuedMessages: 1 });
    subject.send('one');
    subject.send('two');
    await told(subject, 'open').next();
    subject.send('three');
    expect([await received.next(), await received.next()]).toEqual(['one', 'three']);
  });

  it('stops after maxRetries', async () => {
    proxy.refuse();
    const dials = [0, 0];
    const subject = open({ maxRetries: 2 }, () => (dials[0]!++, proxy.url('/')));
    await proxy.connected(3);
    // by the time that another has made all of its dials, this one would have made a further one
    open({ maxRetries: 4 }, () => (dials[1]!++, proxy.url('/')));
    await proxy.connected(3 + 5);
    expect(dials).toEqual([3, 5]);
    expect(subject.retryCount).toBeLessThanOrEqual(2);
  });

  it('startClosed waits for reconnect()', async () => {
    const subject = open({ startClosed: true });
    expect(subject.readyState).toBe(subject.CLOSED);
    subject.reconnect();
    await told(subject, 'open').next();
    expect(subject.readyState).toBe(subject.OPEN);
  });

  it('close() tells its code and does not reconnect; reconnect() does', async () => {
    const subject = open();
    const [opens, closes] = [told(subject, 'open'), told(subject, 'close')];
    await opens.next();
    subject.close(3001, 'enough');
    expect(await closes.next()).toMatchObject({ code: 3001, reason: 'enough' });
    expect(subject.readyState).toBe(subject.CLOSED);
    expect(paths.length).toBe(1);
    subject.reconnect();
    await opens.next();
    expect(paths.length).toBe(2);
  });

  it('has the attributes and constants of a WebSocket', async () => {
    server.options.handleProtocols = () => 'chat';
    const subject = open({}, proxy.url('/'), ['chat']);
    expect(subject).toMatchObject({ CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3, extensions: '', retryCount: 0 });
    expect(subject.readyState).toBe(subject.CONNECTING);
    subject.binaryType = 'arraybuffer';
    await told(subject, 'open').next();
    expect(subject).toMatchObject({ protocol: 'chat', bufferedAmount: 0, binaryType: 'arraybuffer' });
    const messages = told<{ data: unknown }>(subject, 'message');
    for (const socket of server.clients) socket.send(new Uint8Array([1]));
    expect((await messages.next()).data).toEqual(new Uint8Array([1]).buffer);
  });
});

// the original over ws ends the process here: an `error` event that nobody hears any more
describe.each<[string, Make]>([
  ['reconnecting-websocket over our WebSocket class', original(createWebSocketClass(nodeAdapter()))],
  ['the face of a client', ours],
])('%s', (_name, make) => {
  it('T10: gives up a dial that hangs after connectionTimeout, and dials again', async () => {
    proxy.hang();
    const subject = make(proxy.url('/'), [], { ...QUICK, connectionTimeout: 100 });
    subjects.push(subject);
    const opens = feed();
    subject.addEventListener('open', opens.push);
    await proxy.connected(2);
    proxy.pass();
    await opens.next();
    expect(subject.readyState).toBe(subject.OPEN);
  });
});
