// How does a session look from the application's side?

import type { Binary } from '@holdfast/core';
import { Emitter } from '../emitter.ts';
import type { Session, SessionEvents, SessionSendOptions } from './session.ts';
import type { EndReason, Entry } from './store.ts';

/** What the face needs of the half. */
export interface FaceOwner {
  send(sid: string, data: string | Binary, options: SessionSendOptions | undefined): Promise<boolean>;
  end(sid: string): Promise<unknown>;
  listenerThrew(event: string, cause: unknown): void;
  /** Calls it in a later turn of the loop. */
  later(fn: () => void): void;
}

/** It outlives sockets: whoever serves the session tells it what happens. */
export class SessionFace<Identity> extends Emitter<SessionEvents> implements Session<Identity> {
  identity: Identity;
  private state: 'connected' | 'disconnected' | 'ended' = 'disconnected';
  /** A `send` was refused for want of room, and nobody was told of room since. */
  private owesWritable = false;
  /** How often there was room again. */
  roomsMade = 0;
  /** What that was, as far as whoever was refused lately has heard; undefined if nobody was. */
  private roomsHeard: number | undefined;

  constructor(
    readonly sid: string,
    readonly principal: string,
    identity: Identity,
    private readonly owner: FaceOwner,
  ) {
    super();
    this.identity = identity;
    this.listenerThrew = (event, cause) => owner.listenerThrew(event, cause);
  }

  get isConnected(): boolean {
    return this.state === 'connected';
  }

  async send(data: string | Binary, options?: SessionSendOptions): Promise<boolean> {
    return this.state !== 'ended' && this.owner.send(this.sid, data, options);
  }

  async end(): Promise<void> {
    if (this.state !== 'ended') await this.owner.end(this.sid);
  }

  connected(identity: Identity): void {
    if (this.state === 'ended') return;
    this.state = 'connected';
    this.identity = identity;
  }

  disconnected(): void {
    if (this.state !== 'connected') return;
    this.state = 'disconnected';
    this.emit('close');
  }

  sendRefused(): void {
    this.owesWritable = true;
  }

  /**
   * The same, by a store that has taken a while: `roomsBefore` is what `roomsMade` was when it was asked. Room that was made
   * since then is told once more, when the caller knows that there was none and listens.
   */
  sendRefusedLater(roomsBefore: number): void {
    this.sendRefused();
    if (this.roomsHeard !== undefined) return;
    this.roomsHeard = roomsBefore;
    this.owner.later(() => {
      if (this.state !== 'ended' && this.roomsMade > this.roomsHeard!) this.emit('writable');
      this.roomsHeard = undefined;
    });
  }

  roomMade(): void {
    this.roomsMade++;
    if (!this.owesWritable) return;
    this.owesWritable = false;
    this.emit('writable');
  }

  ended(reason: EndReason, undelivered: readonly Entry[]): void {
    if (this.state === 'ended') return;
    this.disconnected();
    this.state = 'ended';
    this.emit('ended', { reason, undelivered });
  }
}
