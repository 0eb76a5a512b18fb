// What does a store in memory hold? Plain values, so that `structuredClone` of them is a store at another time.

import type { Data } from '@holdfast/core';
import type { EndReason, Entry } from './store.ts';

export interface MemoryState {
  readonly sessions: Map<string, StoredSession>;
  /** Who has which sessions; most have one, and a text weighs less than a set of one. */
  readonly principals: Map<string, string | Set<string>>;
  /**
   * Two generations of tombstones. The older is let go of as a whole, since taking the oldest out of a large `Map` one by
   * one costs a walk over the places of those before it.
   */
  graves: [younger: Graves, older: Graves];
}

export interface Graves {
  readonly reasons: Map<string, { readonly reason: EndReason; readonly until: number }>;
  /** When the last of them may be forgotten. */
  until: number;
}

export interface StoredSession {
  readonly sid: string;
  readonly tokenHash: string;
  readonly principal: string;
  /** Who holds the lease; `undefined` after `release`: no client is connected. */
  node: string | undefined;
  attempt: number;
  /** Who made that attempt. */
  holder: number;
  conn: number;
  committed: number;
  /** The last position that a handler was announced for. It is in flight while this is above `committed`. */
  begun: number;
  /** The highest that one was ever announced for, whatever became of it. */
  everBegun: number;
  acknowledged: number;
  acknowledgedTag: number;
  /** The last message that was stored; those above `acknowledged` are in the outbox. */
  stored: number;
  expiresAt: number;
  ttl: number;
  /** `undefined` until the first message: most sessions are idle most of the time. */
  outbox: Outbox | undefined;
}

/** First in, first out, with a front that moves: see core's send-queue. */
export interface Outbox {
  entries: (StoredEntry | undefined)[];
  front: number;
  bytes: number;
}

export interface StoredEntry extends Entry {
  readonly bytes: number;
}

/** Where an array is cut off at its front; below this a cut costs more than the places. */
const CUT = 64;

export const createMemoryState = (): MemoryState => ({
  sessions: new Map(),
  principals: new Map(),
  graves: [createGraves(), createGraves()],
});

export const createGraves = (): Graves => ({ reasons: new Map(), until: -Infinity });

export const waiting = ({ outbox }: StoredSession): number =>
  outbox === undefined ? 0 : outbox.entries.length - outbox.front;

export const waitingBytes = ({ outbox }: StoredSession): number => outbox?.bytes ?? 0;

export function push(session: StoredSession, tag: number, data: Data, bytes: number): number {
  const outbox = (session.outbox ??= { entries: [], front: 0, bytes: 0 });
  const seq = ++session.stored;
  outbox.entries.push({ seq, tag, data, bytes });
  outbox.bytes += bytes;
  return seq;
}

/** Entries after `after`, at most `limit`. */
export function entriesAfter({ outbox, acknowledged }: StoredSession, after: number, limit: number): readonly Entry[] {
  if (outbox === undefined) return [];
  const start = outbox.front + Math.max(0, after - acknowledged);
  return (outbox.entries.slice(start, start + limit) as StoredEntry[]).map(({ seq, tag, data }) => ({
    seq,
    tag,
    data,
  }));
}

/** The tag of a message from `acknowledged` on; `undefined` if it is not known. */
export function tagOf({ outbox, acknowledged, acknowledgedTag }: StoredSession, seq: number): number | undefined {
  if (seq === acknowledged) return acknowledgedTag;
  return seq < acknowledged ? undefined : outbox?.entries[outbox.front + (seq - acknowledged - 1)]?.tag;
}

/** Forgets everything up to `seq`, which is at most `stored`, but for its tag. Each message is paid for once. */
export function forgetTo(session: StoredSession, seq: number): void {
  const { outbox } = session;
  while (outbox !== undefined && session.acknowledged < seq) {
    const entry = outbox.entries[outbox.front];
    if (entry === undefined) break;
    outbox.entries[outbox.front++] = undefined;
    outbox.bytes -= entry.bytes;
    session.acknowledged = entry.seq;
    session.acknowledgedTag = entry.tag;
  }
  if (outbox === undefined) return;
  if (outbox.front === outbox.entries.length) session.outbox = undefined;
  else if (outbox.front >= CUT && outbox.front * 2 >= outbox.entries.length) {
    outbox.entries = outbox.entries.slice(outbox.front);
    outbox.front = 0;
  }
}
