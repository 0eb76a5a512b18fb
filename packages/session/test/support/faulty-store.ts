// How does a store behave that is far away, fails now and then, and may go back in time?
//
// One store in memory behind everything; each node has a view of it of its own: questions travel there and answers travel
// back, those of a node that has died meanwhile were done all the same, and what the store did is written down.

import { createMemoryStore } from '../../../server/src/sessions/memory-store.ts';
import {
  createMemoryState,
  waiting,
  waitingBytes,
  type MemoryState,
  type StoredSession,
} from '../../../server/src/sessions/memory-state.ts';
import type { Awaitable, Lease, SessionStore, StoreNews } from '../../../server/src/sessions/store.ts';
import type { HistoryEvent } from './history.ts';
import type { Process, Timeline } from './timeline.ts';

export interface StoreWeather {
  /** Milliseconds one way; 0 answers at once, in the call. */
  latency(): number;
  readonly isRemote: boolean;
  /** The next operation fails: it is not done, or nobody hears that it was. */
  fails(): 'no' | 'before' | 'after';
  /** How often a piece of news is told. */
  newsTimes(): number;
}

export interface FaultyStore {
  /** What one node sees. */
  view(node: Process): SessionStore;
  /** What is there, to come back to. */
  copy(): MemoryState;
  /** It is as it was then. */
  rollBack(to: MemoryState): void;
  readonly state: MemoryState;
}

/** An effect of the application's, in the transaction that commits. */
export interface Transaction {
  readonly sid: string;
  readonly seq: number;
}

const POSITIONS = ['attempt', 'conn', 'committed', 'acknowledged', 'stored'] as const;
const ALL = [...POSITIONS, 'begun', 'node', 'expiresAt'] as const;

export function createFaultyStore(
  timeline: Timeline,
  weather: StoreWeather,
  bounds: { readonly maxMessages: number; readonly maxBytes: number; readonly maxSessions: number },
  numberOf: (data: string | Uint8Array) => number,
  note: (event: Omit2<HistoryEvent>) => void,
): FaultyStore {
  let state = createMemoryState();
  let store = createStore();
  const watchers = new Map<string, { readonly hear: (news: StoreNews) => void; stop: () => void }>();
  const levels = { messages: 0, bytes: 0 };

  function createStore() {
    return createMemoryStore({ now: () => timeline.now, state, maxSessions: bounds.maxSessions });
  }

  // ---- what is seen of each operation

  function look(sid: string): StoredSession | undefined {
    const session = state.sessions.get(sid);
    return session && { ...session };
  }

  function observed<T>(sid: string, conn: number | undefined, act: () => T): T {
    const before = look(sid);
    const answer = act();
    const after = state.sessions.get(sid);
    if (before && conn !== undefined && conn < before.conn) {
      note({ type: 'stale', what: 'write', sid, changed: hasChanged(before, after) });
    }
    if (after && POSITIONS.some((key) => before?.[key] !== after[key])) {
      const { attempt, conn: newest, committed, acknowledged, stored } = after;
      note({ type: 'position', sid, attempt, conn: newest, committed, acknowledged, stored });
    }
    return answer;
  }

  function hasChanged(before: StoredSession | undefined, after: StoredSession | undefined): boolean {
    if (!before || !after) return before !== after && !(before && timeline.now >= before.expiresAt);
    return ALL.some((key) => before[key] !== after[key]);
  }

  function measure(sid: string): void {
    const session = state.sessions.get(sid);
    if (!session) return;
    const [messages, bytes] = [waiting(session), waitingBytes(session)];
    if (messages > levels.messages) {
      levels.messages = messages;
      note({ type: 'level', whose: `the store, for ${sid}, messages`, level: messages, bound: bounds.maxMessages });
    }
    if (bytes > levels.bytes) {
      levels.bytes = bytes;
      note({ type: 'level', whose: `the store, for ${sid}, bytes`, level: bytes, bound: bounds.maxBytes });
    }
  }

  // ---- one node's view

  function view(node: Process): SessionStore {
    let arrivesThere = 0;
    let arrivesHere = 0;

    /** Questions of one node arrive in order, and answers too, as on one connection. */
    function ask<T>(act: () => T): Awaitable<T> {
      if (node.isDead) return new Promise(() => {});
      if (!weather.isRemote) {
        const fate = weather.fails();
        if (fate !== 'no') note({ type: 'store-failed' });
        if (fate === 'before') throw new Error('the store is away');
        const answer = act();
        if (fate === 'after') throw new Error('the store is away, and it was done');
        return answer;
      }
      return new Promise<T>((resolve, reject) => {
        arrivesThere = Math.max(arrivesThere, timeline.now + weather.latency());
        timeline.at(arrivesThere, network, () => {
          const fate = weather.fails();
          let answer: () => void;
          if (fate !== 'no') note({ type: 'store-failed' });
          if (fate === 'before') answer = () => reject(new Error('the store is away'));
          else {
            try {
              const done = act();
              answer = () => resolve(done);
            } catch (cause) {
              answer = () => reject(cause as Error);
            }
            if (fate === 'after') answer = () => reject(new Error('the store is away, and it was done'));
          }
          arrivesHere = Math.max(arrivesHere, timeline.now + weather.latency());
          timeline.at(arrivesHere, node, answer);
        });
      });
    }

    const withLease = <T>(lease: Lease, act: () => T): Awaitable<T> => ask(() => observed(lease.sid, lease.conn, act));

    return {
      open: (request, given) =>
        ask(() =>
          observed(request.sid, undefined, () => {
            const answer = store.open(request, given);
            if (answer !== 'limit') note({ type: 'touched', sid: request.sid });
            return answer;
          }),
        ),
      resume: (claim, given) =>
        ask(() => {
          const { sid } = claim;
          const before = look(sid);
          const outcome = observed(sid, undefined, () => store.resume(claim, given));
          const isStale =
            before !== undefined && (claim.attempt <= before.attempt || !claim.holders.includes(before.holder));
          if (isStale) {
            note({ type: 'stale', what: 'attempt', sid, changed: hasChanged(before, state.sessions.get(sid)) });
          }
          if (outcome.name !== 'resumed') return outcome;
          note({ type: 'touched', sid });
          if (before && claim.force && before.begun > before.committed)
            note({ type: 'forced', sid, from: before.node ?? '' });
          return outcome;
        }),
      begin: (lease, from, to) => withLease(lease, () => store.begin(lease, from, to)),
      commit: (lease, from, to, transaction) =>
        withLease(lease, () => {
          const progress = store.commit(lease, from, to);
          if (progress !== 'ok') return progress;
          const effect = transaction as Transaction | undefined;
          if (effect) note({ type: 'effect', sid: effect.sid, seq: effect.seq });
          note({ type: 'committed', sid: lease.sid, to });
          return progress;
        }),
      abandon: (lease) => withLease(lease, () => store.abandon(lease)),
      append: (sid, message, bytes, given) =>
        ask(() =>
          observed(sid, undefined, () => {
            const outcome = store.append(sid, message, bytes, given);
            if (outcome.name === 'full' || outcome.name === 'overflow') {
              note({ type: 'turned-away', sid, message: numberOf(message.data) });
            }
            if (outcome.name !== 'stored') return outcome;
            note({ type: 'appended', sid, message: numberOf(message.data), seq: outcome.seq });
            measure(sid);
            return outcome;
          }),
        ),
      read: (lease, after, limit, tag) => withLease(lease, () => store.read(lease, after, limit, tag)),
      acknowledge: (lease, seq) => withLease(lease, () => store.acknowledge(lease, seq)),
      touch: (leases, ttl) =>
        ask(() =>
          leases.map((lease) =>
            observed(lease.sid, lease.conn, () => {
              const [standing] = store.touch([lease], ttl);
              if (standing === 'ok') note({ type: 'touched', sid: lease.sid });
              return standing!;
            }),
          ),
        ),
      release: (lease, ttl) =>
        withLease(lease, () => {
          const standing = store.release(lease, ttl);
          if (standing === 'ok') note({ type: 'touched', sid: lease.sid });
          return standing;
        }),
      end: (which, reason, ttl) =>
        ask(() => observed(which.sid, 'conn' in which ? which.conn : undefined, () => store.end(which, reason, ttl))),
      watch(name, hear) {
        const tell = (news: StoreNews): void => {
          for (let times = weather.newsTimes(); times > 0; times--) {
            if (weather.isRemote) timeline.at(timeline.now + weather.latency(), node, () => hear(news));
            else if (!node.isDead && node.pausedUntil <= timeline.now) hear(news);
          }
        };
        const watcher = { hear: tell, stop: store.watch(name, tell) };
        watchers.set(name, watcher);
        return () => {
          watcher.stop();
          watchers.delete(name);
        };
      },
      close() {},
    };
  }

  const network = timeline.process('network');

  return {
    view,
    copy: () => structuredClone(state),
    rollBack(to) {
      note({ type: 'rolled-back' });
      state = to;
      store = createStore();
      for (const [name, watcher] of watchers) watcher.stop = store.watch(name, watcher.hear);
    },
    get state() {
      return state;
    },
  };
}

/** An event that does not say when. */
export type Omit2<Event> = Event extends unknown ? Omit<Event, 'at'> : never;
