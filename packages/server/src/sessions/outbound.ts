// How does a stored message get to the client?
//
// What this node has just stored is forwarded at once if it is the next; everything else is read from the store, in
// order, from where the forwarding stands. So a client never sees what is not stored, nor anything out of order, whoever
// stored it.

import { encodeMessage } from '@holdfast/session/wire';
import type { Data } from '@holdfast/core';
import { whenAnswered } from './awaitable.ts';
import type { Transport } from './platform.ts';
import type { Awaitable, Entry, Lease, SessionStore, Standing } from './store.ts';

/** What the lane needs of whoever serves the session. */
export interface OutboundOwner {
  /** The client has taken something, so there is room in the store. */
  acknowledged(): void;
  /** The lease is not the newest, or the session is gone; the lane has stopped. */
  refused(standing: 'fenced' | 'gone'): void;
  /** The lane has stopped. */
  storeFailed(cause: unknown): void;
}

/** Where the client stood when the lease began, or stands now. */
export interface Position {
  readonly seq: number;
  readonly tag: number;
}

type State = 'idle' | 'reading' | 'stopped';

/** Entries that one `read` may bring. */
const CHUNK = 32;

export class OutboundLane {
  private state: State = 'idle';
  private sent: number;
  /** Of the last that was sent: by it the store tells whether it still is the one that it was. */
  private tag: number;
  private storedWhenAsked = 0;
  private acked: number;
  /** `acknowledge` is with the store; the newest number follows when it has answered. */
  private ackedInStore: number;
  private isAcknowledging = false;
  /** Appends of this node that the store has not answered: their news would only make us read what we have. */
  private appending = 0;

  /** `stored`: the last that is known to be in the store. */
  constructor(
    private readonly store: SessionStore,
    private readonly lease: Lease,
    from: Position,
    private stored: number,
    private readonly transport: Transport,
    private readonly highWaterMark: number,
    private readonly owner: OutboundOwner,
  ) {
    this.sent = from.seq;
    this.tag = from.tag;
    this.acked = from.seq;
    this.ackedInStore = from.seq;
  }

  /** Forwards what is stored, as far as the transport takes it. */
  pump(): void {
    while (this.state === 'idle' && this.sent < this.stored && this.hasRoom()) this.read();
  }

  /** Asks the store whether there is more than we were told. */
  check(): void {
    if (this.state === 'idle' && this.hasRoom()) this.read();
    this.pump();
  }

  /** This node is about to store one. */
  appendBegins(): void {
    this.appending++;
  }

  /** It was stored, or not. */
  appendEnds(): void {
    this.appending--;
    if (this.appending === 0) this.pump();
  }

  /**
   * This node has stored one. `before` is the tag of the one before it, as the store knows it: if that is not the one that the
   * client was sent last, the store is asked, which then finds out whether it has gone back in time.
   */
  appended(seq: number, tag: number, data: Data, before: number | undefined): void {
    if (seq > this.stored) this.stored = seq;
    const isNext = seq === this.sent + 1 && before === this.tag;
    const isKnown = seq === this.sent && tag === this.tag;
    if (isNext && this.state === 'idle' && this.hasRoom()) this.forward(seq, tag, data);
    else if (seq <= this.sent && !isKnown) this.check();
    else this.pump();
  }

  /** Somebody says that there is more, and perhaps how far it goes. */
  news(seq: number = this.sent + 1): void {
    if (seq <= this.stored) return;
    this.stored = seq;
    if (this.appending === 0) this.pump();
  }

  /** The client has everything up to `seq`; false if it cannot have. Each one also says that the transport has moved. */
  acknowledge(seq: number): boolean {
    if (seq > this.sent) return false;
    if (seq > this.acked) {
      this.acked = seq;
      if (!this.isAcknowledging) this.tellStore();
    }
    this.pump();
    return true;
  }

  stop(): void {
    this.state = 'stopped';
  }

  private read(): void {
    this.state = 'reading';
    this.storedWhenAsked = this.stored;
    this.ask(() => this.store.read(this.lease, this.sent, CHUNK, this.tag), this.entriesCame);
  }

  private readonly entriesCame = (entries: readonly Entry[] | 'fenced' | 'gone'): void => {
    if (this.state !== 'reading') return;
    if (entries === 'fenced' || entries === 'gone') {
      this.refuse(entries);
      return;
    }
    const last = entries.at(-1)?.seq;
    if (last !== undefined && last > this.stored) this.stored = last;
    // whoever said that there is more was wrong, unless that was after we had asked
    if (last === undefined && this.stored === this.storedWhenAsked) this.stored = this.sent;
    // still `reading`, so that whoever hears of one does not make us read on in the middle of these
    for (const { seq, tag, data } of entries) {
      if (this.isOver() || !this.hasRoom()) break;
      if (seq !== this.sent + 1) {
        this.fail(new Error(`the store has ${seq} after ${this.sent}`));
        return;
      }
      this.forward(seq, tag, data);
    }
    if (!this.isOver()) this.state = 'idle';
  };

  private forward(seq: number, tag: number, data: Data): void {
    this.sent = seq;
    this.tag = tag;
    this.transport.send(encodeMessage(seq, tag, data));
  }

  /** One question at a time: a fast client acknowledges while the store still has its last one. */
  private tellStore(): void {
    this.isAcknowledging = true;
    const seq = this.acked;
    this.ask(
      () => this.store.acknowledge(this.lease, seq),
      (standing: Standing) => {
        this.isAcknowledging = false;
        if (this.isOver()) return;
        if (standing !== 'ok') {
          this.refuse(standing);
          return;
        }
        this.ackedInStore = seq;
        this.owner.acknowledged();
        if (this.acked > this.ackedInStore) this.tellStore();
      },
    );
  }

  private ask<T>(question: () => Awaitable<T>, told: (answer: T) => void): void {
    whenAnswered(question, told, this.failed, this.goOn);
  }

  private readonly failed = (cause: unknown): void => this.fail(cause);

  private readonly goOn = (): void => this.pump();

  /**
   * A client acknowledges what it has read, at the latest after 250 ms, so a transport that was full is looked at again
   * without a timer of ours.
   */
  private hasRoom(): boolean {
    return this.transport.bufferedAmount < this.highWaterMark;
  }

  private isOver(): boolean {
    return this.state === 'stopped';
  }

  private refuse(standing: 'fenced' | 'gone'): void {
    if (this.isOver()) return;
    this.stop();
    this.owner.refused(standing);
  }

  private fail(cause: unknown): void {
    if (this.isOver()) return;
    this.stop();
    this.owner.storeFailed(cause);
  }
}
