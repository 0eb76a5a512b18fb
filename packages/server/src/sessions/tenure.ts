// Who serves a session from one lease to the next?
//
// One socket, one lease, two lanes. The session outlives it: the next socket gets a lease and lanes of its own, and what
// an old one still does is fenced off by the store.

import {
  CLOSE,
  encodePong,
  encodeVolatile,
  END,
  type FrameFromClient,
  type MessageFrame,
} from '@holdfast/session/wire';
import { retryAfterReason, type Data } from '@holdfast/core';
import { serverError, storeFailed, type ServerError } from '../errors.ts';
import { Acks } from './acks.ts';
import { ignore, whenAnswered } from './awaitable.ts';
import type { SessionFace } from './face.ts';
import { InboundLane } from './inbound.ts';
import type { SessionSettings } from './options.ts';
import { OutboundLane, type Position } from './outbound.ts';
import type { SessionPlatform, Transport } from './platform.ts';
import type { EndReason, Entry, Lease, SessionStore, Standing } from './store.ts';

/** What all tenures of a node have in common. */
export interface TenureHome<Identity> {
  readonly settings: Pick<
    SessionSettings<Identity, never>,
    'handle' | 'maxMessage' | 'maxMessages' | 'maxBytes' | 'highWaterMark'
  >;
  readonly store: SessionStore;
  readonly platform: SessionPlatform;
  /** How long a store keeps a session that nobody touches: more than `ttl`, since the half itself ends it in time. */
  readonly storedFor: number;
  failed(error: ServerError, face?: SessionFace<Identity>): void;
  /** Nothing of it is in flight: whoever waits for the session can have it now. */
  idle(tenure: Tenure<Identity>): void;
  /** Its socket is gone; the lease is given back as soon as what is in flight is finished. */
  left(tenure: Tenure<Identity>): void;
  /** The lease is given back, and the session waits for its client. */
  released(tenure: Tenure<Identity>): void;
  /** Another lease is newer. */
  fenced(tenure: Tenure<Identity>): void;
  /** The session has ended. */
  ended(tenure: Tenure<Identity>, reason: EndReason, undelivered: readonly Entry[]): void;
}

/** Where a lease begins. */
export interface Beginning {
  readonly lease: Lease;
  /** The last of the client's messages that is committed. */
  readonly committed: number;
  /** The last that is stored for the client. */
  readonly stored: number;
  /** What the client says it has. */
  readonly received: Position;
  /** Bytes that the client keeps until they are acknowledged. */
  readonly window: number;
  /** See {@link InboundLane}. */
  readonly alreadyHandled: number;
}

/**
 * `serving`: a socket is there. `ending`: the client has said its end, which waits for its messages before it;
 * `ending-alone`: and its socket is gone. `leaving`: the socket is gone, and what is in flight is finished. `over`: nothing
 * is left to do.
 */
type State = 'serving' | 'ending' | 'ending-alone' | 'leaving' | 'over';

const NORMAL = 1000;
const TOO_LARGE = 1009;
const SERVICE_RESTART = 1012;

/** How long a node stands back for another that wants the session; that one asks several times meanwhile. */
const STAND_BACK = 1_000;

export class Tenure<Identity> {
  readonly lease: Lease;
  private state: State = 'serving';
  private readonly inbound: InboundLane;
  private readonly outbound: OutboundLane;
  private readonly acks: Acks;
  private cancelReopening: (() => void) | undefined;
  /** The node is about to leave: nothing begins any more, also for a client that has said its end. */
  private isResting = false;
  /** The store is asked to end the session for its client, and its answer says what there is to say. */
  private isBeingEnded = false;

  /** `hangUp` closes the socket with this code; nothing more is heard of it. */
  constructor(
    private readonly home: TenureHome<Identity>,
    readonly face: SessionFace<Identity>,
    private readonly transport: Transport,
    private readonly hangUp: (code: number, reason: string) => void,
    beginning: Beginning,
  ) {
    const { store, platform, settings } = home;
    const { lease, committed, stored, received, window, alreadyHandled } = beginning;
    const refused = (standing: 'fenced' | 'gone') => this.stands(standing);
    const storeFailed = (cause: unknown) => this.storeFailed(cause);
    this.lease = lease;
    this.acks = new Acks(transport, platform, window, committed);
    this.inbound = new InboundLane(store, lease, committed, alreadyHandled, settings, {
      now: () => platform.now(),
      handle: (message) => settings.handle(message, face),
      handlerFailed: (cause, seq) =>
        home.failed(serverError('HANDLER_FAILED', `handle threw at message ${seq} of a session`, { cause }), face),
      committed: (seq, messages, bytes) => {
        if (this.isServed) this.acks.owe(seq, messages, bytes);
      },
      idle: () => this.inboundIdle(),
      crowded: (isCrowded) => {
        if (!this.isServed) return;
        if (isCrowded) transport.pause();
        else transport.resume();
      },
      refused,
      storeFailed,
    });
    this.outbound = new OutboundLane(store, lease, received, stored, transport, settings.highWaterMark, {
      acknowledged: () => face.roomMade(),
      refused,
      storeFailed,
    });
  }

  /** A socket is there and the session lives. */
  get isServed(): boolean {
    return this.state === 'serving' || this.state === 'ending';
  }

  /** The session has to live on: a socket is there, or what came before its client's end is still to be handled. */
  get isKept(): boolean {
    return this.isServed || this.state === 'ending-alone';
  }

  /** Nothing is in flight. */
  get isIdle(): boolean {
    return this.inbound.isIdle;
  }

  /** The last message that was handled here, committed or not. */
  get handledTo(): number {
    return this.inbound.handledTo;
  }

  /** The client knows that it is ready; sends it what waits. What it said it has may have made room. */
  start(): void {
    if (!this.isServed) return;
    this.outbound.pump();
    this.face.roomMade();
  }

  /** A frame of the client's. */
  received(frame: FrameFromClient): void {
    if (!this.isServed) return;
    switch (frame.type) {
      case 'message':
        return this.messageCame(frame);
      case 'volatile':
        if (this.state === 'serving') this.face.emit('volatile', frame.data);
        return;
      case 'ack':
        return void this.acknowledged(frame.received);
      case 'ping':
        if (this.acknowledged(frame.received)) this.transport.send(encodePong(this.acks.take()));
        return;
      case 'end':
        if (this.state !== 'serving') return;
        this.state = 'ending';
        this.inboundIdle();
        return;
      case 'open':
      case 'resume':
        return this.broken('the session is ready already');
      case 'invalid':
        return this.broken(frame.why);
      case 'unknown': // kept for additions
    }
  }

  /** The socket is gone, or has been told to go. */
  leave(): void {
    switch (this.state) {
      case 'serving':
        this.state = 'leaving';
        this.quiet();
        this.inbound.shut();
        this.home.left(this);
        this.face.disconnected();
        this.inboundIdle();
        return;
      case 'ending':
        if (this.isResting && !this.isBeingEnded) {
          this.state = 'serving';
          return this.leave();
        }
        // its client does not come back, so what it has sent is handled to the end
        this.state = 'ending-alone';
        this.quiet();
        this.face.disconnected();
        this.inbound.reopen();
        return;
      case 'ending-alone':
      case 'leaving':
      case 'over':
    }
  }

  /** Somebody else wants the session: begins nothing for a while. If nobody takes it, it goes on. */
  standBack(): void {
    if (this.state === 'over') return;
    this.inbound.rest();
    this.cancelReopening?.();
    const { platform } = this.home;
    this.cancelReopening = platform.wake(platform.now() + STAND_BACK, () => this.inbound.reopen());
  }

  /** The node is about to leave: begins nothing more. */
  rest(): void {
    this.isResting = true;
    this.inbound.rest();
    this.cancelReopening?.();
  }

  /** The node leaves. What comes before its client's end waits for another node, or for `ttl`, since nothing begins here. */
  dismiss(): void {
    if (this.isBeingEnded) return;
    this.hangUp(SERVICE_RESTART, '');
    if (this.state === 'ending' || this.state === 'ending-alone') this.state = 'serving';
    this.leave();
  }

  /** Says what is owed, now. */
  flush(): void {
    if (this.isServed) this.acks.flush();
  }

  /** This lease means nothing any more: a newer one has been given, here or elsewhere. */
  supersede(): void {
    this.stop();
    this.hangUp(CLOSE.superseded, '');
    this.face.disconnected();
  }

  /** The session has ended here, in good order. */
  end(): void {
    const wasServed = this.isServed;
    this.stop();
    if (wasServed) this.transport.send(END);
    this.hangUp(NORMAL, '');
  }

  /** Asks the store for messages that we were not told of. */
  check(): void {
    if (this.isServed) this.outbound.check();
  }

  news(seq: number | undefined): void {
    if (this.isServed) this.outbound.news(seq);
  }

  appendBegins(): void {
    this.outbound.appendBegins();
  }

  appendEnds(): void {
    this.outbound.appendEnds();
  }

  appended(seq: number, tag: number, data: Data, before: number | undefined): void {
    if (this.isServed) this.outbound.appended(seq, tag, data, before);
  }

  /** False without a socket, or if too much waits in it: half of what stops tracked messages, so that these come first. */
  sendVolatile(data: Data): boolean {
    if (!this.isServed || this.transport.bufferedAmount * 2 >= this.home.settings.highWaterMark) return false;
    this.transport.send(encodeVolatile(data));
    return true;
  }

  /** What the store says of the lease. */
  stands(standing: Standing, reason: EndReason = 'unknown', undelivered: readonly Entry[] = []): void {
    if (this.state === 'over' || standing === 'ok') return;
    if (standing === 'fenced') {
      this.supersede();
      this.home.fenced(this);
      return;
    }
    if (reason === 'ended') this.end();
    else this.loseClient();
    this.home.ended(this, reason, undelivered);
  }

  // ---------------------------------------------------------------------------------------------------------------

  /** The client comes again at once, and is told then why it has lost its session. */
  private loseClient(): void {
    this.stop();
    this.hangUp(SERVICE_RESTART, retryAfterReason(0));
  }

  private messageCame({ seq, data }: MessageFrame): void {
    if (this.state !== 'serving') return;
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.length;
    if (bytes > this.home.settings.maxMessage) {
      // a code by which the client knows the message for one that never gets through
      this.hangUp(TOO_LARGE, '');
      this.leave();
      return;
    }
    switch (this.inbound.push(seq, data, bytes)) {
      case 'taken':
        return;
      case 'duplicate':
        return this.acks.repeat();
      case 'gap':
        return this.broken('gap');
    }
  }

  private acknowledged(seq: number): boolean {
    if (this.outbound.acknowledge(seq)) return this.isServed;
    this.broken('ack above sent');
    return false;
  }

  private broken(why: string): void {
    this.hangUp(CLOSE.protocol, why);
    this.leave();
  }

  private inboundIdle(): void {
    if (!this.inbound.isIdle) return;
    switch (this.state) {
      case 'serving':
      case 'over':
        break;
      case 'ending':
      case 'ending-alone':
        if (this.inbound.isEmpty) this.endForClient();
        break;
      case 'leaving':
        this.release();
    }
    this.home.idle(this);
  }

  private release(): void {
    const { store, storedFor } = this.home;
    const { hasFailed } = this.inbound;
    this.stop();
    this.home.left(this); // from now on, as the store will count
    // what the store was told has begun will not be finished here, so that whoever comes next need not wait for it
    if (hasFailed) whenAnswered(() => store.abandon(this.lease), ignore, ignore);
    whenAnswered(
      () => store.release(this.lease, storedFor),
      (standing) => {
        if (standing === 'ok') this.home.released(this);
        else if (standing === 'fenced') this.home.fenced(this);
        else this.home.ended(this, 'unknown', []);
      },
      (cause) => {
        this.tellOfStore(cause);
        this.home.released(this); // it expires by itself
      },
    );
  }

  private endForClient(): void {
    if (this.isBeingEnded) return;
    this.isBeingEnded = true;
    const { store, storedFor } = this.home;
    this.outbound.stop();
    this.cancelReopening?.();
    // not `over` yet: the answer decides what there is to say
    whenAnswered(
      () => store.end(this.lease, 'ended', storedFor),
      ({ standing, undelivered }) => {
        if (this.state === 'over') return;
        if (standing !== 'ok') return this.stands(standing);
        this.acks.flush();
        this.stop();
        this.hangUp(NORMAL, '');
        this.home.ended(this, 'ended', undelivered);
      },
      (cause) => this.storeFailed(cause),
    );
  }

  /** The session lives, as far as anybody knows; a handler that is in flight may still be committed. */
  private storeFailed(cause: unknown): void {
    if (this.state === 'over') return;
    this.tellOfStore(cause);
    this.hangUp(CLOSE.store, '');
    if (this.state === 'leaving') return this.inboundIdle();
    this.isBeingEnded = false;
    this.state = 'serving'; // also from its end, for which the session now has to expire
    this.leave();
  }

  private tellOfStore(cause: unknown): void {
    this.home.failed(storeFailed(cause), this.face);
  }

  /** Of the socket nothing more is expected, and nothing is said to it. */
  private quiet(): void {
    this.acks.stop();
    this.outbound.stop();
    this.cancelReopening?.();
  }

  private stop(): void {
    this.state = 'over';
    this.quiet();
    this.inbound.stop();
  }
}
