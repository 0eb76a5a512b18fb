// What does every session store promise? One suite, for the store in memory and for that on Redis; see sessions/store.ts.

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type {
  Awaitable,
  EndReason,
  Lease,
  ResumeClaim,
  SessionBounds,
  SessionStore,
  StoreNews,
} from '@holdfast/server';

/** A store as two nodes see it, in a time that passes when it is told to. */
export interface StoreWorld {
  readonly store: SessionStore;
  /** The same sessions, from another process if the store has such; else the same store. */
  readonly elsewhere: SessionStore;
  /** It is so many milliseconds later. */
  advance(ms: number): Awaitable<void>;
  close(): Awaitable<void>;
}

/** Laws are tried at least 10 s of this away from each limit, so that real time may pass as well. */
export const TTL = 100_000;

export const BOUNDS: SessionBounds = { ttl: TTL, maxMessages: 4, maxBytes: 100, maxPerPrincipal: 2 };

const HASH = 'a'.repeat(64);

/** How long news may take, and how often a test looks. */
const PATIENCE = { timeout: 5_000, interval: 5 };

export function storeLaws(name: string, create: () => Awaitable<StoreWorld>): void {
  const world = async (): Promise<StoreWorld> => {
    const made = await create();
    onTestFinished(async () => made.close());
    return made;
  };

  describe(`${name}: open`, () => {
    test('makes a session whose first lease is 1', async () => {
      const { store } = await world();
      expect(await open(store)).toEqual({ sid: 'one', conn: 1 });
    });

    test('a sid names one session, ever: it is refused while that lives and after, and nothing is changed', async () => {
      const { store, advance } = await world();
      const lease = await opened(store);
      await append(store, 'a');
      expect(await open(store, { tokenHash: 'b'.repeat(64), principal: 'eve' })).toBe('limit');
      expect(await open(store)).toBe('limit');
      expect(await store.read(lease, 0, 10)).toHaveLength(1);
      await store.end(lease, 'ended', TTL);
      expect(await open(store)).toBe('limit');
      expect(await reasonOf(store)).toBe('ended');

      await opened(store, { sid: 'two' });
      await advance(TTL + 10_000);
      expect(await open(store, { sid: 'two' })).toBe('limit');
    });

    test('a principal has no more living sessions than he may, wherever they were opened; others have theirs', async () => {
      const { store, elsewhere } = await world();
      await opened(store, { sid: 'one' });
      await opened(elsewhere, { sid: 'two' });
      expect(await open(store, { sid: 'three' })).toBe('limit');
      expect(await open(elsewhere, { sid: 'three' })).toBe('limit');
      expect(await open(store, { sid: 'three', principal: 'grace' })).toMatchObject({ conn: 1 });
    });

    test('a refused sid takes nothing from the count, in either direction', async () => {
      const { store } = await world();
      await opened(store, { sid: 'one' });
      expect(await open(store, { sid: 'one' })).toBe('limit');
      await opened(store, { sid: 'two' });
      expect(await open(store, { sid: 'three' })).toBe('limit');
    });

    test('however a session ends, its place is free', async () => {
      const { store, elsewhere, advance } = await world();
      const endings: [EndReason, (lease: Lease) => Awaitable<unknown>][] = [
        ['ended', (lease) => store.end(lease, 'ended', TTL)],
        ['limit', ({ sid }) => elsewhere.end({ sid }, 'limit', TTL)],
        ['regressed', ({ sid }) => store.resume(claim({ sid, attempt: 2, received: 7 }), BOUNDS)],
        ['regressed', (lease) => store.read(lease, 7, 10, 7)],
        ['regressed', (lease) => store.acknowledge(lease, 7)],
        [
          'overflow',
          async (lease) => {
            await store.release(lease, TTL);
            await append(store, 'x'.repeat(101), lease.sid);
          },
        ],
        ['expired', () => advance(TTL + 10_000)],
      ];
      for (const [i, [reason, ending]] of endings.entries()) {
        const tight = { ...BOUNDS, maxPerPrincipal: 1 };
        const lease = await opened(store, { sid: `end-${i}` }, tight);
        await ending(lease);
        expect([reason, await reasonOf(store, { sid: lease.sid })]).toEqual([reason, reason]);
        await vi.waitFor(async () => {
          const next = await open(store, { sid: `next-${i}` }, tight);
          expect([reason, next]).toEqual([reason, { sid: `next-${i}`, conn: 1 }]);
        });
        await store.end({ sid: `next-${i}` }, 'ended', TTL);
      }
    });

    test('a session that is touched, resumed or released keeps its place for as long as it lives', async () => {
      const { store, advance } = await world();
      const tight = { ...BOUNDS, maxPerPrincipal: 1 };
      const lease = await opened(store, {}, tight);
      await advance(TTL - 10_000);
      await store.touch([lease], TTL);
      await advance(TTL - 10_000);
      expect(await open(store, { sid: 'two' }, tight)).toBe('limit');
      const next = await resumed(store, { attempt: 2 });
      await advance(TTL - 10_000);
      expect(await open(store, { sid: 'two' }, tight)).toBe('limit');
      await store.release(next, TTL);
      await advance(TTL - 10_000);
      expect(await open(store, { sid: 'two' }, tight)).toBe('limit');
      await advance(20_000);
      expect(await open(store, { sid: 'two' }, tight)).toMatchObject({ conn: 1 });
    });
  });

  describe(`${name}: resume`, () => {
    test('takes the lease with the positions of both sides; older leases are fenced everywhere', async () => {
      const { store, elsewhere } = await world();
      const lease = await opened(store);
      await store.begin(lease, 1, 2);
      await store.commit(lease, 1, 2);
      await append(store, 'a', 'one', 11);
      await append(elsewhere, 'b', 'one', 12);
      const outcome = await elsewhere.resume(
        claim({ attempt: 2, node: 'node-b', received: 1, tag: 11, acked: 1, sent: 3 }),
        BOUNDS,
      );
      expect(outcome).toEqual({ name: 'resumed', lease: { sid: 'one', conn: 2 }, committed: 2, stored: 2 });

      expect(await store.begin(lease, 3, 3)).toBe('fenced');
      expect(await store.commit(lease, 3, 3)).toBe('fenced');
      expect(await store.abandon(lease)).toBe('fenced');
      expect(await store.read(lease, 0, 10)).toBe('fenced');
      expect(await store.acknowledge(lease, 2)).toBe('fenced');
      expect(await store.touch([lease], TTL)).toEqual(['fenced']);
      expect(await store.release(lease, TTL)).toBe('fenced');
      expect(await store.end(lease, 'ended', TTL)).toEqual({ standing: 'fenced', undelivered: [] });
      const next = { sid: 'one', conn: 2 };
      expect(await store.read(next, 1, 10, 11)).toEqual([{ seq: 2, tag: 12, data: 'b' }]);
      expect(await store.commit(next, 3, 3)).toBe('ok');
    });

    test('1. nothing to resume: unknown, or why it ended', async () => {
      const { store, advance } = await world();
      expect(await reasonOf(store, { sid: 'never' })).toBe('unknown');
      await opened(store, { sid: 'one' });
      await opened(store, { sid: 'two' });
      await store.end({ sid: 'one' }, 'limit', TTL);
      await advance(TTL + 10_000);
      expect(await reasonOf(store, { sid: 'one' })).toBe('limit');
      expect(await reasonOf(store, { sid: 'two' })).toBe('expired');
      // whoever asks, since who knows a sid that has ended may know how
      expect(await reasonOf(store, { sid: 'two', tokenHash: 'b'.repeat(64), principal: 'eve', attempt: 1 })).toBe(
        'expired',
      );
    });

    test('2. another token or another principal: unauthorized, before anything else is told, and nothing is touched', async () => {
      const { store, advance } = await world();
      const lease = await opened(store);
      await store.begin(lease, 1, 1);
      const heard = await listen(store, 'node-a');
      const strangers = [{ tokenHash: 'b'.repeat(64) }, { tokenHash: '' }, { principal: 'eve' }, { principal: '' }];
      for (const stranger of strangers) {
        for (const more of [{ attempt: 1 }, { attempt: 2 }, { attempt: 9, received: 7, force: true }]) {
          expect(await reasonOf(store, { ...stranger, ...more })).toBe('unauthorized');
        }
      }
      expect(await store.commit(lease, 1, 1)).toBe('ok');
      expect(await heard.all()).toEqual([]);
      await advance(TTL - 10_000);
      expect(await reasonOf(store, { principal: 'eve' })).toBe('unauthorized');
      await advance(20_000);
      expect(await store.begin(lease, 2, 2)).toBe('gone');
    });

    test('principals and hashes are compared as they are, also where they look like numbers', async () => {
      const { store } = await world();
      await opened(store, { sid: 'one', tokenHash: '1'.repeat(64), principal: '007' });
      expect(await reasonOf(store, { tokenHash: '1'.repeat(64), principal: '7' })).toBe('unauthorized');
      expect(await reasonOf(store, { tokenHash: `${'1'.repeat(63)}2`, principal: '007' })).toBe('unauthorized');
      await resumed(store, { tokenHash: '1'.repeat(64), principal: '007', attempt: 2 });
      await opened(store, { sid: 'two', principal: 'a\ud800' });
      expect(await reasonOf(store, { sid: 'two', principal: 'a\ud801' })).toBe('unauthorized');
      await resumed(store, { sid: 'two', principal: 'a\ud800', attempt: 2 });
    });

    test('3. an attempt that is not newer is stale and touches nothing, whatever it claims', async () => {
      const { store } = await world();
      const lease = await opened(store, { attempt: 5 });
      await store.begin(lease, 1, 1);
      for (const attempt of [1, 5]) {
        expect(await store.resume(claim({ attempt, force: true, received: 9 }), BOUNDS)).toEqual({ name: 'stale' });
      }
      expect(await store.commit(lease, 1, 1)).toBe('ok');
      await resumed(store, { attempt: 6, sent: 1 });
    });

    test('3. so is an attempt of a holder whose place another has taken, however new it is', async () => {
      const { store } = await world();
      const lease = await opened(store, { holders: [7] });
      await store.begin(lease, 1, 1);
      await store.commit(lease, 1, 1);
      const next = await resumed(store, { attempt: 2, holders: [7, 8], sent: 1 });
      for (const holders of [[7], [9], [7, 9], [0]]) {
        expect(await store.resume(claim({ attempt: 9, holders, sent: 1, force: true }), BOUNDS)).toEqual({
          name: 'stale',
        });
      }
      expect(await store.begin(next, 2, 2)).toBe('ok'); // nothing was touched
      await store.abandon(next);
      await resumed(store, { attempt: 3, holders: [8], sent: 2 });
    });

    test('3. whoever comes in the place of another names all that may have been the last, and there may be many', async () => {
      const { store } = await world();
      const many = Array.from({ length: 15 }, (_, i) => 2 ** 32 - 1 - i);
      await opened(store, { holders: [4, many[9]!] }); // the last of them is who asks
      await resumed(store, { attempt: 2, holders: [...many, 5] });
      expect(await reasonOf(store, { holders: many })).toBe('stale');
      await resumed(store, { attempt: 3, holders: [5] });
    });

    test('4. while a handler is in flight: busy, the owner hears yield, and the same attempt may ask again', async () => {
      const { store, elsewhere } = await world();
      const lease = await opened(store);
      const heard = await listen(store, 'node-a');
      await store.begin(lease, 1, 3);
      const mine = claim({ attempt: 2, node: 'node-b', sent: 3 });
      expect(await elsewhere.resume(mine, BOUNDS)).toEqual({ name: 'busy' });
      expect(await heard.next()).toEqual({ name: 'yield', sid: 'one' });
      expect(await store.commit(lease, 1, 2)).toBe('ok');
      expect(await elsewhere.resume(mine, BOUNDS)).toEqual({ name: 'busy' });
      expect(await store.commit(lease, 3, 3)).toBe('ok');
      expect(await elsewhere.resume(mine, BOUNDS)).toMatchObject({ name: 'resumed', committed: 3 });
    });

    test('busy ends with abandon, and also when the lease was released in between', async () => {
      const { store } = await world();
      const lease = await opened(store);
      await store.begin(lease, 1, 1);
      await store.release(lease, TTL);
      expect(await store.resume(claim({ attempt: 2, sent: 1 }), BOUNDS)).toEqual({ name: 'busy' });
      expect(await store.abandon(lease)).toBe('ok');
      const next = await resumed(store, { attempt: 2, sent: 1 });
      expect(await store.begin(next, 1, 1)).toBe('ok');
    });

    test('after a crash in a handler, force takes the lease; the handler’s commit has no effect, and nothing is in flight', async () => {
      const { store } = await world();
      const lease = await opened(store);
      await store.begin(lease, 1, 1);
      const next = await resumed(store, { attempt: 2, sent: 1, force: true });
      expect(await store.commit(lease, 1, 1)).toBe('fenced');
      const after = await resumed(store, { attempt: 3, sent: 1 });
      expect(await store.commit(next, 1, 1)).toBe('fenced');
      expect(await store.begin(after, 1, 1)).toBe('ok');
    });

    test('5. claims that contradict the store end the session as regressed', async () => {
      const { store } = await world();
      const contradictions: Partial<ResumeClaim>[] = [
        { received: 0, tag: 0 }, // 1 was acknowledged
        { received: 4, tag: 14 }, // 3 are stored
        { received: 2, tag: 99 }, // another message 2
        { received: 1, tag: 12 }, // another message 1, the last acknowledged one
        { received: 2, tag: 12, acked: 3 }, // 2 are committed
        { received: 2, tag: 12, sent: 1 },
      ];
      for (const [i, contradiction] of contradictions.entries()) {
        const sid = `s${i}`;
        const lease = await opened(store, { sid, principal: sid });
        const heard = await listen(store, 'node-a');
        await store.commit(lease, 1, 2);
        for (const seq of [1, 2, 3]) await append(store, 'x', sid, 10 + seq);
        await store.acknowledge(lease, 1);
        const agreeing = { sid, principal: sid, attempt: 2, acked: 2, sent: 2 };
        expect([i, await reasonOf(store, { ...agreeing, ...contradiction })]).toEqual([i, 'regressed']);
        expect([i, await reasonOf(store, { ...agreeing, received: 2, tag: 12 })]).toEqual([i, 'regressed']);
        expect(await store.touch([lease], TTL)).toEqual(['gone']);
        await heard.until((news) => expect(news).toContainEqual({ name: 'gone', sid, reason: 'regressed' }));
      }
    });

    test('… and so does one that has sent less than was ever begun, whatever became of that', async () => {
      const { store } = await world();
      const ends: readonly ((lease: Lease) => unknown)[] = [
        () => {}, // the node has crashed
        (lease) => store.abandon(lease),
        ({ sid }) => resumed(store, { sid, principal: sid, attempt: 2, sent: 3, force: true }),
      ];
      for (const [i, end] of ends.entries()) {
        for (const sent of [2, 3]) {
          const sid = `s${i}-${sent}`;
          const lease = await opened(store, { sid, principal: sid });
          await store.begin(lease, 1, 3);
          await end(lease);
          const claimed = claim({ sid, principal: sid, attempt: 3, sent, force: true });
          const { name } = await store.resume(claimed, BOUNDS);
          expect([sid, name]).toEqual([sid, sent === 2 ? 'lost' : 'resumed']);
        }
      }
    });

    test('… and claims at either edge of what is possible agree with it', async () => {
      const { store } = await world();
      const possible: Partial<ResumeClaim>[] = [
        { received: 1, tag: 11 },
        { received: 3, tag: 13 },
        { received: 2, tag: 12, acked: 0 },
        { received: 2, tag: 12, acked: 2, sent: 2 },
        { received: 2, tag: 12, sent: 99 },
      ];
      for (const [i, edge] of possible.entries()) {
        const sid = `s${i}`;
        const lease = await opened(store, { sid, principal: sid });
        await store.commit(lease, 1, 2);
        for (const seq of [1, 2, 3]) await append(store, 'x', sid, 10 + seq);
        await store.acknowledge(lease, 1);
        const outcome = await store.resume(
          claim({ sid, principal: sid, attempt: 2, acked: 1, sent: 3, ...edge }),
          BOUNDS,
        );
        expect([i, outcome]).toEqual([i, { ...outcome, name: 'resumed', committed: 2, stored: 3 }]);
      }
    });

    test('6. what the client says it has is acknowledged with it', async () => {
      const { store } = await world();
      const lease = await opened(store);
      for (const seq of [1, 2, 3, 4]) await append(store, 'x', 'one', 10 + seq);
      expect(await append(store, 'x')).toEqual({ name: 'full' });
      const next = await resumed(store, { attempt: 2, received: 3, tag: 13 });
      expect(next.conn).toBe(lease.conn + 1);
      expect(await append(store, 'y', 'one', 15)).toMatchObject({ name: 'stored', seq: 5 });
      expect(seqs(await store.read(next, 3, 10, 13))).toEqual([4, 5]);
      await resumed(store, { attempt: 3, received: 5, tag: 15 });
      expect(await reasonOf(store, { attempt: 4, received: 4, tag: 14 })).toBe('regressed');
    });

    test('another node that had the lease hears gone; the same one does not', async () => {
      const { store, elsewhere } = await world();
      await opened(store);
      const heard = await listen(store, 'node-a');
      await resumed(elsewhere, { attempt: 2, node: 'node-a' });
      await resumed(elsewhere, { attempt: 3, node: 'node-b' });
      await heard.until((news) => expect(news).toEqual([{ name: 'gone', sid: 'one' }]));
    });
  });

  describe(`${name}: the way in`, () => {
    test('each position is begun and committed once, in order', async () => {
      const { store } = await world();
      const lease = await opened(store);
      for (const step of ['begin', 'commit'] as const) {
        expect(await store[step](lease, 2, 2)).toBe('gap');
        expect(await store[step](lease, 0, 0)).toBe('duplicate');
        expect(await store[step](lease, 1, 0)).toBe('duplicate');
      }
      expect(await store.begin(lease, 1, 3)).toBe('ok');
      expect(await store.commit(lease, 1, 3)).toBe('ok');
      for (const step of ['begin', 'commit'] as const) {
        expect(await store[step](lease, 1, 3)).toBe('duplicate');
        expect(await store[step](lease, 3, 4)).toBe('duplicate');
        expect(await store[step](lease, 5, 5)).toBe('gap');
        expect(await store[step](lease, 4, 3)).toBe('duplicate');
      }
      expect(await store.begin(lease, 4, 4)).toBe('ok');
    });

    test('what was begun may be begun again, as after an answer that was lost', async () => {
      const { store } = await world();
      const lease = await opened(store);
      expect(await store.begin(lease, 1, 1)).toBe('ok');
      expect(await store.begin(lease, 1, 2)).toBe('ok');
      expect(await store.commit(lease, 1, 2)).toBe('ok');
    });

    test('numbers up to 2^48 keep every digit', async () => {
      const { store } = await world();
      const lease = await opened(store, { attempt: 2 ** 48 - 2 });
      const far = 2 ** 48 - 1;
      expect(await store.begin(lease, 1, far - 1)).toBe('ok');
      expect(await store.commit(lease, 1, far - 1)).toBe('ok');
      expect(await store.commit(lease, far - 1, far)).toBe('duplicate');
      expect(await store.commit(lease, far, far)).toBe('ok');
      const outcome = await store.resume(claim({ attempt: far, acked: far, sent: far }), BOUNDS);
      expect(outcome).toMatchObject({ name: 'resumed', committed: far });
      expect(await store.resume(claim({ attempt: far, acked: far, sent: far }), BOUNDS)).toEqual({ name: 'stale' });
    });

    test('a transaction that the store cannot commit in is refused, and nothing is committed', async () => {
      const { store } = await world();
      const lease = await opened(store);
      await expect((async () => store.commit(lease, 1, 1, {}))()).rejects.toMatchObject({ code: 'INVALID_OPTION' });
      expect(await store.commit(lease, 1, 1)).toBe('ok');
    });
  });

  describe(`${name}: the way out`, () => {
    test('messages get their numbers in the order in which they were given, from any node; the owner hears of each', async () => {
      const { store, elsewhere } = await world();
      const lease = await opened(store);
      const heard = await listen(store, 'node-a');
      expect(await append(elsewhere, 'a', 'one', 1)).toMatchObject({ name: 'stored', seq: 1 });
      expect(await append(store, 'b', 'one', 2 ** 32 - 1)).toMatchObject({ name: 'stored', seq: 2 });
      await heard.until((news) =>
        expect(news).toEqual([
          { name: 'appended', sid: 'one', seq: 1 },
          { name: 'appended', sid: 'one', seq: 2 },
        ]),
      );
      expect(await store.read(lease, 0, 10, 0)).toEqual([
        { seq: 1, tag: 1, data: 'a' },
        { seq: 2, tag: 2 ** 32 - 1, data: 'b' },
      ]);
    });

    test('a burst keeps its order without anybody waiting', async () => {
      const { store } = await world();
      const lease = await opened(store);
      const bounds = { ...BOUNDS, maxMessages: 1_000, maxBytes: 1_000_000 };
      const answers = await Promise.all(
        Array.from({ length: 500 }, async (_, i) => store.append('one', { tag: i, data: String(i) }, 3, bounds)),
      );
      expect(answers).toEqual(answers.map((_, i) => ({ name: 'stored', seq: i + 1, before: Math.max(0, i - 1) })));
      const entries = await store.read(lease, 0, 1_000, 0);
      expect(entries).toEqual(answers.map((_, i) => ({ seq: i + 1, tag: i, data: String(i) })));
    });

    test('text and binary come back as they were at the time of the call', async () => {
      const { store } = await world();
      const lease = await opened(store);
      const wide = { ...BOUNDS, maxMessages: 100, maxBytes: 1_000_000 };
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
      const whole = new Uint8Array([9, 8, 7, 6, 5]);
      const given = [
        '',
        'text',
        'ünï ⚓ 🪢 漢',
        '\0\r\n*3$',
        't',
        'e',
        '{}',
        'x'.repeat(70_000),
        new Uint8Array(0),
        bytes.slice(),
      ];
      for (const data of given) await store.append('one', { tag: 1, data }, 1, wide);
      const storing = store.append('one', { tag: 1, data: whole.subarray(1, 3) }, 2, wide);
      whole.fill(0);
      await storing;
      await store.append('one', { tag: 1, data: Buffer.from('buffer') }, 6, wide);
      const entries = await store.read(lease, 0, 100, 0);
      expect(Array.isArray(entries) && entries.map(({ data }) => data)).toEqual([
        ...given.slice(0, -1),
        bytes,
        new Uint8Array([8, 7]),
        new Uint8Array(Buffer.from('buffer')),
      ]);
    });

    test('who stores a message is told the tag of the one before it, acknowledged or not', async () => {
      const { store } = await world();
      const lease = await opened(store);
      expect(await append(store, 'a', 'one', 2 ** 32 - 1)).toEqual({ name: 'stored', seq: 1, before: 0 });
      expect(await append(store, 'b', 'one', 12)).toEqual({ name: 'stored', seq: 2, before: 2 ** 32 - 1 });
      await store.acknowledge(lease, 2);
      expect(await append(store, 'c', 'one', 13)).toEqual({ name: 'stored', seq: 3, before: 12 });
    });

    test('read gives what comes after, at most so many', async () => {
      const { store } = await world();
      const lease = await opened(store);
      for (const seq of [1, 2, 3, 4]) await append(store, String(seq), 'one', seq);
      expect(seqs(await store.read(lease, 0, 2))).toEqual([1, 2]);
      expect(seqs(await store.read(lease, 2, 10))).toEqual([3, 4]);
      expect(seqs(await store.read(lease, 4, 10))).toEqual([]);
      await store.acknowledge(lease, 3);
      expect(seqs(await store.read(lease, 0, 10))).toEqual([4]);
      expect(seqs(await store.read(lease, 3, 10, 3))).toEqual([4]);
    });

    test('read finds out that the store went back in time under a living lease, and ends what it cannot mend', async () => {
      const { store, elsewhere } = await world();
      const doubts: [number, number | undefined][] = [
        [2, 99], // another message 2 than the one that was sent
        [1, 99], // another 1, the last acknowledged one
        [4, 14], // never stored
        [4, undefined],
      ];
      for (const [i, [after, tag]] of doubts.entries()) {
        const sid = `s${i}`;
        const lease = await opened(store, { sid, principal: sid });
        for (const seq of [1, 2, 3]) await append(elsewhere, 'x', sid, 10 + seq);
        await store.acknowledge(lease, 1);
        expect(seqs(await store.read(lease, 2, 10, 12))).toEqual([3]);
        expect(seqs(await store.read(lease, 1, 10, 11))).toEqual([2, 3]);
        expect([i, await store.read(lease, after, 10, tag)]).toEqual([i, 'gone']);
        expect([i, await reasonOf(store, { sid, principal: sid })]).toEqual([i, 'regressed']);
      }
    });

    test('acknowledged is forgotten, and never moves back', async () => {
      const { store } = await world();
      const lease = await opened(store);
      for (const seq of [1, 2, 3]) await append(store, 'x', 'one', 10 + seq);
      expect(await store.acknowledge(lease, 2)).toBe('ok');
      expect(await store.acknowledge(lease, 1)).toBe('ok');
      expect(await store.acknowledge(lease, 0)).toBe('ok');
      expect(await store.read(lease, 0, 10)).toEqual([{ seq: 3, tag: 13, data: 'x' }]);
      expect(await store.acknowledge(lease, 3)).toBe('ok');
      expect(await append(store, 'y', 'one', 14)).toMatchObject({ name: 'stored', seq: 4 });
      await resumed(store, { attempt: 2, received: 3, tag: 13 });
    });

    test('an acknowledgement of what was never stored ends the session as regressed', async () => {
      const { store } = await world();
      const lease = await opened(store);
      await append(store, 'x');
      expect(await store.acknowledge(lease, 2)).toBe('gone');
      expect(await reasonOf(store)).toBe('regressed');
    });

    test('at either bound nothing is stored while a client is there; acknowledging makes room', async () => {
      const { store } = await world();
      const lease = await opened(store);
      for (const seq of [1, 2, 3, 4]) await append(store, 'x', 'one', seq);
      expect(await append(store, 'x')).toEqual({ name: 'full' });
      await store.acknowledge(lease, 3);
      expect(await append(store, 'x'.repeat(99))).toMatchObject({ name: 'stored', seq: 5 });
      expect(await append(store, 'x')).toEqual({ name: 'full' });
      expect(await append(store, '')).toMatchObject({ name: 'stored', seq: 6 });
      await store.acknowledge(lease, 5);
      expect(await append(store, 'x'.repeat(101))).toEqual({ name: 'full' });
      expect(await append(store, 'x'.repeat(100))).toMatchObject({ name: 'stored', seq: 7 });
    });

    test('at a bound with no client the session ends as overflow; a release alone ends nothing', async () => {
      const { store } = await world();
      const lease = await opened(store);
      for (const seq of [1, 2, 3, 4]) await append(store, 'x', 'one', seq);
      expect(await store.release(lease, TTL)).toBe('ok');
      const [first, second] = await Promise.all([append(store, 'x'), append(store, 'x')]);
      const undelivered = [1, 2, 3, 4].map((seq) => ({ seq, tag: seq, data: 'x' }));
      expect(first).toEqual({ name: 'overflow', undelivered });
      expect(second).toEqual({ name: 'gone' });
      expect(await reasonOf(store)).toBe('overflow');
      expect(await append(store, 'x')).toEqual({ name: 'gone' });
    });

    test('a client that came back counts again', async () => {
      const { store } = await world();
      const lease = await opened(store);
      await store.release(lease, TTL);
      await resumed(store, { attempt: 2 });
      for (const seq of [1, 2, 3, 4]) await append(store, 'x', 'one', seq);
      expect(await append(store, 'x')).toEqual({ name: 'full' });
    });

    test('nobody’s session takes no message', async () => {
      const { store } = await world();
      expect(await append(store, 'x', 'never')).toEqual({ name: 'gone' });
      expect(await append(store, 'x', '')).toEqual({ name: 'gone' });
    });
  });

  describe(`${name}: life and end`, () => {
    test('a session lives for ttl after open, touch, resume and release, and nothing else prolongs it', async () => {
      const { store, advance } = await world();
      const lease = await opened(store);
      const almost = () => advance(TTL - 10_000);
      await almost();
      expect(await store.touch([lease], TTL)).toEqual(['ok']);
      await almost();
      const next = await resumed(store, { attempt: 2 });
      await almost();
      expect(await store.release(next, TTL)).toBe('ok');
      await almost();
      expect(await append(store, 'x', 'one', 5)).toMatchObject({ name: 'stored', seq: 1 });
      expect(await store.begin(next, 1, 1)).toBe('ok');
      expect(await store.commit(next, 1, 1)).toBe('ok');
      expect(await store.abandon(next)).toBe('ok');
      expect(seqs(await store.read(next, 0, 10, 0))).toEqual([1]);
      expect(await store.acknowledge(next, 1)).toBe('ok');
      await advance(20_000);
      expect(await store.begin(next, 2, 2)).toBe('gone');
      expect(await store.commit(next, 2, 2)).toBe('gone');
      expect(await store.abandon(next)).toBe('gone');
      expect(await store.read(next, 1, 10)).toBe('gone');
      expect(await store.acknowledge(next, 1)).toBe('gone');
      expect(await store.touch([next], TTL)).toEqual(['gone']);
      expect(await store.release(next, TTL)).toBe('gone');
      expect(await append(store, 'x')).toEqual({ name: 'gone' });
      expect(await store.end({ sid: 'one' }, 'ended', TTL)).toEqual({ standing: 'gone', undelivered: [] });
      expect(await reasonOf(store)).toBe('expired');
    });

    test('messages that wait live as long as their session, and no shorter', async () => {
      const { store, advance } = await world();
      const lease = await opened(store);
      await append(store, 'a', 'one', 11);
      await advance(TTL - 10_000);
      await store.touch([lease], TTL);
      await advance(TTL - 10_000);
      await append(store, 'b', 'one', 12);
      const next = await resumed(store, { attempt: 2 });
      await advance(TTL - 10_000);
      expect(seqs(await store.read(next, 0, 10, 0))).toEqual([1, 2]);
    });

    test('touch answers for each lease, in order', async () => {
      const { store } = await world();
      const one = await opened(store, { sid: 'one' });
      const two = await opened(store, { sid: 'two' });
      await resumed(store, { sid: 'two', attempt: 2 });
      const never = { sid: 'never', conn: 1 };
      expect(await store.touch([two, one, never, one], TTL)).toEqual(['fenced', 'ok', 'gone', 'ok']);
      expect(await store.touch([], TTL)).toEqual([]);
    });

    test('a tombstone says why for ten times the ttl, and then no more', async () => {
      const { store, advance } = await world();
      await opened(store, { sid: 'one' });
      await opened(store, { sid: 'two' });
      await store.end({ sid: 'one' }, 'ended', TTL);
      await advance(10 * TTL - 10_000);
      expect(await reasonOf(store, { sid: 'one' })).toBe('ended');
      expect(await reasonOf(store, { sid: 'two' })).toBe('expired');
      await advance(20_000);
      expect(await reasonOf(store, { sid: 'one' })).toBe('unknown');
      await advance(TTL);
      expect(await reasonOf(store, { sid: 'two' })).toBe('unknown');
    });

    test('an end answers what was never acknowledged, and leaves nothing', async () => {
      const { store, elsewhere } = await world();
      const lease = await opened(store);
      for (const seq of [1, 2, 3]) await append(store, String(seq), 'one', 10 + seq);
      await store.acknowledge(lease, 1);
      expect(await elsewhere.end(lease, 'ended', TTL)).toEqual({
        standing: 'ok',
        undelivered: [
          { seq: 2, tag: 12, data: '2' },
          { seq: 3, tag: 13, data: '3' },
        ],
      });
      expect(await store.end(lease, 'ended', TTL)).toEqual({ standing: 'gone', undelivered: [] });
      expect(await store.read(lease, 0, 10)).toBe('gone');
    });

    test('who ends a session without its lease tells the owner why; who has it does not tell himself', async () => {
      const { store, elsewhere } = await world();
      await opened(store, { sid: 'one' });
      const two = await opened(store, { sid: 'two' });
      const heard = await listen(store, 'node-a');
      await elsewhere.end({ sid: 'one' }, 'limit', TTL);
      await store.end(two, 'ended', TTL);
      await heard.until((news) => expect(news).toEqual([{ name: 'gone', sid: 'one', reason: 'limit' }]));
    });
  });

  describe(`${name}: news`, () => {
    test('go to the node that they are for, to all who listen there, until they stop', async () => {
      const { store } = await world();
      await opened(store);
      const first = await listen(store, 'node-a');
      const second = await listen(store, 'node-a');
      const others = await listen(store, 'node-b');
      await append(store, 'a');
      const news = { name: 'appended', sid: 'one', seq: 1 };
      expect(await first.next()).toEqual(news);
      expect(await second.next()).toEqual(news);
      first.stop();
      first.stop();
      await append(store, 'b');
      expect(await second.next()).toEqual({ ...news, seq: 2 });
      expect(first.heard()).toEqual([]);
      expect(await others.all()).toEqual([]);
    });

    test('a node without a client hears nothing of what is stored', async () => {
      const { store } = await world();
      const lease = await opened(store);
      const heard = await listen(store, 'node-a');
      await store.release(lease, TTL);
      await append(store, 'a');
      expect(await heard.all()).toEqual([]);
    });

    test('close may be called twice', async () => {
      const { store } = await world();
      expect(await store.close()).toBeUndefined();
      expect(await store.close()).toBeUndefined();
    });
  });
}

export const request = (more: Partial<ResumeClaim> = {}) => ({
  sid: 'one',
  tokenHash: HASH,
  principal: 'ada',
  attempt: 1,
  holders: [1],
  node: 'node-a',
  ...more,
});

export const claim = (more: Partial<ResumeClaim> = {}): ResumeClaim => ({
  ...request(),
  received: 0,
  tag: 0,
  acked: 0,
  sent: 0,
  force: false,
  ...more,
});

const open = (store: SessionStore, more: Partial<ResumeClaim> = {}, bounds = BOUNDS) =>
  store.open(request(more), bounds);

export async function opened(store: SessionStore, more: Partial<ResumeClaim> = {}, bounds = BOUNDS): Promise<Lease> {
  const lease = await open(store, more, bounds);
  if (lease === 'limit') throw new Error('there was no room for the session');
  return lease;
}

export async function resumed(store: SessionStore, more: Partial<ResumeClaim>): Promise<Lease> {
  const outcome = await store.resume(claim(more), BOUNDS);
  if (outcome.name !== 'resumed') throw new Error(`not resumed: ${JSON.stringify(outcome)}`);
  return outcome.lease;
}

/** Why a session cannot be resumed, or what else came of it. */
export async function reasonOf(store: SessionStore, more: Partial<ResumeClaim> = {}): Promise<string> {
  const outcome = await store.resume(claim({ attempt: 1_000, ...more }), BOUNDS);
  return outcome.name === 'lost' ? outcome.reason : outcome.name;
}

export const append = (store: SessionStore, data: string, sid = 'one', tag = 1) =>
  store.append(sid, { tag, data }, data.length, BOUNDS);

const seqs = (entries: Awaited<ReturnType<SessionStore['read']>>) =>
  typeof entries === 'string' ? entries : entries.map(({ seq }) => seq);

/** News are told some time later by some stores; where none are expected, a message of the test's own marks that time. */
export async function listen(store: SessionStore, node: string) {
  const probe = `probe-${Math.random().toString(36).slice(2)}`;
  await opened(store, { sid: probe, principal: probe, node }, { ...BOUNDS, maxMessages: 10_000 });
  const news: StoreNews[] = [];
  let marks = 0;
  const stop = store.watch(node, (one) => {
    if (one.sid === probe) marks++;
    else if (!one.sid.startsWith('probe-')) news.push(one);
  });
  onTestFinished(stop);
  // a subscription takes its time
  await vi.waitFor(async () => {
    await mark();
    expect(marks).toBeGreaterThan(0);
  }, PATIENCE);
  return {
    stop,
    heard: () => news.splice(0),
    async next(): Promise<StoreNews | undefined> {
      await vi.waitFor(() => expect(news).not.toEqual([]), PATIENCE);
      return news.shift();
    },
    /** Until all that is expected has been told. */
    until: (isTold: (news: readonly StoreNews[]) => void) => vi.waitFor(() => isTold(news), PATIENCE),
    /** What has been told by now, if anything has; in a cluster some may still be under way. */
    async all(): Promise<StoreNews[]> {
      const before = marks;
      await mark();
      await vi.waitFor(() => expect(marks).toBeGreaterThan(before), PATIENCE);
      return news.splice(0);
    },
  };

  async function mark(): Promise<void> {
    await store.append(probe, { tag: 1, data: '' }, 0, { ...BOUNDS, maxMessages: 10_000 });
  }
}
