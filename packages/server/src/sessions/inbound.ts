// What becomes of a client's message, from its frame to its commit?
//
// Strictly one at a time and in order: begin → handler → commit. Whatever has come while one batch was handled is the
// next batch, so a slow store is asked once for many messages, and a store that answers at once is asked for each of
// them without a turn of the loop in between.

import type { Data } from '@holdfast/core';
import { isHoldfastError } from '@holdfast/core';
import { serverError, type ServerErrorCode } from '../errors.ts';
import { isPromised, whenAnswered } from './awaitable.ts';
import type { SessionMessage } from './session.ts';
import type { Awaitable, Lease, Progress, SessionStore } from './store.ts';

/** What the lane needs of whoever serves the session. */
export interface InboundOwner {
  now(): number;
  handle(message: SessionMessage): unknown;
  /** It still counts. */
  handlerFailed(cause: unknown, seq: number): void;
  /** Everything up to `seq` is committed; `messages` and `bytes` are what that adds. */
  committed(seq: number, messages: number, bytes: number): void;
  /** Nothing is in flight, and nothing will begin before something new happens. */
  idle(): void;
  /** So much waits that no more should be read, or again little enough. */
  crowded(isCrowded: boolean): void;
  /** The lease is not the newest, or the session is gone; the lane has stopped. */
  refused(standing: 'fenced' | 'gone'): void;
  /** The lane has stopped. */
  storeFailed(cause: unknown): void;
}

export interface InboundLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** `handling` ends when the handlers have; `abandoning` gives the rest of a batch back. `stopped` is for good. */
type State = 'idle' | 'beginning' | 'handling' | 'committing' | 'abandoning' | 'stopped';

/** `resting` opens again, `shut` does not; either way what is in flight is finished and committed. */
type Gate = 'open' | 'resting' | 'shut';

/** A batch is what may be handled twice if the node dies in the middle of it. */
const MAX_BATCH = 64;

/** Milliseconds after which a batch of slow handlers is committed as far as it got, so that the client hears of it. */
const LONG_BATCH = 50;

export class InboundLane {
  private state: State = 'idle';
  private gate: Gate = 'open';
  private queue: Inbound[] = [];
  private batch: readonly Inbound[] = [];
  /** How many of the batch are handled. */
  private handledOfBatch = 0;
  /** Set when a batch turns out not to be handled at once. */
  private batchSince: number | undefined;
  /** The batch goes no further than this message. */
  private isCut = false;
  private received: number;
  private handled: number;
  /** As far as the application has committed itself, and how much of that its handlers did not throw away again. */
  private committedByApplication: number;
  private committedForSure: number;
  private commitOfApplication: Promise<void> | undefined;
  private isCrowded = false;
  private waiting = 0;
  private waitingBytes = 0;

  /**
   * `alreadyHandled`: this node has handled everything up to it under the lease just before this one, and could not commit
   * that; so it is committed when it comes again, and not handled twice.
   */
  constructor(
    private readonly store: SessionStore,
    private readonly lease: Lease,
    private committed: number,
    private readonly alreadyHandled: number,
    private readonly limits: InboundLimits,
    private readonly owner: InboundOwner,
  ) {
    this.received = committed;
    this.handled = committed;
    this.committedByApplication = committed;
    this.committedForSure = committed;
  }

  /** The last message that was handled here, under this lease or just before, committed or not. */
  get handledTo(): number {
    return Math.max(this.handled, this.alreadyHandled);
  }

  /** Nothing is in flight. */
  get isIdle(): boolean {
    return this.state === 'idle' || this.state === 'stopped';
  }

  /** It has stopped, and perhaps left something begun. */
  get hasFailed(): boolean {
    return this.state === 'stopped';
  }

  /** Nothing is in flight and nothing waits. */
  get isEmpty(): boolean {
    return this.isIdle && this.queue.length === 0;
  }

  push(seq: number, data: Data, bytes: number): 'taken' | 'duplicate' | 'gap' {
    if (seq <= this.received) return 'duplicate';
    if (seq !== this.received + 1) return 'gap';
    this.received = seq;
    this.queue.push(new Inbound(this.lease.sid, seq, data, bytes, this));
    this.waiting++;
    this.waitingBytes += bytes;
    if (this.state === 'idle') this.run();
    this.judgeCrowd();
    return 'taken';
  }

  /** Begins nothing more until `reopen`. */
  rest(): void {
    if (this.gate === 'open') this.gate = 'resting';
  }

  reopen(): void {
    if (this.gate !== 'resting') return;
    this.gate = 'open';
    this.run();
  }

  /** Begins nothing more. The client has it all, and sends it again wherever it comes back. */
  shut(): void {
    this.gate = 'shut';
    this.queue = [];
  }

  /** Whatever answers still come mean nothing. */
  stop(): void {
    this.state = 'stopped';
    this.queue = [];
  }

  /** See {@link SessionMessage.commit}. */
  async commitNow(seq: number, transaction: unknown): Promise<void> {
    if (seq <= this.committedByApplication) return;
    if (this.state === 'stopped') throw lost('SESSION_FENCED');
    const isInHand = this.state === 'handling' && this.batch[this.handledOfBatch]?.seq === seq;
    if (!isInHand || this.commitOfApplication) {
      throw serverError('COMMIT_LATE', `message ${seq} is not in the hands of its handler any more`, { value: seq });
    }
    const done = this.commitForApplication(seq, transaction);
    this.commitOfApplication = done.catch(() => {});
    try {
      await done;
    } finally {
      this.commitOfApplication = undefined;
    }
  }

  private async commitForApplication(seq: number, transaction: unknown): Promise<void> {
    let progress: Progress;
    try {
      const from = this.next();
      progress = await (transaction === undefined
        ? this.store.commit(this.lease, from, seq)
        : this.store.commit(this.lease, from, seq, transaction));
    } catch (cause) {
      // misuse: the handler hears of it, and the message is committed as ever
      if (isHoldfastError(cause) && cause.code === 'INVALID_OPTION') throw cause;
      this.fail(cause);
      throw serverError('STORE_FAILED', 'the store could not commit', { cause });
    }
    if (progress === 'ok') {
      this.committedByApplication = seq;
      return;
    }
    // `duplicate` and `gap` here mean that somebody else has moved the position: as good as fenced
    this.refuse(progress === 'gone' ? 'gone' : 'fenced');
    throw lost(progress === 'gone' ? 'SESSION_GONE' : 'SESSION_FENCED');
  }

  // --- one batch after the other ---------------------------------------------------------------------------------

  /** A loop and no recursion, so that with a store that answers at once a long queue needs no deep stack. */
  private run(): void {
    while (this.state === 'idle') {
      if (this.queue.length === 0 || this.gate !== 'open') {
        this.owner.idle();
        return;
      }
      this.begin();
    }
  }

  private begin(): void {
    this.state = 'beginning';
    if (this.queue.length <= MAX_BATCH) {
      this.batch = this.queue;
      this.queue = [];
    } else {
      this.batch = this.queue.splice(0, MAX_BATCH);
    }
    this.handledOfBatch = 0;
    this.batchSince = undefined;
    this.isCut = false;
    this.ask(() => this.store.begin(this.lease, this.batch[0]!.seq, this.batch.at(-1)!.seq), this.begun);
  }

  private readonly begun = (progress: Progress): void => {
    if (this.state !== 'beginning' || !this.isOk(progress)) return;
    this.state = 'handling';
    this.handleRest();
  };

  private handleRest(): void {
    while (this.handledOfBatch < this.batch.length && this.gate === 'open' && !this.isCut) {
      const message = this.batch[this.handledOfBatch]!;
      if (message.seq > this.alreadyHandled) {
        let result: unknown;
        try {
          result = this.owner.handle(message);
        } catch (cause) {
          this.handlerThrew(cause, message.seq);
        }
        if (isPromised(result) || this.commitOfApplication) {
          void this.waitFor(result, message.seq);
          return;
        }
      }
      if (!this.handlerDone(message.seq)) return;
    }
    this.commit();
  }

  private async waitFor(result: unknown, seq: number): Promise<void> {
    this.batchSince ??= this.owner.now();
    try {
      await result;
    } catch (cause) {
      this.handlerThrew(cause, seq);
    }
    if (this.commitOfApplication) await this.commitOfApplication;
    if (!this.handlerDone(seq)) return;
    if (this.owner.now() - this.batchSince >= LONG_BATCH) this.isCut = true;
    this.handleRest();
    this.run();
  }

  private handlerThrew(cause: unknown, seq: number): void {
    // one that passes on our own refusal to commit has nothing to report
    if (this.state === 'stopped' && isHoldfastError(cause)) return;
    this.owner.handlerFailed(cause, seq);
    if (this.committedByApplication < seq) return;
    // perhaps its transaction was rolled back and the commit with it: asked again, up to here and no further
    this.committedByApplication = this.committedForSure;
    this.isCut = true;
  }

  private handlerDone(seq: number): boolean {
    if (this.state !== 'handling') return false;
    this.handled = seq;
    this.handledOfBatch++;
    this.committedForSure = Math.max(this.committedForSure, this.committedByApplication);
    return true;
  }

  private commit(): void {
    this.state = 'committing';
    const from = this.next();
    if (from > this.handled) this.settle();
    else this.ask(() => this.store.commit(this.lease, from, this.handled), this.commitAnswered);
  }

  private readonly commitAnswered = (progress: Progress): void => {
    if (this.state !== 'committing') return;
    // after a throw the application's own commit may have counted; see `handlerThrew`
    if (!(progress === 'duplicate' && this.isCut) && !this.isOk(progress)) return;
    this.settle();
  };

  /** Everything that was handled is committed. */
  private settle(): void {
    const total = this.batch.length;
    const messages = this.handledOfBatch;
    let bytes = 0;
    for (let i = 0; i < messages; i++) bytes += this.batch[i]!.bytes;
    this.waiting -= messages;
    this.waitingBytes -= bytes;
    if (messages > 0) {
      this.committed = this.committedByApplication = this.committedForSure = this.handled;
      this.owner.committed(this.committed, messages, bytes);
    }
    this.judgeCrowd();
    if (this.state !== 'committing') return; // those who were told may have stopped us
    if (messages < this.batch.length && this.gate !== 'shut') {
      this.queue = [...this.batch.slice(messages), ...this.queue];
    }
    this.batch = [];
    // with the gate open the next `begin` takes the place of one that was cut; else whoever waits may have the session
    if (messages === total || this.gate === 'open') this.state = 'idle';
    else this.abandon();
  }

  private abandon(): void {
    this.state = 'abandoning';
    this.ask(
      () => this.store.abandon(this.lease),
      (standing) => {
        if (this.state === 'abandoning' && this.isOk(standing)) this.state = 'idle';
      },
    );
  }

  // --- answers ---------------------------------------------------------------------------------------------------

  /** At once if the answer is there; else the loop goes on when it comes. */
  private ask<T>(question: () => Awaitable<T>, told: (answer: T) => void): void {
    whenAnswered(question, told, this.failed, this.goOn);
  }

  private readonly failed = (cause: unknown): void => this.fail(cause);

  private readonly goOn = (): void => this.run();

  private isOk(progress: Progress): boolean {
    switch (progress) {
      case 'ok':
        return true;
      case 'fenced':
      case 'gone':
        this.refuse(progress);
        return false;
      case 'duplicate':
      case 'gap':
        this.fail(new Error(`the store's position is another: ${progress} after ${this.committed}`));
        return false;
    }
  }

  private refuse(standing: 'fenced' | 'gone'): void {
    if (this.state === 'stopped') return;
    this.stop();
    this.owner.refused(standing);
  }

  private fail(cause: unknown): void {
    if (this.state === 'stopped') return;
    this.stop();
    this.owner.storeFailed(cause);
  }

  /** The first position that nobody has committed. */
  private next(): number {
    return this.committedByApplication + 1;
  }

  private judgeCrowd(): void {
    const { maxMessages, maxBytes } = this.limits;
    const share = Math.max(this.waiting / maxMessages, this.waitingBytes / maxBytes);
    if (this.isCrowded ? share >= 0.5 : share <= 1) return;
    this.isCrowded = !this.isCrowded;
    this.owner.crowded(this.isCrowded);
  }
}

/** One message, as its handler gets it. */
class Inbound implements SessionMessage {
  constructor(
    readonly sid: string,
    readonly seq: number,
    readonly data: Data,
    readonly bytes: number,
    private readonly lane: InboundLane,
  ) {}

  commit(transaction?: unknown): Promise<void> {
    return this.lane.commitNow(this.seq, transaction);
  }
}

const lost = (code: ServerErrorCode & `SESSION_${string}`) =>
  serverError(
    code,
    code === 'SESSION_GONE'
      ? 'the session has ended'
      : 'somebody else has taken the session over, so nothing was committed',
  );
