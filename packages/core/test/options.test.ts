import { describe, expect, it } from 'vitest';
import { DEFAULTS, createClient, type ClientOptions } from '@holdfast/core';
import { createWorld } from '@holdfast/testing';
import { readOptions } from '../src/options.ts';

const adapter = createWorld().adapter();
const URL_ = 'ws://world.test/';
const read = (options: object) => readOptions(URL_, { adapter, ...options }, () => {});
const make = (options: object) => createClient(URL_, { adapter, autoConnect: false, ...options } as ClientOptions);

const DURATIONS = [-1, NaN, '5', null, {}] as const;
const REFUSED: readonly (readonly [string, readonly unknown[]])[] = [
  ['connectTimeout', [0, ...DURATIONS]],
  ['closeTimeout', [0, ...DURATIONS]],
  ['heartbeat', [true, 5, 'no', null]],
  ['heartbeat.interval', [0, ...DURATIONS]],
  ['heartbeat.timeout', [0, ...DURATIONS]],
  ['heartbeat.message', ['', 5, new Uint8Array(0), {}, null]],
  ['heartbeat.reply', ['', 5, {}, null]],
  ['heartbeat.expectReply', ['yes', 1, null]],
  ['reconnect', [true, 5, 'no', null]],
  ['reconnect.initialDelay', DURATIONS],
  ['reconnect.maxDelay', [Infinity, ...DURATIONS]],
  ['reconnect.factor', [0, 0.99, -2, NaN, '2', null]],
  ['reconnect.jitter', ['half', true, null]],
  ['reconnect.stableAfter', DURATIONS],
  ['reconnect.maxAttempts', [1.5, ...DURATIONS]],
  ['reconnect.shouldReconnect', [true, 'no', null]],
  ['queue', [true, 5, 'no', null]],
  ['queue.maxMessages', [1.5, ...DURATIONS]],
  ['queue.maxBytes', [1.5, ...DURATIONS]],
  ['queue.maxAge', DURATIONS],
  ['queue.overflow', ['drop-newest', null]],
  ['queue.highWaterMark', DURATIONS],
  ['delivery', ['exactly-once', 5, null]],
  ['handshake', ['hello', {}, null]],
  ['codec', ['json', {}, { encode() {} }, null]],
  ['signal', [true, {}, null]],
  ['autoConnect', ['yes', 1, null]],
  ['adapter', ['node', {}]],
  ['protocols', [5, ['a b'], ['a', 'a'], [''], ['ä']]],
];
const REFUSALS = REFUSED.flatMap(([name, values]) => values.map((value) => ({ name, value })));

/** `a.b` and a value become `{ a: { b: value } }`. */
function nested(name: string, value: unknown): object {
  const [head, tail] = name.split('.') as [string, string?];
  return { [head]: tail === undefined ? value : { [tail]: value } };
}

describe('at the door', () => {
  it.each(REFUSALS)('$name refuses $value, naming both', ({ name, value }) => {
    expect(() => make(nested(name, value))).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringMatching(`${name} must be .*, got `) as string,
      }) as Error,
    );
  });

  it.each([
    ['hartbeat', { hartbeat: {} }],
    ['heartbeat.intervall', { heartbeat: { intervall: 1 } }],
    ['reconnect.retries', { reconnect: { retries: 1 } }],
    ['queue.size', { queue: { size: 1 } }],
    ['toString', { toString: (): string => '' }],
  ])('%s is no option, and the message says which there are', (name, options) => {
    expect(() => make(options)).toThrow(`INVALID_OPTION: ${name} is not an option`);
  });

  it('headers are refused where the runtime cannot set any, instead of being left out', () => {
    const plain = createWorld().adapter({ headers: false });
    for (const headers of [{ a: 'b' }, () => ({ a: 'b' })]) {
      expect(() => createClient(URL_, { adapter: plain, headers })).toThrow(
        expect.objectContaining({ code: 'HEADERS_UNSUPPORTED' }) as Error,
      );
    }
    expect(() => make({ headers: { a: 'b\nc' } })).toThrow('headers.a');
  });

  it('T45: without an adapter the error says so, and nothing has begun', () => {
    expect(() => createClient(URL_)).toThrow(expect.objectContaining({ code: 'NO_ADAPTER' }) as Error);
  });

  it.each(['', 'world.test', '/live', 'http://world.test', 'ws://', undefined, 5])('the url %s is refused', (url) => {
    expect(() => createClient(url as string, { adapter })).toThrow(
      expect.objectContaining({ code: 'INVALID_URL' }) as Error,
    );
  });
});

describe('defaults', () => {
  it('are one frozen object, down to its leaves', () => {
    const all = [DEFAULTS, DEFAULTS.heartbeat, DEFAULTS.reconnect, DEFAULTS.queue];
    expect(all.every((part) => Object.isFrozen(part))).toBe(true);
  });

  it('are those of the manual', () => {
    expect(DEFAULTS).toEqual({
      connectTimeout: 10_000,
      closeTimeout: 2_000,
      autoConnect: true,
      delivery: 'at-most-once',
      heartbeat: { interval: 30_000, timeout: 10_000, message: 'ping', reply: 'pong', expectReply: 'auto' },
      reconnect: {
        initialDelay: 2_500,
        maxDelay: 30_000,
        factor: 2,
        jitter: 'full',
        stableAfter: 5_000,
        maxAttempts: Infinity,
      },
      queue: {
        maxMessages: 1_000,
        maxBytes: 1_048_576,
        maxAge: Infinity,
        overflow: 'refuse',
        highWaterMark: 1_048_576,
      },
    });
  });

  it('fill what was not given, one by one', () => {
    const { policy, queue } = read({ heartbeat: { interval: 7 }, reconnect: { factor: 3 }, queue: { maxAge: 9 } });
    expect(policy).toMatchObject({
      connectTimeout: 10_000,
      heartbeat: { interval: 7, timeout: 10_000 },
      retry: { factor: 3, initialDelay: 2_500 },
    });
    expect(queue).toEqual({ ...DEFAULTS.queue, maxAge: 9 });
  });

  it('an explicit undefined keeps them', () => {
    const names = (group: object): object => Object.fromEntries(Object.keys(group).map((name) => [name, undefined]));
    const undefinedAll = {
      ...names(DEFAULTS),
      protocols: undefined,
      headers: undefined,
      handshake: undefined,
      codec: undefined,
      signal: undefined,
      heartbeat: names(DEFAULTS.heartbeat),
      reconnect: { ...names(DEFAULTS.reconnect), shouldReconnect: undefined },
      queue: names(DEFAULTS.queue),
    };
    const [given, none] = [read(undefinedAll), read({})];
    expect(given.policy).toEqual(none.policy);
    expect(given.queue).toEqual(none.queue);
    expect(given.pingMessage).toBe('ping');
    expect(given.isReply('pong')).toBe(true);
  });
});

describe('what was given', () => {
  it('is never written to, and may be frozen', () => {
    const options = Object.freeze({
      adapter,
      autoConnect: false,
      heartbeat: Object.freeze({ interval: 1 }),
      reconnect: Object.freeze({ factor: 2 }),
      queue: Object.freeze({ maxAge: 1 }),
      protocols: Object.freeze(['a']),
    });
    const before = JSON.stringify(options);
    createClient(URL_, options);
    expect(JSON.stringify(options)).toBe(before);
  });

  it('may be changed afterwards without effect', () => {
    const message = new Uint8Array([1, 2]);
    const heartbeat = { interval: 5, message };
    const { policy, pingMessage } = read({ heartbeat });
    heartbeat.interval = 9;
    message.fill(0);
    expect(policy.heartbeat.interval).toBe(5);
    expect(pingMessage).toEqual(new Uint8Array([1, 2]));
  });

  it('false turns a group off', () => {
    const { policy, queue } = read({ heartbeat: false, reconnect: false, queue: false });
    expect(policy.heartbeat.interval).toBe(Infinity);
    expect(policy.retry.maxAttempts).toBe(0);
    expect(queue.maxMessages).toBe(0);
  });

  it.each([
    ['nothing of the kind', {}, false],
    ['a handshake', { handshake: () => {} }, true],
    ['a protocols provider', { protocols: () => 'a' }, true],
    ['a headers provider', { headers: () => ({}) }, true],
    ['plain protocols and headers', { protocols: 'a', headers: {} }, false],
  ])('T21: with %s, fresh credentials can be had: %s', (_name, options, canHeal) => {
    expect(read(options).policy.retry.canHeal).toBe(canHeal);
    expect(
      readOptions(
        () => URL_,
        { adapter },
        () => {},
      ).policy.retry.canHeal,
    ).toBe(true);
  });

  it('ping frames are for runtimes that have them, and for callers who name no message', () => {
    const frames = (options: object, pingFrames: boolean): boolean =>
      readOptions(URL_, { adapter: createWorld().adapter({ pingFrames }), ...options }, () => {}).policy.heartbeat
        .frames;
    expect(frames({}, true)).toBe(true);
    expect(frames({ heartbeat: { message: undefined } }, true)).toBe(true);
    expect(frames({ heartbeat: { message: 'ping' } }, true)).toBe(false);
    expect(frames({}, false)).toBe(false);
  });
});
