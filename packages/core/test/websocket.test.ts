import { afterEach, describe, expect, it, vi } from 'vitest';
import { isHoldfastError, type ClientOptions } from '@holdfast/core';
import {
  createWebSocketClass,
  toWebSocket,
  type FaceCloseEvent,
  type FaceErrorEvent,
  type LastingWebSocket,
  type WebSocketClassOptions,
  type WebSocketFace,
} from '@holdfast/core/websocket';
import { liveOf, newClient, newWorld, openClient } from './support/worlds.ts';
import type { World, WorldAdapterOptions } from '@holdfast/testing';

const URL_OF_WORLD = 'ws://world.test/';
const names = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const;

/** Faces that are closed after the test, before the worlds are inspected for leaks. */
const faces: { readonly world: World; readonly face: WebSocketFace }[] = [];

afterEach(async () => {
  vi.unstubAllGlobals();
  for (const { world, face } of faces.splice(0)) {
    face.close();
    await world.runUntil(() => face.readyState === face.CLOSED, 60_000);
  }
});

interface NewFace extends WebSocketClassOptions {
  readonly protocols?: string | string[];
  readonly runtime?: WorldAdapterOptions;
}

function newFace(world: World, { protocols, runtime, ...options }: NewFace = {}) {
  const face = new (createWebSocketClass(world.adapter(runtime), options))(URL_OF_WORLD, protocols);
  faces.push({ world, face });
  return { face, told: listenTo(face) };
}

async function openFace(world: World, options?: NewFace) {
  const made = newFace(world, options);
  await world.runUntil(() => made.face.readyState === made.face.OPEN);
  return made;
}

/** What a face has told, with the readyState at that moment; and its events. */
function listenTo(face: WebSocketFace) {
  const lines: string[] = [];
  const closes: FaceCloseEvent[] = [];
  const errors: FaceErrorEvent[] = [];
  const messages: unknown[] = [];
  const note = (words: string): void => void lines.push(`${words} in ${names[face.readyState]}`);
  face.addEventListener('open', () => note('open'));
  face.addEventListener('message', ({ data }) => {
    messages.push(data);
    note('message');
  });
  face.addEventListener('error', (event) => {
    errors.push(event);
    note('error');
  });
  face.addEventListener('close', (event) => {
    closes.push(event);
    note(`close ${event.code}`);
  });
  return { lines, closes, errors, messages };
}

const text = (words: string): Uint8Array => new Uint8Array(new TextEncoder().encode(words));

/** A Blob whose reading takes as long as the test likes. */
function slowBlob(words: string) {
  const blob = new Blob([words]);
  let read = (): void => {};
  const isRead = new Promise<void>((resolve) => (read = resolve));
  blob.arrayBuffer = () => isRead.then(() => text(words).buffer as ArrayBuffer);
  return { blob, read };
}

/** The error that a call throws, as far as code may decide on it. */
function thrownBy(act: () => unknown): { name: string; code?: string | undefined } {
  try {
    act();
  } catch (error) {
    const { name } = error as Error;
    return isHoldfastError(error) ? { name, code: error.code } : { name };
  }
  throw new Error('nothing was thrown');
}

describe('a WebSocket class', () => {
  it('has the four constants on the class and on its sockets, for good', () => {
    const WebSocket = createWebSocketClass(newWorld().adapter());
    const numbers = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };
    for (const [name, value] of Object.entries(numbers)) {
      for (const holder of [WebSocket, WebSocket.prototype] as never[]) {
        expect(name in holder).toBe(true);
        expect(holder[name]).toBe(value);
        expect(Reflect.set(holder, name, 7)).toBe(false);
      }
    }
    class Sub extends WebSocket {}
    expect(Sub.CLOSED).toBe(3);
    expect(Sub.prototype.CLOSED).toBe(3);
  });

  it.each<[string, readonly unknown[], object]>([
    ['no url', [], { name: 'TypeError' }],
    ['a url that is none', ['world.test'], { name: 'SyntaxError', code: 'INVALID_URL' }],
    ['another scheme', ['ftp://world.test/'], { name: 'SyntaxError', code: 'INVALID_URL' }],
    ['a fragment', ['ws://world.test/#top'], { name: 'SyntaxError', code: 'INVALID_URL' }],
    ['undefined', [undefined], { name: 'SyntaxError', code: 'INVALID_URL' }],
    ['an empty protocol', [URL_OF_WORLD, ''], { name: 'SyntaxError', code: 'INVALID_OPTION' }],
    ['a protocol with a space', [URL_OF_WORLD, 'a b'], { name: 'SyntaxError', code: 'INVALID_OPTION' }],
    ['a protocol twice', [URL_OF_WORLD, ['a', 'b', 'a']], { name: 'SyntaxError', code: 'INVALID_OPTION' }],
  ])('refuses %s as the standard does, and dials nothing', (_what, args, error) => {
    const world = newWorld();
    const WebSocket = createWebSocketClass(world.adapter()) as unknown as new (...args: readonly unknown[]) => unknown;
    expect(thrownBy(() => new WebSocket(...args))).toEqual(error);
    expect(world.server.connections).toEqual([]);
  });

  it.each<[string, unknown, readonly string[]]>([
    ['a string', 'graphql-transport-ws', ['graphql-transport-ws']],
    ['a list', ['a', 'b'], ['a', 'b']],
    ['an empty list', [], []],
    ['undefined', undefined, []],
  ])('takes protocols as %s', (_what, protocols, asked) => {
    const world = newWorld();
    newFace(world, { protocols: protocols as string[] });
    expect(world.server.last.request.protocols).toEqual(asked);
  });

  it('takes a URL object', () => {
    const world = newWorld();
    const face = new (createWebSocketClass(world.adapter()))(new URL('ws://world.test/path'));
    faces.push({ world, face });
    expect(face.url).toBe('ws://world.test/path');
    expect(world.server.last.request.url).toBe(face.url);
  });

  it.each<[string, object]>([
    ['reconnect', { reconnect: {} }],
    ['connectTimeout', { connectTimeout: -1 }],
    ['heartbeat.interval', { heartbeat: { interval: 0 } }],
  ])('names %s when it makes no sense, when the class is made', (name, options) => {
    const make = () => createWebSocketClass(newWorld().adapter(), options);
    expect(make).toThrow(name);
    expect(thrownBy(make)).toEqual({ name: 'HoldfastError', code: 'INVALID_OPTION' });
  });

  it('sends headers where the runtime can, and says at once where it cannot', () => {
    const world = newWorld();
    newFace(world, { headers: { authorization: 'Bearer 1' } });
    expect(world.server.last.request.headers).toEqual({ authorization: 'Bearer 1' });
    const make = () => createWebSocketClass(world.adapter({ headers: false }), { headers: { a: 'b' } });
    expect(thrownBy(make)).toMatchObject({ code: 'HEADERS_UNSUPPORTED' });
  });

  describe('a life', () => {
    it('goes through the four states, each told in its own', async () => {
      const world = newWorld();
      world.server.reception = { name: 'open', protocol: 'b' };
      const { face, told } = newFace(world, { protocols: ['a', 'b'] });
      expect([face.readyState, face.protocol, face.extensions]).toEqual([face.CONNECTING, '', '']);
      await world.run(10);
      expect([face.readyState, face.protocol]).toEqual([face.OPEN, 'b']);
      world.server.last.send('hello');
      await world.run(10);
      face.close(3001, 'done');
      expect(face.readyState).toBe(face.CLOSING);
      await world.run(10);
      expect(told.lines).toEqual(['open in OPEN', 'message in OPEN', 'close 3001 in CLOSED']);
      expect(told.closes).toMatchObject([{ code: 3001, reason: 'done', wasClean: true, willReconnect: false }]);
    });

    it('T26: tells code, reason and clean flag as the peer said them', async () => {
      const world = newWorld();
      const { told } = await openFace(world);
      world.server.last.close(4404, 'no such room');
      await world.run(10);
      expect(told.lines).toEqual(['open in OPEN', 'close 4404 in CLOSED']);
      expect(told.closes).toMatchObject([{ code: 4404, reason: 'no such room', wasClean: true }]);
    });

    it('tells a lost link as error and close, and never dials again', async () => {
      const world = newWorld();
      const { face, told } = await openFace(world);
      world.server.last.cut();
      await world.run(600_000);
      expect(told.lines).toEqual(['open in OPEN', 'error in CLOSED', 'close 1006 in CLOSED']);
      expect(told.errors[0]!.target).toBe(face);
      expect(world.server.connections.length).toBe(1);
      expect(world.timers).toBe(0);
    });

    it.each([1012, 1013, 1001, 4408])('never dials again after %d either', async (code) => {
      const world = newWorld();
      await openFace(world);
      world.server.last.close(code, 'retry-after=1');
      await world.run(600_000);
      expect(world.server.connections.length).toBe(1);
    });

    it('T10: gives up an attempt that does not open after 10 s', async () => {
      const world = newWorld();
      world.server.reception = { name: 'hanging' };
      const { face, told } = newFace(world);
      await world.run(9_999);
      expect(face.readyState).toBe(face.CONNECTING);
      await world.run(1);
      expect(told.lines).toEqual(['error in CLOSED', 'close 1006 in CLOSED']);
      expect(told.errors[0]!.error).toMatchObject({ code: 'CONNECT_TIMEOUT' });
      expect(liveOf(world)).toEqual([]);
    });

    it('gives up after a connectTimeout of the caller', async () => {
      const world = newWorld();
      world.server.reception = { name: 'hanging' };
      const { told } = newFace(world, { connectTimeout: 300 });
      await world.run(300);
      expect(told.closes.length).toBe(1);
    });

    it('T24: a refused dial is one error and one close', async () => {
      const world = newWorld();
      world.server.reception = { name: 'refused', status: 503 };
      const { told } = newFace(world);
      await world.run(60_000);
      expect(told.lines).toEqual(['error in CLOSED', 'close 1006 in CLOSED']);
    });
  });

  describe('heartbeat', () => {
    const FRAMES = { pingFrames: true };

    it('T1: with ping frames a silent link is told within one interval and one timeout', async () => {
      const world = newWorld();
      const { told } = await openFace(world, { runtime: FRAMES });
      world.server.last.silence();
      await world.run(39_999);
      expect(told.closes).toEqual([]);
      await world.run(1);
      expect(told.lines.slice(1)).toEqual(['error in CLOSED', 'close 1006 in CLOSED']);
      expect(told.errors[0]!.error).toMatchObject({ code: 'HEARTBEAT_TIMEOUT' });
    });

    it('a link that answers is kept for as long as it likes', async () => {
      const world = newWorld();
      const { told } = await openFace(world, { runtime: FRAMES, heartbeat: { interval: 1_000, timeout: 500 } });
      await world.run(100_500);
      expect(told.closes).toEqual([]);
      expect(world.server.last.pings).toBe(100);
    });

    it.each<[string, WebSocketClassOptions]>([
      ['by default', {}],
      ['when only its times are set', { heartbeat: { interval: 100 } }],
    ])('without ping frames no message is ever sent on its behalf %s', async (_when, options) => {
      const world = newWorld();
      await openFace(world, options);
      await world.run(600_000);
      expect(world.server.last.pings).toBe(0);
      expect(world.server.last.received).toEqual([]);
    });

    it('without ping frames a message pings if the caller gives one, and its replies are not told', async () => {
      const world = newWorld();
      const { told } = await openFace(world, { heartbeat: { message: 'ping', reply: 'pong', interval: 1_000 } });
      await world.run(10_500);
      expect(world.server.last.pings).toBe(10);
      expect(told.messages).toEqual([]);
    });

    it('false turns off ping frames too', async () => {
      const world = newWorld();
      await openFace(world, { runtime: FRAMES, heartbeat: false });
      await world.run(600_000);
      expect(world.server.last.pings).toBe(0);
    });
  });

  describe('close()', () => {
    it.each<[string, readonly unknown[], object]>([
      ['1001', [1001], { name: 'InvalidAccessError', code: 'INVALID_OPTION' }],
      ['2999', [2999], { name: 'InvalidAccessError', code: 'INVALID_OPTION' }],
      ['5000', [5000], { name: 'InvalidAccessError', code: 'INVALID_OPTION' }],
      ['null', [null], { name: 'InvalidAccessError', code: 'INVALID_OPTION' }],
      ['NaN', [NaN], { name: 'InvalidAccessError', code: 'INVALID_OPTION' }],
      ['a reason of 124 bytes', [1000, 'ä'.repeat(62)], { name: 'SyntaxError', code: 'INVALID_OPTION' }],
    ])('refuses %s in every state, and stays as it was', async (_what, args, error) => {
      const world = newWorld();
      const { face } = newFace(world);
      const close = face.close as (...args: readonly unknown[]) => void;
      expect(thrownBy(() => close.apply(face, args as never))).toEqual(error);
      await world.run(10);
      expect(thrownBy(() => close.apply(face, args as never))).toEqual(error);
      expect(face.readyState).toBe(face.OPEN);
      face.close();
      await world.run(10);
      expect(thrownBy(() => close.apply(face, args as never))).toEqual(error);
    });

    it.each<[string, readonly unknown[], object]>([
      ['nothing', [], { code: 1000, reason: '' }],
      ['undefined', [undefined, undefined], { code: 1000, reason: '' }],
      ['a reason alone', [undefined, 'bye'], { code: 1000, reason: 'bye' }],
      ['a code as a string', ['3000'], { code: 3000, reason: '' }],
      ['123 bytes', [4999, 'x'.repeat(123)], { code: 4999, reason: 'x'.repeat(123) }],
    ])('takes %s', async (_what, args, close) => {
      const world = newWorld();
      const { face, told } = await openFace(world);
      (face.close as (...args: readonly unknown[]) => void).apply(face, args as never);
      await world.run(10);
      expect(told.closes).toMatchObject([close]);
    });

    it('T24: while connecting fails the attempt, told once and not inside the call', async () => {
      const world = newWorld();
      world.server.reception = { name: 'hanging' };
      const { face, told } = newFace(world);
      await world.run(10);
      face.close();
      expect(face.readyState).toBe(face.CLOSING);
      expect(told.lines).toEqual([]);
      face.close();
      await world.run(60_000);
      expect(told.lines).toEqual(['error in CLOSED', 'close 1006 in CLOSED']);
      expect(world.timers).toBe(0);
    });

    it('T24: in the turn of its making opens nothing', async () => {
      const world = newWorld();
      const { face, told } = newFace(world);
      face.close();
      await world.run(60_000);
      expect(told.lines).toEqual(['error in CLOSED', 'close 1006 in CLOSED']);
      expect(liveOf(world)).toEqual([]);
    });

    it('T24: a second time, and after the end, does nothing', async () => {
      const world = newWorld();
      const { face, told } = await openFace(world);
      face.close(3000);
      face.close(3001);
      await world.run(10);
      face.close(3002);
      await world.run(60_000);
      expect(told.closes.map(({ code }) => code)).toEqual([3000]);
    });

    it('T27: on a dead link is told within 2 s, without an error, as in browsers', async () => {
      const world = newWorld();
      const { face, told } = await openFace(world);
      world.server.last.silence();
      face.close();
      await world.run(1_999);
      expect(face.readyState).toBe(face.CLOSING);
      await world.run(1);
      expect(told.lines).toEqual(['open in OPEN', 'close 1006 in CLOSED']);
      expect(told.closes).toMatchObject([{ wasClean: false }]);
      expect(world.timers).toBe(0);
    });

    it('goes behind what was sent before', async () => {
      const world = newWorld();
      const { face } = await openFace(world);
      for (let i = 0; i < 100; i++) face.send(`${i}`);
      face.close();
      await world.run(10);
      expect(world.server.last.received.length).toBe(100);
    });

    it('from inside a listener is told once, to everybody', async () => {
      const world = newWorld();
      const { face, told } = newFace(world);
      face.onopen = () => face.close(3000);
      await world.run(100);
      expect(told.lines).toEqual(['open in OPEN', 'close 3000 in CLOSED']);
    });

    it('messages that arrive after it are not told', async () => {
      const world = newWorld();
      const { face, told } = await openFace(world);
      world.server.last.send('late');
      face.close();
      await world.run(10);
      expect(told.messages).toEqual([]);
    });
  });

  describe('send()', () => {
    it('throws while connecting, and nothing is kept for later', async () => {
      const world = newWorld();
      const { face } = newFace(world);
      expect(thrownBy(() => face.send('early'))).toEqual({ name: 'InvalidStateError', code: 'NOT_OPEN' });
      await world.run(10);
      expect(world.server.last.received).toEqual([]);
    });

    it.each<[string, unknown, unknown]>([
      ['a string', 'a', 'a'],
      ['an empty string', '', ''],
      ['a number as its string', 7, '7'],
      ['null as its string', null, 'null'],
      ['a buffer', new Uint8Array([1, 2]).buffer, new Uint8Array([1, 2])],
      ['a view without its surroundings', new Uint8Array([1, 2, 3, 4]).subarray(1, 3), new Uint8Array([2, 3])],
      ['a DataView', new DataView(new Uint8Array([1, 2, 3]).buffer, 2), new Uint8Array([3])],
    ])('sends %s', async (_what, data, arrived) => {
      const world = newWorld();
      const { face } = await openFace(world);
      face.send(data as string);
      await world.run(10);
      expect(world.server.last.received).toEqual([arrived]);
    });

    it.each<[string, readonly unknown[], object]>([
      ['nothing', [], { name: 'TypeError' }],
      ['a symbol', [Symbol('s')], { name: 'TypeError' }],
    ])('refuses %s', async (_what, args, error) => {
      const { face } = await openFace(newWorld());
      expect(thrownBy(() => (face.send as (...args: readonly unknown[]) => void).apply(face, args as never))).toEqual(
        error,
      );
    });

    it('a Blob keeps its place, also before close(), and counts as buffered while it is read', async () => {
      const world = newWorld();
      const { face, told } = await openFace(world);
      const mutable = new Uint8Array([7]);
      face.send('before');
      face.send(new Blob(['blob']));
      face.send('behind');
      face.send(mutable);
      mutable[0] = 8;
      face.close();
      face.send(new Blob(['late']));
      expect([face.bufferedAmount, face.readyState]).toEqual([15, face.CLOSING]);
      await vi.waitFor(() => world.run(10).then(() => expect(told.closes.length).toBe(1)));
      expect(world.server.last.received).toEqual(['before', text('blob'), 'behind', new Uint8Array([7])]);
      expect(told.closes).toMatchObject([{ code: 1000, wasClean: true }]);
      expect(face.bufferedAmount).toBe(4);
    });

    it('nothing overtakes a Blob that is still being read, and what arrives after close() is not told', async () => {
      const world = newWorld();
      const { face, told } = await openFace(world);
      const [first, second] = [slowBlob('first'), slowBlob('second')];
      face.send(first.blob);
      face.send(second.blob);
      first.read();
      await world.run(10);
      face.send('third');
      face.close();
      world.server.last.send('late');
      await world.run(10);
      expect(world.server.last.received).toEqual([text('first')]);
      second.read();
      await world.run(20);
      expect(world.server.last.received).toEqual([text('first'), text('second'), 'third']);
      expect(told.lines).toEqual(['open in OPEN', 'close 1000 in CLOSED']);
    });

    it('T27: a Blob that is never read holds up close() for 2 s and no longer', async () => {
      const world = newWorld();
      const { face, told } = await openFace(world);
      face.send(slowBlob('never').blob);
      face.close();
      await world.run(1_999);
      expect(told.closes).toEqual([]);
      await world.run(11);
      expect(told.closes).toMatchObject([{ code: 1000, wasClean: true }]);
      expect(world.timers).toBe(0);
    });

    it('a link that breaks while a Blob is read leaves no timer', async () => {
      const world = newWorld();
      const { face, told } = await openFace(world);
      face.send(slowBlob('never').blob);
      face.close();
      world.server.last.cut();
      await world.run(1);
      expect(told.lines).toEqual(['open in OPEN', 'error in CLOSED', 'close 1006 in CLOSED']);
      expect(world.timers).toBe(0);
    });

    it('a Blob that cannot be read is told as an error, and harms no other', async () => {
      const world = newWorld();
      const { face, told } = await openFace(world);
      const blob = new Blob(['gone']);
      blob.arrayBuffer = () => Promise.reject(new Error('the file is gone'));
      face.send(blob);
      face.send('behind');
      await world.run(10);
      expect(told.errors).toMatchObject([{ message: 'the file is gone' }]);
      expect(world.server.last.received).toEqual(['behind']);
    });

    it('bufferedAmount is what the platform holds, without a bound of ours', async () => {
      const world = newWorld();
      const { face } = await openFace(world);
      world.server.last.stall(true);
      for (let i = 0; i < 30; i++) face.send(new Uint8Array(100_000));
      expect(face.bufferedAmount).toBe(3_000_000);
      world.server.last.stall(false);
      await world.run(10);
      expect(face.bufferedAmount).toBe(0);
      expect(world.server.last.received.length).toBe(30);
    });

    it('bufferedAmount only grows once it is too late, in bytes', async () => {
      const world = newWorld();
      const { face } = await openFace(world);
      world.server.last.stall(true);
      face.send('1234');
      face.close();
      face.send('ää');
      expect(face.bufferedAmount).toBe(8);
      await world.run(5_000);
      expect(face.readyState).toBe(face.CLOSED);
      face.send(new Uint8Array(3));
      expect(face.bufferedAmount).toBe(11);
    });

    it('T32: what the host rejects is told as an error, and the socket lives on', async () => {
      const world = newWorld();
      const { face, told } = await openFace(world);
      face.send('a');
      const cause = new Error('not this one');
      world.server.last.reject('a', cause);
      await world.run(0);
      expect(told.lines).toEqual(['open in OPEN', 'error in OPEN']);
      expect(told.errors[0]).toMatchObject({ error: cause, message: 'not this one' });
    });
  });

  describe('binaryType', () => {
    it('is blob as in the standard, and arraybuffer where it was asked for; another value is ignored', async () => {
      const world = newWorld();
      const { face, told } = await openFace(world);
      expect(face.binaryType).toBe('blob');
      world.server.last.send(new Uint8Array([1, 2]));
      await world.run(10);
      face.binaryType = 'arraybuffer';
      face.binaryType = 'nodebuffer' as never;
      expect(face.binaryType).toBe('arraybuffer');
      world.server.last.send(new Uint8Array([3, 4]));
      world.server.last.send('text');
      await world.run(10);
      const [blob, buffer, text] = told.messages;
      expect(blob).toBeInstanceOf(Blob);
      expect(new Uint8Array(await (blob as Blob).arrayBuffer())).toEqual(new Uint8Array([1, 2]));
      expect(buffer).toBeInstanceOf(ArrayBuffer);
      expect(new Uint8Array(buffer as ArrayBuffer)).toEqual(new Uint8Array([3, 4]));
      expect(text).toBe('text');
    });

    it('a window on a larger buffer comes as its own bytes', async () => {
      const world = newWorld();
      const { face, told } = await openFace(world);
      face.binaryType = 'arraybuffer';
      world.server.last.send(new Uint8Array([9, 1, 2, 9]).subarray(1, 3));
      await world.run(10);
      expect(new Uint8Array(told.messages[0] as ArrayBuffer)).toEqual(new Uint8Array([1, 2]));
    });

    it('is arraybuffer where there is no Blob, and stays so', async () => {
      vi.stubGlobal('Blob', undefined);
      const { face } = newFace(newWorld());
      expect(face.binaryType).toBe('arraybuffer');
      face.binaryType = 'blob';
      expect(face.binaryType).toBe('arraybuffer');
    });
  });
});

describe('listeners', () => {
  const opened = async (prepare: (face: WebSocketFace) => void): Promise<void> => {
    const world = newWorld();
    const { face } = newFace(world);
    prepare(face);
    await world.run(10);
  };

  it('come as functions, as objects and as on…, in the order of their adding', async () => {
    const calls: string[] = [];
    await opened((face) => {
      face.addEventListener('open', () => calls.push('function'));
      face.onopen = () => calls.push('first handler');
      face.addEventListener('open', { handleEvent: () => calls.push('object') });
      face.onopen = () => calls.push('second handler');
    });
    expect(calls).toEqual(['function', 'second handler', 'object']);
  });

  it('on… that was null in between comes last', async () => {
    const calls: string[] = [];
    await opened((face) => {
      face.onopen = () => calls.push('first handler');
      face.addEventListener('open', () => calls.push('function'));
      face.onopen = null;
      face.onopen = () => calls.push('second handler');
    });
    expect(calls).toEqual(['function', 'second handler']);
  });

  it('are called with the socket as this, and with an event that names it', async () => {
    let seen: readonly unknown[] = [];
    let face!: WebSocketFace;
    await opened((made) => {
      face = made;
      face.onopen = function (this: unknown, event) {
        seen = [this, event.type, event.target, event.currentTarget];
      };
    });
    expect(seen[0]).toBe(face);
    expect(seen.slice(1)).toEqual(['open', face, face]);
  });

  it('on… reads back what it was given, and null for what is no listener', () => {
    const { face } = newFace(newWorld());
    const handler = (): void => {};
    for (const name of ['onopen', 'onmessage', 'onerror', 'onclose'] as const) {
      expect(face[name]).toBeNull();
      face[name] = handler;
      expect(face[name]).toBe(handler);
      face[name] = 'nonsense' as never;
      expect(face[name]).toBeNull();
    }
  });

  it('T44: the same listener is added once, except with another capture; on… set to null is silent', async () => {
    let calls = 0;
    const listener = (): void => void calls++;
    await opened((face) => {
      face.addEventListener('open', listener);
      face.addEventListener('open', listener, { once: true });
      face.addEventListener('open', listener, true);
      face.onopen = listener;
      face.onopen = null;
    });
    expect(calls).toBe(2);
  });

  it('T44: one taken off during an event is not called, one added is not part of it', async () => {
    const calls: string[] = [];
    const removed = (): void => void calls.push('removed');
    await opened((face) => {
      face.addEventListener('open', () => {
        calls.push('first');
        face.removeEventListener('open', removed);
        face.addEventListener('open', () => calls.push('added'));
      });
      face.addEventListener('open', removed);
    });
    expect(calls).toEqual(['first']);
  });

  it('once is once, and an aborted signal takes a listener off', () => {
    const { face } = newFace(newWorld());
    const calls: string[] = [];
    const aborter = new AbortController();
    face.addEventListener('ready', () => calls.push('once'), { once: true });
    face.addEventListener('ready', () => calls.push('until aborted'), { signal: aborter.signal });
    face.addEventListener('ready', () => calls.push('never'), { signal: AbortSignal.abort() });
    expect(face.dispatchEvent({ type: 'ready' })).toBe(true);
    aborter.abort();
    face.dispatchEvent({ type: 'ready' });
    expect(calls).toEqual(['once', 'until aborted']);
  });

  it('one that is taken off leaves nothing with its signal', () => {
    const { face } = newFace(newWorld());
    const waiting = new Set<unknown>();
    const signal = {
      aborted: false,
      addEventListener: (_type: 'abort', listener: unknown) => void waiting.add(listener),
      removeEventListener: (_type: 'abort', listener: unknown) => void waiting.delete(listener),
    };
    const listener = (): void => {};
    face.addEventListener('open', listener, { signal });
    expect(waiting.size).toBe(1);
    face.removeEventListener('open', listener);
    expect(waiting.size).toBe(0);
  });

  it('null is no listener and no mistake; a number is one', () => {
    const { face } = newFace(newWorld());
    face.addEventListener('open', null);
    face.removeEventListener('open', null);
    expect(thrownBy(() => face.addEventListener('open', 7 as never))).toEqual({ name: 'TypeError' });
    expect(thrownBy(() => face.dispatchEvent('open' as never))).toEqual({ name: 'TypeError' });
  });

  it('T43: one that throws or rejects harms no other; each is reported once, outside the call', async () => {
    const reported: unknown[] = [];
    vi.stubGlobal('console', { error: (error: unknown) => reported.push(error) });
    const world = newWorld();
    const { face, told } = await openFace(world);
    const fault = new Error('a bug');
    face.onmessage = () => {
      throw fault;
    };
    face.addEventListener('message', () => Promise.reject(fault));
    const heard: unknown[] = [];
    face.addEventListener('message', ({ data }) => heard.push(data));
    world.server.last.send('one');
    await world.run(10);
    expect(heard).toEqual(['one']);
    expect(reported).toMatchObject([
      { code: 'LISTENER_THREW', cause: fault },
      { code: 'LISTENER_THREW', cause: fault },
    ]);
    expect(told.closes).toEqual([]);
  });

  it('T44: 10 000 added and removed leave nothing behind', () => {
    const { face } = newFace(newWorld());
    let calls = 0;
    for (let i = 0; i < 10_000; i++) {
      const listener = (): void => void calls++;
      face.addEventListener('ready', listener);
      face.removeEventListener('ready', listener);
    }
    face.dispatchEvent({ type: 'ready' });
    expect(calls).toBe(0);
  });
});

describe('the face of a client', () => {
  /** A client with a face; the client is closed after the test. */
  function lasting(world: World, options: ClientOptions = {}) {
    const { client } = newClient(world, { heartbeat: false, ...options });
    const face: LastingWebSocket = toWebSocket(client);
    return { client, face, told: listenTo(face) };
  }

  it('tells open and close for each socket, and is CONNECTING in between', async () => {
    const world = newWorld();
    const { face, told } = lasting(world);
    expect(face.readyState).toBe(face.CONNECTING);
    await world.run(10);
    world.server.last.close(1012, 'restart');
    await world.run(10);
    expect(face.readyState).toBe(face.CONNECTING);
    await world.runUntil(() => face.readyState === face.OPEN);
    expect(told.lines).toEqual(['open in OPEN', 'close 1012 in CONNECTING', 'open in OPEN']);
    expect(told.closes).toMatchObject([{ reason: 'restart', wasClean: true, willReconnect: true }]);
  });

  it('tells a failed attempt as error and close, and counts it', async () => {
    const world = newWorld();
    world.server.reception = { name: 'refused' };
    const { face, told } = lasting(world);
    await world.runUntil(() => told.closes.length === 3);
    expect(told.lines.slice(0, 2)).toEqual(['error in CONNECTING', 'close 1006 in CONNECTING']);
    expect(face.retryCount).toBe(3);
    world.server.reception = { name: 'open', protocol: 'chat' };
    await world.runUntil(() => face.readyState === face.OPEN);
    expect([face.retryCount, face.protocol]).toEqual([0, 'chat']);
  });

  it('send before open waits for the socket, in order', async () => {
    const world = newWorld();
    const { face } = lasting(world);
    face.send('one');
    face.send(new Uint8Array([2]));
    face.onopen = () => face.send('three');
    await world.run(20);
    expect(world.server.last.received).toEqual(['one', new Uint8Array([2]), 'three']);
  });

  it('keeps binaryType and listeners from socket to socket', async () => {
    const world = newWorld();
    const { face, told } = lasting(world);
    face.binaryType = 'arraybuffer';
    for (let i = 0; i < 3; i++) {
      await world.runUntil(() => face.readyState === face.OPEN);
      world.server.last.send(new Uint8Array([i]));
      await world.run(10);
      world.server.last.cut();
      await world.run(1);
    }
    expect(told.messages.map((data) => new Uint8Array(data as ArrayBuffer)[0])).toEqual([0, 1, 2]);
  });

  it.each<[string, (world: World) => Promise<unknown>]>([
    ['connecting', (world) => world.run(1)],
    ['open', (world) => world.run(10)],
    ['waiting', async (world) => (await world.run(10), world.server.last.cut(), world.run(1))],
    ['on a silent link', async (world) => (await world.run(10), world.server.last.silence())],
    [
      'redialling',
      async (world) => {
        await world.run(10);
        world.server.last.cut();
        world.server.reception = { name: 'hanging' };
        await world.runUntil(() => world.server.connections.length === 2);
      },
    ],
  ])('T24: close() while %s tells one last close, not inside the call, and no dial follows', async (_state, reach) => {
    const world = newWorld();
    const { face, told } = lasting(world);
    await reach(world);
    const [before, dials] = [told.closes.length, world.server.connections.length];
    face.close();
    expect(told.closes.length).toBe(before);
    await world.run(60_000);
    expect(told.closes.slice(before)).toMatchObject([{ willReconnect: false }]);
    expect(face.readyState).toBe(face.CLOSED);
    expect(world.server.connections.length).toBe(dials);
  });

  it('T30: a Blob that is read after close() is told by the client as dropped', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    const face = toWebSocket(client);
    const late = slowBlob('late');
    face.send(late.blob);
    expect(face.bufferedAmount).toBe(4);
    face.close();
    late.read();
    await world.run(100);
    expect(told.drops).toMatchObject([{ data: text('late'), reason: 'closed' }]);
    expect(face.bufferedAmount).toBe(0);
  });

  it('tells the end that the server asked for as a close with no further dial', async () => {
    const world = newWorld();
    const { face, told } = lasting(world);
    await world.run(10);
    world.server.last.close(4404, 'gone');
    await world.run(60_000);
    expect(told.lines).toEqual(['open in OPEN', 'close 4404 in CLOSED']);
    expect(told.closes[0]!.willReconnect).toBe(false);
    expect(face.readyState).toBe(face.CLOSED);
  });

  it('T25: reconnect() drops an open socket and dials, and begins a new life after the end', async () => {
    const world = newWorld();
    const { face, told } = lasting(world);
    await world.run(10);
    face.reconnect();
    await world.run(10);
    expect(told.lines).toEqual(['open in OPEN', 'close 1006 in CONNECTING', 'open in OPEN']);
    face.close();
    await world.run(10);
    expect(face.readyState).toBe(face.CLOSED);
    face.reconnect();
    await world.run(10);
    expect(face.readyState).toBe(face.OPEN);
    face.close();
    await world.run(10);
    expect(told.closes.map(({ willReconnect }) => willReconnect)).toEqual([true, false, false]);
  });

  it('begins CLOSED where the client does not dial by itself, until reconnect()', async () => {
    const world = newWorld();
    const { face } = lasting(world, { autoConnect: false });
    await world.run(1_000);
    expect([face.readyState, world.server.connections.length]).toEqual([face.CLOSED, 0]);
    face.reconnect();
    await world.run(10);
    expect(face.readyState).toBe(face.OPEN);
  });

  it('checks the arguments of close as the standard does', async () => {
    const world = newWorld();
    const { face } = lasting(world);
    expect(thrownBy(() => face.close(1001))).toEqual({ name: 'InvalidAccessError', code: 'INVALID_OPTION' });
    expect(face.readyState).toBe(face.CONNECTING);
  });

  it('is one of two views: what the client tells and takes goes on beside it', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    const face = toWebSocket(client);
    face.onmessage = vi.fn<() => void>();
    expect(face.readyState).toBe(face.OPEN);
    client.send('a');
    face.send('b');
    world.server.last.send('c');
    await world.run(10);
    expect(world.server.last.received).toEqual(['a', 'b']);
    expect(told.messages).toEqual(['c']);
    expect(face.onmessage).toHaveBeenCalledTimes(1);
  });
});
