// Does the store in memory keep the laws?
import { afterEach, describe, expect, test, vi } from 'vitest';
import { memoryStore, type MemoryStoreOptions } from '@holdfast/server';
import { createMemoryState } from '../src/sessions/memory-state.ts';
import { createMemoryStore } from '../src/sessions/memory-store.ts';
import { BOUNDS, TTL, append, claim, opened, reasonOf, request, storeLaws } from './support/store-laws.ts';

storeLaws('the store in memory', () => {
  const { store, advance } = world();
  return { store, elsewhere: store, advance, close: () => store.close() };
});

function world(maxSessions?: number) {
  let now = 1_000;
  const state = createMemoryState();
  const store = createMemoryStore({ now: () => now, state, ...(maxSessions !== undefined && { maxSessions }) });
  return { store, state, advance: (ms: number) => void (now += ms) };
}

/** Nobody is limited but by the store. */
const OPEN = { ...BOUNDS, maxPerPrincipal: Infinity };

describe('every answer is there at once', () => {
  test('no operation answers a promise', () => {
    const { store } = world();
    const lease = { sid: 'one', conn: 1 };
    expect(store.open(request(), BOUNDS)).toEqual(lease);
    expect(store.begin(lease, 1, 1)).toBe('ok');
    expect(store.commit(lease, 1, 1)).toBe('ok');
    expect(store.append('one', { tag: 7, data: 'x' }, 1, BOUNDS)).toEqual({ name: 'stored', seq: 1, before: 0 });
    expect(store.read(lease, 0, 1, 0)).toEqual([{ seq: 1, tag: 7, data: 'x' }]);
    expect(store.acknowledge(lease, 1)).toBe('ok');
    expect(store.touch([lease], TTL)).toEqual(['ok']);
    expect(store.resume(claim({ attempt: 2, received: 1, tag: 7, sent: 1 }), BOUNDS)).toMatchObject({ committed: 1 });
    expect(store.end({ sid: 'one' }, 'ended', TTL)).toEqual({ standing: 'ok', undelivered: [] });
  });

  test('who hears news finds the store as it is from then on', () => {
    const { store } = world();
    const lease = store.open(request(), BOUNDS);
    if (lease === 'limit') throw new Error('there was room');
    const found: unknown[] = [];
    store.watch('node-a', () => found.push(store.read(lease, 0, 10, 0)));
    store.append('one', { tag: 7, data: 'x' }, 1, BOUNDS);
    expect(found).toEqual([[{ seq: 1, tag: 7, data: 'x' }]]);
  });
});

describe('bounds', () => {
  test('at maxSessions nobody comes in; when one has ended or expired, one does', async () => {
    const { store, advance } = world(2);
    await opened(store, { sid: 'one' }, OPEN);
    await opened(store, { sid: 'two' }, { ...OPEN, ttl: 10 * TTL });
    expect(store.open(request({ sid: 'three' }), OPEN)).toBe('limit');
    store.end({ sid: 'one' }, 'ended', TTL);
    await opened(store, { sid: 'three' }, OPEN);
    expect(store.open(request({ sid: 'four' }), OPEN)).toBe('limit');
    advance(TTL);
    await opened(store, { sid: 'four' }, OPEN);
    expect(await reasonOf(store, { sid: 'three' })).toBe('expired');
  });

  test('a sweep buries what has expired, share by share, and lets its messages go', async () => {
    const { store, state, advance } = world();
    for (let i = 0; i < 100; i++) await opened(store, { sid: `s${i}` }, { ...OPEN, ttl: i % 2 ? TTL : 2 * TTL });
    advance(TTL);
    store.sweep(40);
    expect(state.sessions.size).toBe(80);
    store.sweep(60);
    expect(state.sessions.size).toBe(50);
    expect(await reasonOf(store, { sid: 's1' })).toBe('expired');
    expect(state.principals.get('ada')).toHaveProperty('size', 50);
    advance(TTL);
    store.sweep(101);
    expect(state.sessions.size).toBe(0);
    expect(state.principals.size).toBe(0);
  });

  test('tombstones are bounded, the oldest go first; after ten ttls a sweep lets the rest go', async () => {
    const { store, state, advance } = world(100);
    const graves = () => state.graves[0].reasons.size + state.graves[1].reasons.size;
    for (let i = 0; i < 1_000; i++) {
      await opened(store, { sid: `s${i}` }, OPEN);
      store.end({ sid: `s${i}` }, 'ended', TTL);
      expect(graves()).toBeLessThanOrEqual(102);
    }
    for (const i of [950, 999]) expect(await reasonOf(store, { sid: `s${i}` })).toBe('ended');
    expect(await reasonOf(store, { sid: 's0' })).toBe('unknown');
    advance(10 * TTL);
    store.sweep(1);
    store.sweep(1);
    expect(graves()).toBe(0);
  });

  test('an outbox that is written and acknowledged for ever takes no more room for it', async () => {
    const { store, state } = world();
    const lease = await opened(store);
    await append(store, 'x');
    for (let seq = 1; seq < 10_000; seq++) {
      await append(store, 'x');
      store.acknowledge(lease, seq);
    }
    expect(state.sessions.get('one')!.outbox!.entries.length).toBeLessThan(200);
    store.acknowledge(lease, 10_000);
    expect(state.sessions.get('one')!.outbox).toBeUndefined();
  });
});

describe('the state', () => {
  test('a clone is the store at another time: what was done since is undone, and told by the cross-checks', async () => {
    const { store, state } = world();
    await opened(store);
    await append(store, 'a', 'one', 11);
    const earlier = createMemoryStore({ now: () => 1_000, state: structuredClone(state) });
    await append(store, 'b', 'one', 12);
    expect(await reasonOf(store, { received: 2, tag: 12 })).toBe('resumed');
    expect(await reasonOf(earlier, { received: 2, tag: 12 })).toBe('regressed');
  });

  test('an entry that is missing from it ends the session as regressed', async () => {
    const looks = [
      (store: ReturnType<typeof world>['store']) => store.read({ sid: 'one', conn: 1 }, 0, 10),
      (store: ReturnType<typeof world>['store']) => store.acknowledge({ sid: 'one', conn: 1 }, 1),
      (store: ReturnType<typeof world>['store']) => reasonOf(store),
    ];
    for (const look of looks) {
      const { store, state } = world();
      await opened(store);
      await append(store, 'a');
      await append(store, 'b');
      state.sessions.get('one')!.outbox!.entries.pop();
      expect(['gone', 'regressed']).toContain(await look(store));
      expect(await reasonOf(store)).toBe('regressed');
    }
  });
});

describe('memoryStore', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('its one timer keeps no process alive', async () => {
    const timers = vi.spyOn(globalThis, 'setInterval');
    const store = memoryStore();
    const [timer] = timers.mock.results.map(({ value }) => value as NodeJS.Timeout);
    timers.mockRestore();
    expect(timer!.hasRef()).toBe(false);
    await store.close();
  });

  test('buries the expired by that timer, which ends with close', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    const store = memoryStore({ maxSessions: 1 });
    expect(vi.getTimerCount()).toBe(1);
    await opened(store, {}, { ...OPEN, ttl: 5_000 });
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(40_000);
    await opened(store, { sid: 'two' }, OPEN);
    expect(await reasonOf(store)).toBe('expired');
    await store.close();
    await store.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('nonsense is refused, naming the option', () => {
    const cases: [unknown, string][] = [
      [{ maxSessions: 0 }, 'maxSessions must be a positive whole number, got 0'],
      [{ maxSessions: 1.5 }, 'maxSessions must be a positive whole number, got 1.5'],
      [{ maxSession: 1 }, 'maxSession must be one of maxSessions, got 1'],
    ];
    for (const [options, message] of cases) {
      expect(() => memoryStore(options as MemoryStoreOptions)).toThrow(`INVALID_OPTION: ${message}`);
    }
  });
});
