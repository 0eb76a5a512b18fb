// What does a session store have to do, so that nothing is lost and nothing is done twice?
//
// Session state is only ever here: nodes are disposable. Each operation is atomic for its session. The laws below are
// tested for every store by one suite, and under crashes, zombies and rollbacks by the simulation.
//
// What an operation cannot do it throws or rejects; then it may have been done all the same, or not, so whoever asked
// takes nothing for granted and lets the client resume. A store in memory throws where another rejects. None may stay without
// an answer for ever: a store that waits for something gives up in the end.

import type { Data } from '@holdfast/core';

/** A value, or a promise of one: a store in memory answers at once, and then no message waits for a turn of the loop. */
export type Awaitable<T> = T | PromiseLike<T>;

/**
 * The right to speak for a session, from one `resume` (or `open`) to the next. Law: an operation with a lease whose
 * `conn` is not the newest changes nothing and answers `'fenced'`.
 */
export interface Lease {
  readonly sid: string;
  readonly conn: number;
}

/** Where a lease stands. `gone`: the session has ended or expired. */
export type Standing = 'ok' | 'fenced' | 'gone';

/** The same, of a position that is claimed. `duplicate`: it was taken before; `gap`: something before it is missing. */
export type Progress = Standing | 'duplicate' | 'gap';

/** Why a session ended, as clients and applications are told; see PROTOCOL.md. */
export type EndReason = 'expired' | 'unknown' | 'overflow' | 'regressed' | 'unauthorized' | 'ended' | 'limit';

/** One message from the server to the client, stored until the client has acknowledged it. */
export interface Entry {
  /** From 1, one more each. */
  readonly seq: number;
  /** 32 random bits, by which a store that went back in time is told from one that did not. */
  readonly tag: number;
  readonly data: Data;
}

/** What may be stored for one session, and for how long. */
export interface SessionBounds {
  /** Milliseconds that a session lives after it was last touched. */
  readonly ttl: number;
  /** Messages that wait for the client's acknowledgement. */
  readonly maxMessages: number;
  /** Bytes of them, UTF-8 or binary. */
  readonly maxBytes: number;
  /** Living sessions of one principal. */
  readonly maxPerPrincipal: number;
}

export interface OpenRequest {
  readonly sid: string;
  /** SHA-256 of the resume token, as hex; the token itself is never stored. */
  readonly tokenHash: string;
  readonly principal: string;
  /** The client's number for this attempt, 1 to 2^48 - 1. */
  readonly attempt: number;
  /** Who asks, last: a client's process, by 32 bits of its own. Before it those in whose place it may have come; 16 in all. */
  readonly holders: readonly number[];
  /** The node that will hold the lease. */
  readonly node: string;
}

/** What a client that comes back says of itself. */
export interface ResumeClaim extends OpenRequest {
  /** The last message that it has received, and that message's tag (0, 0 before the first). */
  readonly received: number;
  readonly tag: number;
  /** The last of its own messages that was acknowledged to it, and the last that it has written to any socket. */
  readonly acked: number;
  readonly sent: number;
  /** Takes the lease even while a handler of its owner is in flight: the wait for it has run out. */
  readonly force: boolean;
}

/** What is known of a session when a lease on it begins. */
export interface Resumed {
  readonly name: 'resumed';
  readonly lease: Lease;
  /** The last message of the client's that is committed. */
  readonly committed: number;
  /** The last message to the client that is stored. */
  readonly stored: number;
}

export type ResumeOutcome =
  | Resumed
  /** An attempt that is not newer than the last, or that of a holder whose place another has taken: nothing was touched. */
  | { readonly name: 'stale' }
  /** A handler of the owner is in flight; the owner was told to `yield`. Ask again. */
  | { readonly name: 'busy' }
  /** There is nothing to resume. */
  | { readonly name: 'lost'; readonly reason: EndReason };

export type AppendOutcome =
  /**
   * `before` is the tag of the message before it (0 of the first): who forwards this one without a `read` first sees by it
   * whether that was the one that he sent last, or whether the store has gone back in time in between.
   */
  | { readonly name: 'stored'; readonly seq: number; readonly before?: number | undefined }
  /**
   * The bounds are reached, and a client is there to make room: nothing was stored. A lease counts as a client until it is
   * released, also when its node has crashed.
   */
  | { readonly name: 'full' }
  /** The bounds are reached with no client connected: the session has ended, as `overflow`, with what it held if that is known. */
  | { readonly name: 'overflow'; readonly undelivered?: readonly Entry[] | undefined }
  | { readonly name: 'gone' };

/**
 * What a store tells the nodes. Hints: each may come twice, late or never, or be about an older lease of this node's, so ask
 * (`touch`, `read`) before acting on one.
 */
export type StoreNews =
  /** Messages were stored for a session whose lease this node holds; `seq` is the newest, and spares a needless `read`. */
  | { readonly name: 'appended'; readonly sid: string; readonly seq?: number | undefined }
  /** Somebody else wants this session: begin nothing more, and commit what is in flight. */
  | { readonly name: 'yield'; readonly sid: string }
  /** The session was ended by somebody without the lease, for this `reason`; without one, another node has taken the lease. */
  | { readonly name: 'gone'; readonly sid: string; readonly reason?: EndReason | undefined };

export interface SessionStore {
  /**
   * Makes a session that lives for `ttl`; its first lease has `conn` 1. `attempt` and the last of `holders` are kept.
   * `limit`: the principal, or the store, has all that it may have. So is a `sid` that is or was in use: it names one
   * session, ever.
   */
  open(request: OpenRequest, bounds: SessionBounds): Awaitable<Lease | 'limit'>;

  /**
   * Takes the lease: `conn` grows by one and older leases are fenced. In this order:
   * 1. no such session: `lost`, `expired` or the reason of its tombstone if it has one, else `unknown`
   * 2. token hash or principal differ: `lost`, `unauthorized`; nothing is touched, and it takes as long
   * 3. `attempt` is not above the newest seen, or whoever made that is none of `holders`: `stale`; nothing is touched
   * 4. a handler is in flight and not `force`: `busy`; the owner hears `yield`
   * 5. the claim and the store contradict each other, so the store (or the client's snapshot) went back in time: the
   *    session ends, `lost`, `regressed`. They agree if `received` lies in [acknowledged, stored], the committed position
   *    lies in [acked, sent], no position above `sent` was ever begun, the tag of entry `received` (or of the last
   *    acknowledged one) is `tag`, and every entry from `received` + 1 to `stored` is there
   * 6. `resumed`; what is up to `received` is acknowledged with it, no handler is in flight any more, and the session
   *    lives for `ttl`. `attempt` and the last of `holders` are kept, for 3. If another node had the lease it hears `gone`
   */
  resume(claim: ResumeClaim, bounds: SessionBounds): Awaitable<ResumeOutcome>;

  /**
   * A handler for the messages `from` to `to` is about to run. Law: `ok` only if `from` is one above the committed
   * position (`duplicate`: it is not above, or the range is empty), and from then on `resume` answers `busy` until `to` is
   * committed, the lease is taken by force, or `abandon`. Nothing else clears it: after a crash of the node, force does.
   */
  begin(lease: Lease, from: number, to: number): Awaitable<Progress>;

  /**
   * They are handled, announced or not. Law: compare-and-set, so each position is committed once, in order. With a
   * `transaction` of the application's the store commits in it, where it can; stores that cannot refuse with `INVALID_OPTION`.
   */
  commit(lease: Lease, from: number, to: number, transaction?: unknown): Awaitable<Progress>;

  /** The handler that `begin` announced will not run, or not now. */
  abandon(lease: Lease): Awaitable<Standing>;

  /**
   * Stores one message for the client, from any node; the owner of the lease hears `appended`. `bytes` are those of `data`,
   * which is the caller's again afterwards. Messages that one store is given for one session get their numbers in that order.
   */
  append(sid: string, message: Omit<Entry, 'seq'>, bytes: number, bounds: SessionBounds): Awaitable<AppendOutcome>;

  /**
   * Entries after `after`, oldest first, at most `limit`. `tag` is that of `after` as it was sent to the client (0 of 0).
   * Law: if the store knows another, never got as far as `after`, or lacks an entry, it went back in time under a living
   * lease, and what came next would hide the loss: the session ends as `regressed`, and the answer is `gone`.
   */
  read(lease: Lease, after: number, limit: number, tag?: number): Awaitable<readonly Entry[] | 'fenced' | 'gone'>;

  /**
   * The client has everything up to `seq`. Law: it is forgotten, but for the tag of `seq`; never moves back. Above what is
   * stored, or when an entry is missing, it ends as with `read`.
   */
  acknowledge(lease: Lease, seq: number): Awaitable<Standing>;

  /** Each lives for another `ttl`; only this, `open`, `resume` and `release` prolong a life. One answer per lease, in order. */
  touch(leases: readonly Lease[], ttl: number): Awaitable<readonly Standing[]>;

  /**
   * The socket is gone and the lease's node does not hold it any more; the session lives on for `ttl`. The lease is still the
   * newest, so a handler that is in flight can commit with it.
   */
  release(lease: Lease, ttl: number): Awaitable<Standing>;

  /**
   * Ends a session, with a lease only if that is the newest; without one, the owner hears `gone`. A tombstone says why to
   * whoever asks within ten times the `ttl`, however the session ended; a store may keep fewer. Answers what was stored and
   * never acknowledged.
   */
  end(
    session: Lease | { readonly sid: string },
    reason: EndReason,
    ttl: number,
  ): Awaitable<{ readonly standing: Standing; readonly undelivered: readonly Entry[] }>;

  /**
   * Tells `node` its news, best effort: whoever depends on one also asks now and then. Returns a stop. `hear` may be called
   * before the operation that caused the news has answered, and must not throw.
   */
  watch(node: string, hear: (news: StoreNews) => void): () => void;

  /** Lets go of connections and timers. May be called twice. */
  close(): Awaitable<void>;
}
