// Does the fake host do what the name of each mode says?

import { afterEach, assert, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFakeHost, type FakeHost, type FakeSocketTask, type FakeTaskMode } from '@holdfast/testing';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  assert.equal(vi.getTimerCount(), 0, 'timers left behind');
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** Everything that a caller hears of one task. */
async function dial(host: FakeHost) {
  const heard: string[] = [];
  const hears = (name: string) => ({
    success: () => heard.push(`${name} success`),
    fail: () => heard.push(`${name} fail`),
    complete: () => {},
  });
  const returned = host.api.connectSocket({ url: 'wss://example.com', multiple: true, ...hears('connect') });
  const task = (await returned) as FakeSocketTask | undefined;
  task?.onOpen?.(() => heard.push('open'));
  task?.onMessage?.((event) => heard.push(`message ${JSON.stringify(event)}`));
  task?.onError?.(() => heard.push('error'));
  task?.onClose?.((event) => heard.push(`close ${JSON.stringify(event)}`));
  return {
    heard,
    task: task!,
    send: (data: string) => task!.send({ data, ...hears('send') }),
    close: (code: number) => task!.close({ code, reason: '', ...hears('close') }),
  };
}

describe('a dial', () => {
  it.each<[FakeTaskMode | undefined, readonly string[]]>([
    [undefined, ['connect success', 'open']],
    ['sync-success', ['connect success', 'open']],
    ['double-open', ['connect success', 'open', 'open']],
    ['late-open', ['connect success']],
    ['success-then-fail', ['connect success', 'connect fail']],
    ['fail-only', ['connect fail']],
    ['error-only', ['connect success', 'error']],
    ['error-then-close', ['connect success', 'error', 'close {"code":1006,"reason":""}']],
    ['returns-undefined', []],
    ['returns-promise-of-task', ['connect success', 'open']],
    ['returns-promise-of-errMsg', ['connect success']],
  ])('%s', async (mode, expected) => {
    const { heard } = await dial(createFakeHost({ modes: mode ? [mode] : [] }));
    await pass(10);
    expect(heard).toEqual(expected);
  });

  it('rejects, throws', async () => {
    await expect(dial(createFakeHost({ modes: ['rejects'] }))).rejects.toThrow('interceptor');
    await expect(dial(createFakeHost({ modes: ['throws'] }))).rejects.toThrow('parameter error');
  });

  it('over the limit fails, until a closing task has told its end', async () => {
    const host = createFakeHost({ limit: 1 });
    const first = await dial(host);
    await pass(10);
    first.close(1000);
    const second = await dial(host);
    await pass(10);
    expect(second.heard).toEqual(['connect fail']);
    const third = await dial(host);
    await pass(10);
    expect([third.heard, host.mostLive, host.tasks.length]).toEqual([['connect success', 'open'], 1, 2]);
  });
});

describe('an open task', () => {
  it.each<[FakeTaskMode | undefined, readonly string[]]>([
    [undefined, ['close success', 'close {"code":4000,"reason":""}']],
    ['1000-interrupted', ['close success', 'close {"code":1000,"reason":"interrupted"}']],
    ['0-interrupted', ['close success', 'close {"code":0,"reason":"interrupted"}']],
    ['code-missing', ['close success', 'close {}']],
    ['close-never-answers', ['close success']],
    ['silent-death', ['close success']],
    ['revived-old-socket', ['close success']],
    ['alipay-envelope', ['close success', 'close {"data":{"socketTaskID":"1"}}']],
  ])('%s: how it closes', async (mode, expected) => {
    const { heard, close } = await dial(createFakeHost({ modes: mode ? [mode] : [] }));
    await pass(10);
    close(4000);
    await pass(10);
    expect(heard.slice(2)).toEqual(expected);
  });

  it.each<[FakeTaskMode | undefined, readonly string[]]>([
    [undefined, ['send success']],
    ['double-fail-send', ['send fail', 'send fail']],
    ['fail-then-success-send', ['send fail', 'send success']],
    ['no-complete-send', []],
  ])('%s: how it sends', async (mode, expected) => {
    const { heard, send } = await dial(createFakeHost({ modes: mode ? [mode] : [] }));
    await pass(10);
    send('hello');
    await pass(10);
    expect(heard.slice(2)).toEqual(expected);
  });

  it('close-noop-until-open: close fails, and the socket opens after all', async () => {
    const { heard, close } = await dial(createFakeHost({ modes: ['close-noop-until-open'] }));
    close(1000);
    await pass(10);
    close(1000);
    await pass(10);
    expect(heard).toEqual([
      'connect success',
      'close fail',
      'open',
      'close success',
      'close {"code":1000,"reason":""}',
    ]);
  });

  it('a code that hosts refuse leaves the socket open', async () => {
    const host = createFakeHost();
    const { heard, close } = await dial(host);
    await pass(10);
    close(1001);
    await pass(10);
    expect([heard.slice(2), host.last.state]).toEqual([['close fail'], 'open']);
  });

  it('alipay-envelope: events are wrapped, and binary is base64', async () => {
    const host = createFakeHost({ modes: ['alipay-envelope'] });
    const { heard } = await dial(host);
    await pass(10);
    host.last.message(Uint8Array.of(1, 2).buffer);
    host.last.message('text');
    expect(heard.slice(2)).toEqual([
      'message {"data":{"socketTaskID":"1","data":"AQI=","isBuffer":true}}',
      'message {"data":{"socketTaskID":"1","data":"text","isBuffer":false}}',
    ]);
    expect(host.api.connectSocket({ url: 'wss://example.com' })).toBeUndefined();
    await pass(10);
  });

  it('handlers are added, or with handlers-replace put in the place of the last one', async () => {
    for (const [modes, expected] of [
      [[], 2],
      [['handlers-replace'], 1],
    ] as const) {
      const host = createFakeHost({ modes });
      const { task } = await dial(host);
      let heard = 0;
      task.onMessage(() => heard++);
      task.onMessage(() => heard++);
      await pass(10);
      host.last.message('x');
      expect(heard).toBe(expected);
    }
  });
});

describe("the host's own events", () => {
  it('are told, and taken off, but not with off-is-noop', () => {
    const host = createFakeHost();
    const heard: unknown[] = [];
    const listener = (event: unknown): void => void heard.push(event);
    host.api.onNetworkStatusChange(listener);
    host.changeNetwork(false);
    expect(heard).toEqual([{ isConnected: false, networkType: 'none' }]);
    host.modes = ['off-is-noop'];
    host.api.offNetworkStatusChange(listener);
    expect(host.listeners).toBe(1);
    host.modes = [];
    host.api.offNetworkStatusChange(listener);
    expect(host.listeners).toBe(0);
  });
});
