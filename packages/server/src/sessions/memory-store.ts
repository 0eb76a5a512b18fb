// What does a store in the memory of one process answer?

import { timingSafeEqual } from 'node:crypto';
import { invalidOption } from '../errors.ts';
import {
  createGraves,
  createMemoryState,
  entriesAfter,
  forgetTo,
  push,
  tagOf,
  waiting,
  waitingBytes,
  type MemoryState,
  type StoredSession,
} from './memory-state.ts';
import type { EndReason, Lease, Progress, ResumeClaim, SessionStore, Standing, StoreNews } from './store.ts';

export interface MemoryStoreOptions {
  /**
   * Living sessions of all principals together; at this bound `open` answers `limit`. As many tombstones are kept, the
   * oldest go first. An idle session takes about half a kilobyte, one with a full outbox also what is in it.
   * @default 100_000
   */
  maxSessions?: number | undefined;
}

/** A store whose answers are there at once, and that can be looked into. */
export type MemoryStore = {
  readonly [Name in keyof SessionStore]: SessionStore[Name] extends (...args: infer Args) => infer Answer
    ? (...args: Args) => Exclude<Answer, PromiseLike<unknown>>
    : never;
} & {
  /** Looks at so many sessions, from where it stopped, and buries those that have expired. */
  sweep(sessions: number): void;
};

/** Every default there is. */
export const MEMORY_DEFAULTS = Object.freeze({ maxSessions: 100_000 });

/** A session that nobody asks for any more is found by a walk over all of them, one share of it each second. */
const SWEEP = { every: 1_000, shares: 30 };

/** How many sessions a full store looks at before it turns one away: few, so that turning away stays cheap. */
const LOOK_FOR_ROOM = 16;

const TOMBSTONE_TTLS = 10;

/**
 * Sessions in the memory of this process: for one node, and for tests. They survive reconnects, not the process. Costs no
 * turn of the event loop for each message, as every answer is there at once. It cannot commit in a transaction.
 * @throws INVALID_OPTION
 */
export function memoryStore(options: MemoryStoreOptions = {}): SessionStore {
  const { maxSessions = MEMORY_DEFAULTS.maxSessions, ...unknown } = options;
  const [misspelt] = Object.entries(unknown);
  if (misspelt !== undefined) throw invalidOption(misspelt[0], 'one of maxSessions', misspelt[1]);
  if (!Number.isInteger(maxSessions) || maxSessions < 1) {
    throw invalidOption('maxSessions', 'a positive whole number', maxSessions);
  }
  const state = createMemoryState();
  const store = createMemoryStore({ now: () => performance.now(), state, maxSessions });
  const timer = setInterval(() => store.sweep(Math.ceil(state.sessions.size / SWEEP.shares)), SWEEP.every);
  timer.unref();
  return { ...store, close: () => clearInterval(timer) };
}

/**
 * The same without a timer of its own, in whatever time it is given; sessions then expire when they are asked for, or by
 * `sweep`. `state` is written into: a clone that was taken earlier and handed to a new store is a store gone back in time.
 */
export function createMemoryStore({
  now,
  state = createMemoryState(),
  maxSessions = MEMORY_DEFAULTS.maxSessions,
}: {
  readonly now: () => number;
  readonly state?: MemoryState;
  readonly maxSessions?: number;
}): MemoryStore {
  const { sessions, principals } = state;
  const watchers = new Map<string, Set<(news: StoreNews) => void>>();
  let walk = sessions.values();

  return {
    open({ sid, tokenHash, principal, attempt, holders, node }, { ttl, maxPerPrincipal }) {
      if (living(sid) !== undefined || graveOf(sid) !== undefined) return 'limit';
      if (sessions.size >= maxSessions) sweep(LOOK_FOR_ROOM);
      if (sessions.size >= maxSessions || livingOf(principal, maxPerPrincipal) >= maxPerPrincipal) return 'limit';
      // The order is that of StoredSession, so that all have one shape.
      sessions.set(sid, {
        sid,
        tokenHash,
        principal,
        node,
        attempt,
        holder: holders.at(-1)!,
        conn: 1,
        committed: 0,
        begun: 0,
        everBegun: 0,
        acknowledged: 0,
        acknowledgedTag: 0,
        stored: 0,
        expiresAt: now() + ttl,
        ttl,
        outbox: undefined,
      });
      const others = principals.get(principal);
      if (others === undefined) principals.set(principal, sid);
      else if (typeof others === 'string') principals.set(principal, new Set([others, sid]));
      else others.add(sid);
      return { sid, conn: 1 };
    },

    resume(claim, { ttl }) {
      const session = living(claim.sid);
      if (session === undefined) return { name: 'lost', reason: graveOf(claim.sid) ?? 'unknown' };
      // All of it is worked out before any of it is looked at, so that a wrong token takes as long as the right one.
      const hasToken = isSame(session.tokenHash, claim.tokenHash);
      const isPrincipal = session.principal === claim.principal;
      const isNewer = claim.attempt > session.attempt;
      const isSuccessor = claim.holders.includes(session.holder);
      const isBusy = session.begun > session.committed && !claim.force;
      const isConsistent = agree(session, claim);
      if (!hasToken || !isPrincipal) return { name: 'lost', reason: 'unauthorized' };
      if (!isNewer || !isSuccessor) return { name: 'stale' };
      if (isBusy) {
        tell(session.node, { name: 'yield', sid: session.sid });
        return { name: 'busy' };
      }
      const before = session.node;
      if (!isConsistent) {
        regressed(session);
        tell(before, { name: 'gone', sid: session.sid, reason: 'regressed' });
        return { name: 'lost', reason: 'regressed' };
      }
      forgetTo(session, claim.received);
      session.attempt = claim.attempt;
      session.holder = claim.holders.at(-1)!;
      session.conn++;
      session.node = claim.node;
      session.begun = session.committed;
      live(session, ttl);
      const { sid, conn, committed, stored } = session;
      if (before !== claim.node) tell(before, { name: 'gone', sid });
      return { name: 'resumed', lease: { sid, conn }, committed, stored };
    },

    begin(lease, from, to) {
      const session = held(lease);
      if (typeof session === 'string') return session;
      const progress = progressOf(session, from, to);
      if (progress === 'ok') {
        session.begun = to;
        session.everBegun = Math.max(session.everBegun, to);
      }
      return progress;
    },

    commit(lease, from, to, transaction) {
      if (transaction !== undefined) {
        throw invalidOption('transaction', 'left out with a store in memory, which cannot commit in it', transaction);
      }
      const session = held(lease);
      if (typeof session === 'string') return session;
      const progress = progressOf(session, from, to);
      if (progress === 'ok') session.committed = to;
      return progress;
    },

    abandon(lease) {
      const session = held(lease);
      if (typeof session === 'string') return session;
      session.begun = session.committed;
      return 'ok';
    },

    append(sid, { tag, data }, bytes, { ttl, maxMessages, maxBytes }) {
      const session = living(sid);
      if (session === undefined) return { name: 'gone' };
      if (waiting(session) >= maxMessages || waitingBytes(session) + bytes > maxBytes) {
        if (session.node !== undefined) return { name: 'full' };
        const undelivered = entriesAfter(session, session.acknowledged, Infinity);
        bury(session, 'overflow', now() + TOMBSTONE_TTLS * ttl);
        return { name: 'overflow', undelivered };
      }
      const before = tagOf(session, session.stored);
      const seq = push(session, tag, typeof data === 'string' ? data : new Uint8Array(data), bytes);
      tell(session.node, { name: 'appended', sid, seq });
      return { name: 'stored', seq, before };
    },

    read(lease, after, limit, tag) {
      const session = held(lease);
      if (typeof session === 'string') return session;
      const isForeign = tag !== undefined && after >= session.acknowledged && tagOf(session, after) !== tag;
      if (after > session.stored || isForeign || !isComplete(session)) return regressed(session);
      return entriesAfter(session, after, limit);
    },

    acknowledge(lease, seq) {
      const session = held(lease);
      if (typeof session === 'string') return session;
      if (seq > session.stored || !isComplete(session)) return regressed(session);
      forgetTo(session, seq);
      return 'ok';
    },

    touch: (leases, ttl) => leases.map((lease) => prolong(lease, ttl)),

    release(lease, ttl) {
      const session = held(lease);
      if (typeof session === 'string') return session;
      session.node = undefined;
      live(session, ttl);
      return 'ok';
    },

    end(which, reason, ttl) {
      const session = 'conn' in which ? held(which) : (living(which.sid) ?? 'gone');
      if (typeof session === 'string') return { standing: session, undelivered: [] };
      const undelivered = entriesAfter(session, session.acknowledged, Infinity);
      bury(session, reason, now() + TOMBSTONE_TTLS * ttl);
      if (!('conn' in which)) tell(session.node, { name: 'gone', sid: session.sid, reason });
      return { standing: 'ok', undelivered };
    },

    watch(node, hear) {
      const ears = watchers.get(node) ?? new Set();
      watchers.set(node, ears);
      ears.add(hear);
      return () => {
        ears.delete(hear);
        if (ears.size === 0 && watchers.get(node) === ears) watchers.delete(node);
      };
    },

    close() {},

    sweep,
  };

  /** What is told comes last in each operation: whoever hears it finds the store as it is from now on. */
  function tell(node: string | undefined, news: StoreNews): void {
    if (node === undefined) return;
    for (const hear of [...(watchers.get(node) ?? [])]) hear(news);
  }

  function living(sid: string): StoredSession | undefined {
    const session = sessions.get(sid);
    if (session === undefined || now() < session.expiresAt) return session;
    bury(session, 'expired', session.expiresAt + TOMBSTONE_TTLS * session.ttl);
    return undefined;
  }

  function held({ sid, conn }: Lease): StoredSession | Exclude<Standing, 'ok'> {
    const session = living(sid);
    if (session === undefined) return 'gone';
    return session.conn === conn ? session : 'fenced';
  }

  function live(session: StoredSession, ttl: number): void {
    session.expiresAt = now() + ttl;
    session.ttl = ttl;
  }

  function prolong(lease: Lease, ttl: number): Standing {
    const session = held(lease);
    if (typeof session === 'string') return session;
    live(session, ttl);
    return 'ok';
  }

  /** Those of one principal are looked through only when they seem to be too many. */
  function livingOf(principal: string, enough: number): number {
    const sids = principals.get(principal);
    if (sids === undefined) return 0;
    if (typeof sids === 'string') return living(sids) === undefined ? 0 : 1;
    if (sids.size >= enough) for (const sid of [...sids]) living(sid);
    return sids.size;
  }

  function regressed(session: StoredSession): 'gone' {
    bury(session, 'regressed', now() + TOMBSTONE_TTLS * session.ttl);
    return 'gone';
  }

  function bury({ sid, principal }: StoredSession, reason: EndReason, until: number): void {
    sessions.delete(sid);
    const sids = principals.get(principal);
    if (typeof sids === 'string') principals.delete(principal);
    else if (sids?.delete(sid) && sids.size === 0) principals.delete(principal);
    if (until <= now()) return;
    const [younger, older] = state.graves;
    younger.reasons.set(sid, { reason, until });
    younger.until = Math.max(younger.until, until);
    if (younger.reasons.size > maxSessions / 2 || older.until <= now()) state.graves = [createGraves(), younger];
  }

  function graveOf(sid: string): EndReason | undefined {
    const [younger, older] = state.graves;
    const grave = younger.reasons.get(sid) ?? older.reasons.get(sid);
    return grave !== undefined && now() < grave.until ? grave.reason : undefined;
  }

  function sweep(share: number): void {
    for (let left = share; left > 0; left--) {
      const { done, value } = walk.next();
      if (done) walk = sessions.values();
      else living(value.sid);
    }
    const [younger, older] = state.graves;
    if (older.until <= now() && older.reasons.size > 0) state.graves = [createGraves(), younger];
  }
}

function progressOf({ committed }: StoredSession, from: number, to: number): Progress {
  if (from <= committed || to < from) return 'duplicate';
  return from === committed + 1 ? 'ok' : 'gap';
}

/** Is what the client says of itself possible, if this store has forgotten nothing? */
function agree(session: StoredSession, { received, tag, acked, sent }: ResumeClaim): boolean {
  return (
    received >= session.acknowledged &&
    received <= session.stored &&
    acked <= session.committed &&
    Math.max(session.committed, session.everBegun) <= sent &&
    tagOf(session, received) === tag &&
    isComplete(session)
  );
}

/** Entries are added one by one and forgotten from the front, so their number says whether each is there. */
const isComplete = (session: StoredSession): boolean => waiting(session) === session.stored - session.acknowledged;

/** Takes the same time wherever the first difference is. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
