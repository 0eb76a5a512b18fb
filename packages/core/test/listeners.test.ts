import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HoldfastError } from '@holdfast/core';
import { createListeners } from '../src/listeners.ts';
import { newClient, newWorld, openClient, whilst } from './support/worlds.ts';

const thrower = (what: string) => (): never => {
  throw new Error(what);
};

describe('a listener that throws', () => {
  it('T43: harms no other, and is reported once, outside the call', async () => {
    const listeners = createListeners();
    const order: string[] = [];
    listeners.on('error', (error: HoldfastError) => order.push(`error ${(error.cause as Error).message}`));
    listeners.on('x', () => order.push('first'));
    listeners.on('x', thrower('second'));
    listeners.on('x', () => order.push('third'));
    listeners.emit('x');
    order.push('emit is over');
    await Promise.resolve().then(() => {});
    expect(order).toEqual(['first', 'third', 'emit is over', 'error second']);
  });

  it('T43: so does one whose promise rejects', async () => {
    const listeners = createListeners();
    const errors: HoldfastError[] = [];
    listeners.on('error', (error: HoldfastError) => errors.push(error));
    listeners.on('x', () => Promise.reject(new Error('later')));
    listeners.emit('x');
    await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toMatchObject([{ code: 'LISTENER_THREW', cause: { message: 'later' } }]);
  });

  it('T43: of any kind, in every event: receive loop, heartbeat, flush and redial go on', async () => {
    const world = newWorld();
    const { client, told } = newClient(world);
    const events = ['open', 'message', 'close', 'status', 'drop', 'pong', 'writable', 'end'] as const;
    for (const event of events) {
      const rejects: unknown = () => Promise.reject(new Error(event)); // as an async listener does
      client.on(event, thrower(event)).on(event, rejects as () => void);
    }
    client.send('queued');
    await world.runUntil(() => client.status === 'open');
    world.server.last.send('one');
    world.server.last.send('two');
    await world.run(40_000);
    world.server.last.cut();
    await world.runUntil(() => told.opens.length === 2);
    await whilst(client.flush(), world.run(100));
    await whilst(client.close(), world.run(100));
    client.send('refused');
    await world.run(10);
    expect(told.messages).toEqual(['one', 'two']);
    expect(told.pongs).not.toEqual([]);
    expect(told.ends).toEqual(['caller']);
    expect(new Set(told.errors.map(({ code }) => code))).toEqual(new Set(['LISTENER_THREW']));
    const causes = new Set(told.errors.map(({ cause }) => (cause as Error).message));
    expect(causes).toEqual(new Set(events.filter((event) => event !== 'writable')));
  });
});

describe('an error without a listener', () => {
  beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}));
  afterEach(() => void vi.restoreAllMocks());

  it('goes to the console, once per code', () => {
    const listeners = createListeners();
    listeners.report(new HoldfastError('DECODE_FAILED', 'a'));
    listeners.report(new HoldfastError('DECODE_FAILED', 'b'));
    listeners.report(new HoldfastError('LISTENER_THREW', 'c'));
    expect(vi.mocked(console.error).mock.calls.map(([error]) => (error as HoldfastError).code)).toEqual([
      'DECODE_FAILED',
      'LISTENER_THREW',
    ]);
  });

  it('with a listener nothing goes to the console', () => {
    const listeners = createListeners();
    const seen: HoldfastError[] = [];
    listeners.on('error', (error: HoldfastError) => seen.push(error));
    listeners.report(new HoldfastError('DECODE_FAILED', 'a'));
    expect(seen).toHaveLength(1);
    expect(console.error).not.toHaveBeenCalled();
  });

  it('T43: an error listener that throws is told by the console, and not to itself', async () => {
    const listeners = createListeners();
    let calls = 0;
    listeners.on('error', () => {
      calls++;
      throw new Error('in the error listener');
    });
    listeners.report(new HoldfastError('DECODE_FAILED', 'a'));
    await Promise.resolve().then(() => {});
    expect(calls).toBe(1);
    expect(console.error).toHaveBeenCalledTimes(1);
  });
});

describe('adding and removing', () => {
  it('T44: one that is added during an emit is not part of it, one that is removed still is', () => {
    const listeners = createListeners();
    const order: string[] = [];
    const late = (): void => void order.push('late');
    const gone = (): void => void order.push('gone');
    listeners.on('x', () => {
      order.push('first');
      listeners.on('x', late);
      listeners.off('x', gone);
    });
    listeners.on('x', gone);
    listeners.emit('x');
    expect(order).toEqual(['first', 'gone']);
    order.length = 0;
    listeners.off('x', late);
    listeners.emit('x');
    expect(order).toEqual(['first']);
  });

  it('T44: once is once, also when it emits again from inside; it can be taken off before', () => {
    const listeners = createListeners();
    let calls = 0;
    listeners.once('x', () => {
      calls++;
      listeners.emit('x');
    });
    listeners.emit('x');
    listeners.emit('x');
    expect(calls).toBe(1);
    const never = (): void => void calls++;
    listeners.once('x', never);
    listeners.off('x', never);
    listeners.emit('x');
    expect(calls).toBe(1);
  });

  it('T44: the same function added twice is called twice, and removed as one', () => {
    const listeners = createListeners();
    let calls = 0;
    const twice = (): void => void calls++;
    listeners.on('x', twice);
    listeners.on('x', twice);
    listeners.emit('x');
    expect(calls).toBe(2);
    listeners.off('x', twice);
    listeners.emit('x');
    expect(calls).toBe(2);
  });

  it('T44: off without a listener removes all of that event and of no other', () => {
    const listeners = createListeners();
    const calls: string[] = [];
    listeners.on('x', () => calls.push('x'));
    listeners.on('y', () => calls.push('y'));
    listeners.off('x', undefined);
    listeners.emit('x');
    listeners.emit('y');
    expect(calls).toEqual(['y']);
  });

  it('T44: 10 000 added and removed over 100 reconnects leave nothing', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    let calls = 0;
    for (let round = 0; round < 100; round++) {
      for (let i = 0; i < 100; i++) {
        const listener = (): void => void calls++;
        client.on('message', listener).off('message', listener);
      }
      client.reconnect();
      await world.runUntil(() => told.opens.length === round + 2);
    }
    world.server.last.send('only for those who stayed');
    await world.run(10);
    expect(calls).toBe(0);
    expect(told.messages).toEqual(['only for those who stayed']);
  });

  it('on, once and off can be chained', () => {
    const { client } = newClient(newWorld(), { autoConnect: false });
    const listener = (): void => {};
    expect(client.on('open', listener).once('open', listener).off('open')).toBe(client);
  });
});

describe('what is told, and when', () => {
  it('listeners added in the turn in which the client is made miss nothing', async () => {
    const world = newWorld();
    const bad = (): never => {
      throw new Error('at once');
    };
    const { told } = newClient(world, { url: bad, reconnect: false });
    await world.run(0);
    expect(told.statuses).toEqual(['connecting', 'closed']);
    expect(told.closes).toHaveLength(1);
    expect(told.ends).toEqual(['exhausted']);
  });

  it('a status is told once, however many private states it covers', async () => {
    const world = newWorld();
    const { client, told } = newClient(world);
    world.server.reception = { name: 'refused' };
    await world.runUntil(() => client.status === 'open');
    world.server.last.cut();
    await world.runUntil(() => told.closes.length === 4);
    world.server.reception = { name: 'open' };
    await world.runUntil(() => client.status === 'open');
    expect(told.statuses).toEqual(['connecting', 'open', 'reconnecting', 'open']);
  });

  it('a listener finds the world settled, and what it does waits its turn', async () => {
    const world = newWorld();
    const { client } = newClient(world);
    const order: string[] = [];
    client
      .on('open', () => {
        order.push(`open while ${client.status}`);
        client.reconnect();
        order.push('open is over');
      })
      .on('close', () => {
        order.push(`close while ${client.status}`);
        void client.close();
      })
      .on('end', () => order.push(`end while ${client.status}`));
    await world.run(1_000);
    expect(order).toEqual([
      'open while open',
      'open is over',
      'close while reconnecting',
      'close while closed',
      'end while closed',
    ]);
  });

  it('T50: two messages in one tick are both told, to listeners and to readers', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    const reader = client.messages();
    world.server.last.send('one');
    world.server.last.send('two');
    await world.run(10);
    expect(told.messages).toEqual(['one', 'two']);
    expect([await reader.next(), await reader.next()].map(({ value }) => value)).toEqual(['one', 'two']);
  });

  it('T41: binary is the same kind after a reconnect', async () => {
    const world = newWorld();
    const { client, told } = await openClient(world);
    world.server.last.send(new Uint8Array([1]));
    await world.run(10);
    client.reconnect();
    await world.run(10);
    world.server.last.send(new Uint8Array([2]));
    await world.run(10);
    expect(told.messages).toEqual([new Uint8Array([1]), new Uint8Array([2])]);
  });
});
