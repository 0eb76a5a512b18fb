// However a host takes a dial, does it end in one story?

import { describe, expect, it, vi } from 'vitest';
import { connect, dial, dialBy, fakeHost, pass, uniapp, watch } from './support/stage.ts';
import type { FakeHost, FakeTaskMode } from '@holdfast/testing';

const ABNORMAL = { code: 1006, reason: '', wasClean: false };

async function closesOnce(host: FakeHost): Promise<unknown> {
  const { names, story } = dial(host);
  expect(names()).toBe('');
  await pass(5_000);
  expect(names()).toBe('closed');
  const [, close] = story[0]!;
  expect(close).toMatchObject(ABNORMAL);
  return (close as { cause?: { message: string } }).cause?.message;
}

describe('what is asked of the host', () => {
  it('U1: all three callbacks and multiple are there, and nothing that is absent', async () => {
    const host = fakeHost();
    connect(host);
    await pass(10);
    const [call] = host.calls;
    expect(Object.keys(call!).toSorted()).toEqual(['complete', 'fail', 'multiple', 'success', 'url']);
    expect([typeof call!.success, typeof call!.fail, typeof call!.complete]).toEqual([
      'function',
      'function',
      'function',
    ]);
    expect(call).toMatchObject({ url: 'wss://example.com/live', multiple: true });
  });

  it('U1: headers and protocols are passed on where they are given', async () => {
    const host = fakeHost();
    connect(host, { headers: { authorization: 'Bearer x' }, protocols: ['a.v1'] });
    await pass(10);
    expect(host.calls[0]).toMatchObject({ header: { authorization: 'Bearer x' }, protocols: ['a.v1'] });
  });

  it('U2, T47: without a function uni.connectSocket is called, as it is at the dial', async () => {
    const host = fakeHost();
    vi.stubGlobal('uni', {});
    const { client } = watch(uniapp().connect('wss://example.com/live', { autoConnect: false }));
    vi.stubGlobal('uni', host.api);
    client.connect();
    await pass(20);
    expect(client.status).toBe('open');
  });

  it('U2: where there is no uni a dial fails and says what to give', async () => {
    const { story } = dialBy(uniapp().uniappAdapter());
    await pass(10);
    expect(String((story[0]![1] as { cause: Error }).cause)).toMatch(/no uni\.connectSocket here; give connectSocket/);
  });

  it.each([{}, 'uni', null])('U3: a connectSocket that is no function, %j, is refused with the reason', (given) => {
    const make = () => uniapp().connect('wss://example.com', { connectSocket: given as never });
    expect(make).toThrow(/INVALID_OPTION: connectSocket must be a function.*empty in an H5 production build/);
  });

  it('U4: each event is registered once, before anything is awaited', async () => {
    const host = fakeHost(['late-open']);
    const { names } = dial(host, (options) => {
      const task = host.api.connectSocket(options);
      void Promise.resolve().then(() => {
        host.last.open();
        host.last.message('greeting');
      });
      return task;
    });
    await pass(10);
    expect(names()).toBe('opened message');
    expect(host.last.registered).toEqual({ open: 1, message: 1, error: 1, close: 1 });
  });

  it.each<FakeTaskMode>(['sync-success', 'handlers-replace', 'returns-promise-of-task'])(
    'U5, U6, T47: a host of the kind %s opens, echoes and closes',
    async (mode) => {
      const host = fakeHost([mode]);
      host.onMessage = (task, data) => task.message(data as string);
      const { socket, names, story } = dial(host);
      await pass(20);
      socket.send('hello');
      await pass(5);
      socket.close(4000, 'done');
      await pass(5);
      expect(names()).toBe('opened message closed');
      expect(story[2]![1]).toMatchObject({ code: 4000, reason: 'done', wasClean: true });
    },
  );

  it('U12: readyState is never looked at', async () => {
    const host = fakeHost();
    const { names } = dial(host, (options) => {
      const task = host.api.connectSocket(options) as object;
      return Object.defineProperty(task, 'readyState', {
        get: () => expect.unreachable('readyState was read'),
      }) as never;
    });
    await pass(20);
    expect(names()).toBe('opened');
  });

  it('U13: an opening that is told twice is one', async () => {
    const { names } = dial(fakeHost(['double-open']));
    await pass(20);
    expect(names()).toBe('opened');
  });
});

describe('a dial that fails is one close, and says why', () => {
  it.each<[string, FakeTaskMode, RegExp]>([
    ['U6, U11, T47: nothing is returned and no callback comes', 'returns-undefined', /no SocketTask/],
    ['U6, T47: a promise of something that is no task', 'returns-promise-of-errMsg', /no SocketTask/],
    ['U6: a promise that is rejected', 'rejects', /interceptor/],
    ['U7, T47: only fail', 'fail-only', /url not in domain list/],
    ['U7: fail after success, with a task in hand', 'success-then-fail', /url not in domain list/],
    ['U8: a throw', 'throws', /parameter error/],
    ['U27: an error and no close', 'error-only', /refused/],
    ['U28: an error, then a close', 'error-then-close', /refused/],
  ])('%s', async (_, mode, why) => {
    expect(await closesOnce(fakeHost([mode]))).toMatch(why);
  });

  it('U7: fail within the call, with a task returned all the same', async () => {
    const host = fakeHost(['late-open']);
    const { names } = dial(host, (options) => {
      options.fail!({ errMsg: 'connectSocket:fail' });
      return host.api.connectSocket(options);
    });
    await pass(200);
    expect(names()).toBe('closed');
    expect(host.live).toEqual([]); // what was returned is closed, not forgotten
  });

  it('U7: fail that comes when the socket is open already means nothing', async () => {
    const host = fakeHost();
    const { names } = dial(host);
    await pass(20);
    host.last.options.fail!({ errMsg: 'connectSocket:fail' });
    expect(names()).toBe('opened');
  });

  it('U6: registering that throws is a failed dial', async () => {
    const { names } = dial(fakeHost(), () => ({ onOpen: () => { throw new Error('no'); } }) as never); // prettier-ignore
    await pass(200);
    expect(names()).toBe('closed');
  });

  it('U8: nothing is thrown to the caller of connect()', async () => {
    const { client, closes } = connect(fakeHost(['throws']), { reconnect: false });
    await pass(20);
    expect(closes).toMatchObject([{ ...ABNORMAL, opened: false }]);
    expect(client.status).toBe('closed');
  });

  it.each<[string, FakeTaskMode, unknown]>([
    ['domain', 'fail-only', 'connectSocket:fail url not in domain list'],
    ['error', 'error-only', 'connectSocket:fail refused'],
  ])('U34: what the host said of a %s is the cause of the close, and each retry waits', async (_, mode, message) => {
    const host = fakeHost([mode]);
    const { closes } = connect(host, { reconnect: { jitter: 'none' } });
    await pass(60_000);
    expect(closes[0]!.cause).toMatchObject({ message });
    expect(closes.map(({ delay }) => delay).slice(0, 4)).toEqual([2_500, 5_000, 10_000, 20_000]);
    expect(host.calls.length).toBe(5);
  });
});

describe('an attempt that takes too long', () => {
  it('U9: ends by our own timeout; the task is closed, and closed again if it opens after all', async () => {
    const host = fakeHost(['late-open', 'close-noop-until-open']);
    const { closes, opens } = connect(host, { connectTimeout: 1_000, reconnect: false });
    await pass(1_500);
    expect(closes).toMatchObject([{ code: 1006, opened: false, cause: { code: 'CONNECT_TIMEOUT' } }]);
    expect(host.last.closes.length).toBe(1);
    host.last.open();
    host.last.message('too late');
    await pass(10);
    expect(host.last.closes.length).toBe(2);
    expect(host.live).toEqual([]);
    expect([opens.length, closes.length]).toEqual([0, 1]);
  });

  it('U9: a task whose promise comes after the end is closed', async () => {
    const host = fakeHost();
    let give = (): void => {};
    const { socket, names } = dial(host, (options) => {
      const task = host.api.connectSocket(options);
      return new Promise((resolve) => (give = () => resolve(task)));
    });
    await pass(20);
    socket.terminate();
    give();
    await pass(20);
    expect(host.live).toEqual([]);
    expect(names()).toBe('');
  });
});

describe('dials of one process', () => {
  it('U10: two clients that dial in one millisecond are dialled at different ones, and both open', async () => {
    const host = fakeHost();
    const times: number[] = [];
    const connectSocket: typeof host.api.connectSocket = (options) => {
      times.push(Date.now());
      return host.api.connectSocket(options);
    };
    const clients = [1, 2, 3].map(() =>
      watch(uniapp().connect('wss://example.com', { connectSocket: connectSocket as never })),
    );
    await pass(50);
    expect(clients.map(({ client }) => client.status)).toEqual(['open', 'open', 'open']);
    expect([times[1]! - times[0]!, times[2]! - times[1]!]).toEqual([2, 2]);
  });

  it('U31: however fast a client reconnects, it has two tasks at most', async () => {
    const host = fakeHost({ closeAfter: 300 });
    const { client } = connect(host);
    for (let i = 0; i < 40; i++) {
      client.reconnect();
      await pass(i % 2 ? 100 : 7);
    }
    await pass(1_000);
    expect(client.status).toBe('open');
    expect(host.mostLive).toBe(2);
  });

  it('U31: tasks that never tell their end keep no client from dialling for longer than 3 s', async () => {
    const host = fakeHost(['close-never-answers']);
    const { client } = connect(host);
    for (let i = 0; i < 2; i++) {
      await pass(20);
      client.reconnect();
    }
    await pass(2_900);
    expect([client.status, host.tasks.length]).toEqual(['reconnecting', 2]);
    await pass(200);
    expect([client.status, host.tasks.length]).toEqual(['open', 3]);
  });

  it('U31: a task that is closing takes a place until its last event', async () => {
    const host = fakeHost({ limit: 5, closeAfter: 100 });
    const clients = [1, 2, 3, 4, 5].map(() => connect(host));
    await pass(50);
    clients.forEach(({ client }) => client.reconnect());
    await pass(150);
    expect(clients.map(({ client }) => client.status)).toEqual(Array(5).fill('open'));
    expect(clients.flatMap(({ closes }) => closes.filter(({ opened }) => !opened))).toEqual([]);
    expect(host.mostLive).toBe(5);
  });

  it('U34, T47: a sixth socket is tried, and is told what the host says of it', async () => {
    const host = fakeHost({ limit: 5 });
    [1, 2, 3, 4, 5].forEach(() => connect(host));
    await pass(50);
    const { closes } = connect(host, { reconnect: { jitter: 'none' } });
    await pass(50);
    expect(closes).toMatchObject([{ delay: 2_500, cause: { message: expect.stringContaining('exceed max concurrent count') as string } }]); // prettier-ignore
  });

  it('a dial that is given up while it waits is never made', async () => {
    const host = fakeHost();
    const { socket, names } = dial(host);
    socket.terminate();
    await pass(50);
    expect(host.calls).toEqual([]);
    expect(names()).toBe('');
  });
});
