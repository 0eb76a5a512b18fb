// How does a session store keep its promises on Redis?

import { HoldfastError } from '@holdfast/core';
import type { AppendOutcome, EndReason, Progress, SessionStore, Standing } from '@holdfast/server';
import { createAppends } from './appends.ts';
import { createRunner, dial } from './client.ts';
import { createKeys, isSid, nameOf } from './keys.ts';
import { createNewsstand } from './news.ts';
import { readOptions, type RedisStoreOptions } from './options.ts';
import { toEntry, toFields } from './payload.ts';
import { END, OPEN, RELEASE, RESUME, TOUCH } from './scripts/lease.ts';
import { ACKNOWLEDGE, APPEND, READ } from './scripts/outbox.ts';
import { ABANDON, BEGIN, COMMIT } from './scripts/positions.ts';
import { KEEP_SEATS, LEAVE_SEATS, TAKE_SEAT } from './scripts/seats.ts';

/**
 * Sessions in Redis 7 or newer, or a Redis Cluster: they survive restarts of your servers, and a client can resume on any of
 * them. Each operation is one script, so nothing is half done. How much survives a restart of Redis is a matter of its
 * settings; see the README. It cannot commit in a transaction.
 *
 * An operation rejects when Redis refuses it, cannot be reached, or has not answered in time.
 * @throws INVALID_OPTION
 */
export function redisStore(options: RedisStoreOptions): SessionStore {
  const { place, prefix, timeout } = readOptions(options);
  const { client, connected } =
    place.name === 'own' ? dial(place.url, timeout) : { client: place.client, connected: undefined };
  const keys = createKeys(prefix);
  const { channels } = keys;
  const { run, runForBytes } = createRunner(client, connected, timeout);
  const newsstand = createNewsstand(client, channels);
  let isClosed = false;

  const append = createAppends(async (sid, messages) => {
    const { ttl, maxMessages, maxBytes } = messages[0]!.bounds;
    const args = messages.flatMap(({ tag, bytes, fields }) => [tag, bytes, ...fields]);
    const reply = await runForBytes(APPEND, keys.ofSession(sid), [
      channels,
      sid,
      whole(ttl),
      maxMessages,
      maxBytes,
      ...args,
    ]);
    const [principal, tagBefore, ended, ...answers] = reply as [Buffer, number, unknown[], ...number[]];
    if (answers.includes(OVERFLOW)) void leaveSeat(String(principal), sid);
    let before = tagBefore;
    return answers.map((answer, i): AppendOutcome => {
      if (answer > 0) {
        const outcome = { name: 'stored', seq: answer, before } as const;
        before = messages[i]!.tag;
        return outcome;
      }
      if (answer === OVERFLOW) return { name: 'overflow', undelivered: ended.map(toEntry) };
      return { name: answer === FULL ? 'full' : 'gone' };
    });
  });

  return {
    /**
     * Two steps, since a principal's seats are in another slot than the session: first a seat, then the session. What fails
     * between the two leaves a seat that nobody sits on, for one ttl: a principal may then open fewer, never more.
     */
    async open({ sid, tokenHash, principal, attempt, holders, node }, { ttl, maxPerPrincipal }) {
      if (!isSid(sid)) {
        throw new HoldfastError('INVALID_OPTION', 'sid must be 1 to 128 of A-Z a-z 0-9 _ -', { value: sid });
      }
      const name = nameOf(principal);
      const seat = await run(TAKE_SEAT, keys.seatsOf(name), [sid, whole(ttl), maxPerPrincipal]);
      if (seat === 0) return 'limit';
      const isNew = await run(OPEN, keys.ofSession(sid), [tokenHash, name, attempt, holders.at(-1)!, node, whole(ttl)]);
      if (isNew === 1) return { sid, conn: 1 };
      if (seat === 1) void leaveSeat(name, sid);
      return 'limit';
    },

    async resume(claim, { ttl }) {
      const { sid, tokenHash, attempt, holders, node, received, tag, acked, sent, force } = claim;
      if (!isSid(sid)) return { name: 'lost', reason: 'unknown' };
      const principal = nameOf(claim.principal);
      const claimed = [tokenHash, principal, attempt, node, received, tag, acked, sent, force ? 1 : 0];
      const reply = await run(RESUME, keys.ofSession(sid), [...claimed, whole(ttl), channels, sid, ...holders]);
      const [name, ...rest] = reply as Resumption;
      switch (name) {
        case 'resumed': {
          const [conn, committed, stored] = rest as [number, number, number];
          void keepSeats(principal, [sid], ttl, 'again');
          return { name, lease: { sid, conn }, committed, stored };
        }
        case 'lost': {
          const [reason] = rest as [EndReason];
          if (reason === 'regressed') void leaveSeat(principal, sid);
          return { name, reason };
        }
        case 'stale':
        case 'busy':
          return { name };
      }
    },

    begin: async ({ sid, conn }, from, to) => (await run(BEGIN, keys.ofSession(sid), [conn, from, to])) as Progress,

    async commit({ sid, conn }, from, to, transaction) {
      if (transaction !== undefined) {
        throw new HoldfastError('INVALID_OPTION', 'transaction must be left out: Redis cannot commit in one of yours');
      }
      return (await run(COMMIT, keys.ofSession(sid), [conn, from, to])) as Progress;
    },

    abandon: async ({ sid, conn }) => (await run(ABANDON, keys.ofSession(sid), [conn])) as Standing,

    async append(sid, { tag, data }, bytes, bounds) {
      return isSid(sid) ? append(sid, { tag, bytes, fields: toFields(data), bounds }) : { name: 'gone' };
    },

    async read({ sid, conn }, after, limit, tag) {
      const reply = await runForBytes(READ, keys.ofSession(sid), [conn, after, limit, tag ?? '']);
      const [standing, principal, entries] = reply as [Buffer, Buffer?, unknown[]?];
      if (entries !== undefined) return entries.map(toEntry);
      if (principal !== undefined) void leaveSeat(String(principal), sid);
      return String(standing) as 'fenced' | 'gone';
    },

    async acknowledge({ sid, conn }, seq) {
      const reply = await run(ACKNOWLEDGE, keys.ofSession(sid), [conn, seq]);
      const [standing, principal] = reply as Stood;
      if (principal !== undefined) void leaveSeat(principal, sid);
      return standing;
    },

    /** All at once: the client writes them together, and each node of a cluster answers for its own. */
    async touch(leases, ttl) {
      const replies = await Promise.all(
        leases.map(({ sid, conn }) => run(TOUCH, keys.ofSession(sid), [conn, whole(ttl)]) as Promise<Stood>),
      );
      const sidsOf = new Map<string, string[]>();
      replies.forEach(([, principal], i) => {
        if (principal === undefined) return;
        const sids = sidsOf.get(principal);
        if (sids === undefined) sidsOf.set(principal, [leases[i]!.sid]);
        else sids.push(leases[i]!.sid);
      });
      for (const [principal, sids] of sidsOf) void keepSeats(principal, sids, ttl, 'kept');
      return replies.map(([standing]) => standing);
    },

    async release({ sid, conn }, ttl) {
      const [standing, principal] = (await run(RELEASE, keys.ofSession(sid), [conn, whole(ttl)])) as Stood;
      if (principal !== undefined) void keepSeats(principal, [sid], ttl, 'kept');
      return standing;
    },

    async end(session, reason, ttl) {
      const { sid } = session;
      if (!isSid(sid)) return { standing: 'gone', undelivered: [] };
      const conn = 'conn' in session ? session.conn : '';
      const reply = await runForBytes(END, keys.ofSession(sid), [conn, reason, whole(ttl), channels, sid]);
      const [standing, principal, entries] = reply as [Buffer, Buffer?, unknown[]?];
      if (principal !== undefined) void leaveSeat(String(principal), sid);
      return { standing: String(standing) as Standing, undelivered: (entries ?? []).map(toEntry) };
    },

    watch: newsstand.watch,

    close() {
      if (isClosed) return;
      isClosed = true;
      newsstand.close();
      if (place.name === 'own') client.destroy();
    },
  };

  // Seats are counted on the side, and never stand in the way of a session, so nobody waits for their answer: one that could
  // not be left is free after one ttl, one that could not be kept is taken again by the next resume.
  function keepSeats(
    principal: string,
    sids: readonly string[],
    ttl: number,
    mode: 'kept' | 'again',
  ): Promise<unknown> {
    return run(KEEP_SEATS, keys.seatsOf(principal), [whole(ttl), mode, ...sids]).catch(() => undefined);
  }

  function leaveSeat(principal: string, sid: string): Promise<unknown> {
    return run(LEAVE_SEATS, keys.seatsOf(principal), [sid]).catch(() => undefined);
  }
}

/** What scripts about a standing answer; the principal where his seats have to follow. */
type Stood = [standing: Standing, principal?: string];

type Resumption = [name: 'resumed' | 'lost' | 'stale' | 'busy', ...rest: unknown[]];

/** What APPEND answers instead of a number; see there. */
const FULL = 0;
const OVERFLOW = -1;

/** Redis counts in whole milliseconds. */
const whole = (ttl: number): number => Math.ceil(ttl);
