// Which sessions does this node know, and who serves them?

import type { IncomingMessage } from 'node:http';
import { viewOf, type Binary, type Data } from '@holdfast/core';
import { CLOSE } from '@holdfast/session/wire';
import { serverError, shown, storeFailed, type ServerError } from '../errors.ts';
import { ignore, isPromised, whenAnswered } from './awaitable.ts';
import { Beats, beatOf, type BeatsHome, type Held } from './beats.ts';
import { SessionFace, type FaceOwner } from './face.ts';
import { Link, NOWHERE, type LinkHome } from './link.ts';
import type { SessionSettings } from './options.ts';
import type { SessionOwner, SessionPlatform, SessionVisitor, Transport } from './platform.ts';
import { createSecrets } from './secrets.ts';
import type { Session, SessionSendOptions } from './session.ts';
import type {
  AppendOutcome,
  Awaitable,
  EndReason,
  Entry,
  Lease,
  SessionBounds,
  SessionStore,
  StoreNews,
} from './store.ts';
import type { Takeover } from './takeover.ts';
import { Tenure, type Beginning, type TenureHome } from './tenure.ts';

export type { SessionInfo, SessionOwner, SessionPlatform, SessionVisitor, Transport } from './platform.ts';

/** One socket's part in it. */
export interface SessionLink {
  /** A frame has come. */
  received(data: Data): void;
  /** The socket is gone, for whatever reason. */
  closed(): void;
}

/** The server's half of the session layer, on one node. */
export interface SessionHalf<Identity, Request = IncomingMessage> {
  /** Takes a socket that has offered a session and is open, and greets it. */
  accept(transport: Transport, visitor: SessionVisitor<Identity, Request>): SessionLink;
  /** Sends to a session wherever it is served; see {@link Session.send}. */
  send(sid: string, data: string | Binary, options?: SessionSendOptions): Promise<boolean>;
  /**
   * Ends a session wherever it is served; false if there is none.
   * @throws STORE_FAILED, as a rejection
   */
  end(sid: string): Promise<boolean>;
  /** A session that this node knows. */
  get(sid: string): Session<Identity> | undefined;
  /**
   * Begins no message more and takes nobody in; resolves when no handler is in flight, after `timeout` milliseconds at the
   * latest. The sockets stay as they are.
   * @default takeoverTimeout
   */
  rest(timeout?: number): Promise<void>;
  /**
   * Rests for at most `timeout` milliseconds, closes the sockets of sessions with 1012, gives the leases back and stops
   * listening to the store, which stays open. May be called twice.
   * @default takeoverTimeout
   */
  close(timeout?: number): Promise<void>;
}

export function createSessionHalf<Identity, Request = IncomingMessage>(
  settings: SessionSettings<Identity, Request>,
  platform: SessionPlatform,
  owner: SessionOwner<Identity>,
): SessionHalf<Identity, Request> {
  return new Half(settings, platform, owner);
}

type State =
  { readonly name: 'open' } | { readonly name: 'resting' } | { readonly name: 'closing'; readonly done: Promise<void> };

const STORED = Promise.resolve(true);
const NOT_STORED = Promise.resolve(false);

class Half<Identity, Request>
  implements
    SessionHalf<Identity, Request>,
    LinkHome<Identity, Request>,
    TenureHome<Identity>,
    BeatsHome<Identity>,
    FaceOwner
{
  readonly store: SessionStore;
  readonly secrets: LinkHome<Identity, Request>['secrets'];
  readonly bounds: SessionBounds;
  readonly storedFor: number;
  private state: State = { name: 'open' };
  readonly held = new Map<string, Held<Identity>>();
  private readonly beats: Beats<Identity>;
  /** Sessions that links of ours are asking the store for. */
  private arrivals = 0;
  /** Leases of ours that the store has not taken back. */
  private readonly unreleased = new Set<Tenure<Identity>>();
  /** Clients of this node that want a session while a handler still has one of its messages. */
  private readonly takeovers = new Map<string, Set<Takeover>>();
  /**
   * Sessions that we are just ending: the store's answer says what was not delivered, so it comes before what else is heard,
   * unless that says so itself.
   */
  private readonly ending = new Set<string>();
  /** Whoever waits until something has finished; each is asked again whenever something has. */
  private readonly waits = new Set<() => void>();
  private readonly unwatch: () => void;

  constructor(
    readonly settings: SessionSettings<Identity, Request>,
    readonly platform: SessionPlatform,
    private readonly owner: SessionOwner<Identity>,
  ) {
    const { store, ttl, heartbeat, maxMessages, maxBytes, maxSessionsPerPrincipal } = settings;
    this.store = store;
    this.secrets = createSecrets(platform);
    const beat = beatOf(ttl, heartbeat);
    // a beat may come just before a client goes, and another passes until we look who has not come back
    this.storedFor = Math.ceil(ttl + 2 * beat);
    this.beats = new Beats(this, beat);
    this.bounds = { ttl: this.storedFor, maxMessages, maxBytes, maxPerPrincipal: maxSessionsPerPrincipal };
    this.unwatch = store.watch(platform.node, (news) => this.heard(news));
  }

  // --- for the server --------------------------------------------------------------------------------------------

  accept(transport: Transport, visitor: SessionVisitor<Identity, Request>): SessionLink {
    return new Link(this, transport, visitor);
  }

  get(sid: string): Session<Identity> | undefined {
    return this.held.get(sid)?.face;
  }

  send(sid: string, given: string | Binary, options?: SessionSendOptions): Promise<boolean> {
    const data = typeof given === 'string' ? given : viewOf(given);
    if (data === undefined) {
      const message = `send takes text and binary, got ${shown(given)}`;
      return Promise.reject(serverError('INVALID_DATA', message, { value: given }));
    }
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.length;
    const { maxMessage } = this.settings;
    if (bytes > maxMessage) {
      const message = `a message of a session has at most ${maxMessage} bytes (sessions.maxMessage), this one ${bytes}`;
      return Promise.reject(serverError('INVALID_DATA', message, { value: bytes }));
    }
    const tenure = this.held.get(sid)?.tenure;
    if (options?.volatile) return tenure?.sendVolatile(data) ? STORED : NOT_STORED;
    return this.append(sid, typeof data === 'string' ? data : data.slice(), bytes, tenure);
  }

  private append(sid: string, data: Data, bytes: number, tenure: Tenure<Identity> | undefined): Promise<boolean> {
    const tag = this.secrets.tag();
    const face = tenure?.face;
    const roomsBefore = face?.roomsMade ?? 0;
    tenure?.appendBegins();
    let outcome: Awaitable<AppendOutcome>;
    try {
      outcome = this.store.append(sid, { tag, data }, bytes, this.bounds);
    } catch (cause) {
      tenure?.appendEnds();
      return Promise.reject(storeFailed(cause));
    }
    if (!isPromised(outcome)) return this.appendAnswered(outcome, sid, tag, data, tenure) ? STORED : NOT_STORED;
    return Promise.resolve(outcome).then(
      (answer) => {
        if (answer.name === 'full') face?.sendRefusedLater(roomsBefore);
        return this.appendAnswered(answer, sid, tag, data, tenure);
      },
      (cause) => {
        tenure?.appendEnds();
        throw storeFailed(cause);
      },
    );
  }

  private appendAnswered(
    outcome: AppendOutcome,
    sid: string,
    tag: number,
    data: Data,
    tenure: Tenure<Identity> | undefined,
  ): boolean {
    const held = this.held.get(sid);
    // the session may have another tenure by now, and it is that one's to forward
    if (outcome.name === 'stored') held?.tenure.appended(outcome.seq, tag, data, outcome.before);
    tenure?.appendEnds();
    switch (outcome.name) {
      case 'stored':
        return true;
      case 'full':
        held?.face.sendRefused();
        return false;
      case 'overflow':
        this.lost(sid, 'overflow', outcome.undelivered);
        return false;
      case 'gone':
        this.lost(sid, 'unknown');
        return false;
    }
  }

  async end(sid: string): Promise<boolean> {
    this.ending.add(sid);
    try {
      const { standing, undelivered } = await this.store.end({ sid }, 'ended', this.settings.ttl);
      this.ending.delete(sid);
      const held = this.held.get(sid);
      if (held) {
        held.tenure.end();
        this.ended(held.tenure, 'ended', undelivered);
      }
      return standing === 'ok';
    } catch (cause) {
      this.ending.delete(sid);
      // what we did not want to hear meanwhile is asked for
      this.ask(sid, undefined);
      throw storeFailed(cause);
    }
  }

  async rest(timeout: number = this.settings.takeoverTimeout): Promise<void> {
    if (this.state.name === 'open') this.state = { name: 'resting' };
    for (const tenure of this.unreleased) tenure.rest();
    await this.until(timeout, () => [...this.unreleased].every((tenure) => tenure.isIdle));
    for (const tenure of this.unreleased) tenure.flush();
  }

  close(timeout: number = this.settings.takeoverTimeout): Promise<void> {
    if (this.state.name === 'closing') return this.state.done;
    const done = this.rest(timeout).then(() => this.giveBack(timeout));
    this.state = { name: 'closing', done };
    return done;
  }

  private async giveBack(timeout: number): Promise<void> {
    for (const tenure of [...this.unreleased]) tenure.dismiss();
    // for the store's answers; handlers had their time
    await this.until(timeout, () => [...this.unreleased].every((tenure) => !tenure.isIdle));
    this.unwatch();
    this.beats.stop();
    this.held.clear();
    this.unreleased.clear();
  }

  // --- for the links ---------------------------------------------------------------------------------------------

  room(sid?: string): 'here' | 'room' | 'full' | 'leaving' {
    if (this.state.name !== 'open') return 'leaving';
    if (sid !== undefined && this.held.has(sid)) return 'here';
    return this.held.size + this.arrivals < this.settings.maxSessions ? 'room' : 'full';
  }

  arriving(change: number): void {
    this.arrivals += change;
  }

  waiting(sid: string, takeover: Takeover): () => void {
    const all = this.takeovers.get(sid) ?? new Set();
    this.takeovers.set(sid, all.add(takeover));
    return () => {
      all.delete(takeover);
      if (all.size === 0 && this.takeovers.get(sid) === all) this.takeovers.delete(sid);
    };
  }

  standBack(sid: string): void {
    if (this.state.name === 'open') this.held.get(sid)?.tenure.standBack();
  }

  lost(sid: string, reason: EndReason, undelivered: readonly Entry[] = []): void {
    const held = this.held.get(sid);
    if (!held) return;
    held.tenure.stands('gone', reason, undelivered);
    this.ended(held.tenure, reason, undelivered); // also if there was nothing left to stand
  }

  discard(beginning: Beginning, isNew: boolean): void {
    const { store, settings } = this;
    const { lease } = beginning;
    const before = this.held.get(lease.sid);
    if (before && before.tenure.lease.conn < lease.conn) {
      // it is here already, and goes on waiting for its client under the newer lease
      const tenure = this.take(before.face, NOWHERE, ignore, beginning);
      before.tenure.supersede();
      tenure.leave();
      return;
    }
    const failed = (cause: unknown) => this.failed(storeFailed(cause));
    if (isNew) whenAnswered(() => store.end(lease, 'ended', settings.ttl), ignore, failed);
    else whenAnswered(() => store.release(lease, this.storedFor), ignore, failed);
  }

  handledBefore({ sid, conn }: Lease): number {
    const tenure = this.held.get(sid)?.tenure;
    return tenure?.lease.conn === conn - 1 ? tenure.handledTo : 0;
  }

  begin(start: Parameters<LinkHome<Identity, Request>['begin']>[0]): void {
    const { transport, hangUp, visitor, principal, beginning, ready, isResumed } = start;
    const { lease } = beginning;
    const before = this.held.get(lease.sid);
    if (this.state.name !== 'open') {
      hangUp(SERVICE_RESTART, '');
      this.discard(beginning, !isResumed);
      return;
    }
    if (before && before.tenure.lease.conn > lease.conn) {
      // two answers of the store have crossed
      hangUp(CLOSE.superseded, '');
      return;
    }
    const face = before?.face ?? new SessionFace<Identity>(lease.sid, principal, visitor.identity, this);
    const tenure = this.take(face, transport, hangUp, beginning);
    ready(tenure);
    before?.tenure.supersede();
    // whoever hears that the old socket is closed may send, which goes to the new one, and may end the session
    if (this.held.get(lease.sid)?.tenure !== tenure) return;
    face.connected(visitor.identity);
    this.owner.session(face, { resumed: isResumed });
    tenure.start();
  }

  /** The newest lease of a session is ours; whoever had it here before means nothing any more. */
  private take(
    face: SessionFace<Identity>,
    transport: Transport,
    hangUp: (code: number, reason: string) => void,
    beginning: Beginning,
  ): Tenure<Identity> {
    const { sid } = beginning.lease;
    const tenure = new Tenure<Identity>(this, face, transport, hangUp, beginning);
    const before = this.held.get(sid);
    if (before) this.unreleased.delete(before.tenure);
    this.held.set(sid, { face, tenure, expiresAt: undefined });
    this.unreleased.add(tenure);
    this.beats.start();
    return tenure;
  }

  // --- for the tenures and the faces -----------------------------------------------------------------------------

  failed(error: ServerError, face?: Session<Identity>): void {
    this.owner.failed(error, face);
  }

  listenerThrew(event: string, cause: unknown): void {
    this.failed(serverError('LISTENER_THREW', `a listener of a session's '${event}' threw`, { cause }));
  }

  later(fn: () => void): void {
    this.platform.wake(this.platform.now(), fn);
  }

  idle({ lease }: Tenure<Identity>): void {
    if (this.takeovers.size > 0) for (const takeover of [...(this.takeovers.get(lease.sid) ?? [])]) takeover.nudge();
    this.somethingFinished();
  }

  left(tenure: Tenure<Identity>): void {
    const held = this.held.get(tenure.lease.sid);
    if (held?.tenure === tenure) held.expiresAt = this.platform.now() + this.settings.ttl;
  }

  released(tenure: Tenure<Identity>): void {
    this.left(tenure);
    this.finished(tenure);
  }

  fenced(tenure: Tenure<Identity>): void {
    const { sid } = tenure.lease;
    if (this.held.get(sid)?.tenure === tenure) this.held.delete(sid);
    this.finished(tenure);
  }

  ended(tenure: Tenure<Identity>, reason: EndReason, undelivered: readonly Entry[]): void {
    const { sid } = tenure.lease;
    this.finished(tenure);
    const held = this.held.get(sid);
    if (held?.tenure !== tenure || (this.ending.has(sid) && undelivered.length === 0)) return;
    this.held.delete(sid);
    held.face.ended(reason, undelivered);
  }

  private finished(tenure: Tenure<Identity>): void {
    this.unreleased.delete(tenure);
    this.somethingFinished();
  }

  private somethingFinished(): void {
    if (this.waits.size > 0) for (const look of [...this.waits]) look();
  }

  /** Resolves when it is so, or after `timeout`. */
  private until(timeout: number, isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = () => {
        if (isSo()) done();
      };
      const done = () => {
        cancel();
        this.waits.delete(look);
        resolve();
      };
      const cancel = this.platform.wake(this.platform.now() + timeout, done);
      this.waits.add(look);
    });
  }

  // --- news ------------------------------------------------------------------------------------------------------

  private heard(news: StoreNews): void {
    switch (news.name) {
      case 'appended':
        return this.held.get(news.sid)?.tenure.news(news.seq);
      case 'yield':
        return this.standBack(news.sid);
      case 'gone':
        return this.ask(news.sid, news.reason);
    }
  }

  /** News may be old, so the store is asked before anything is believed. */
  private ask(sid: string, reason: EndReason | undefined): void {
    const held = this.held.get(sid);
    if (!held) return;
    const { tenure } = held;
    whenAnswered(
      () => this.store.touch([tenure.lease], this.storedFor),
      ([standing]) => {
        if (standing === 'gone') this.lost(sid, reason ?? 'unknown');
        else if (standing === 'fenced') tenure.stands('fenced');
        if (standing === 'fenced') this.fenced(tenure);
      },
      (cause) => this.failed(storeFailed(cause)),
    );
  }
}

const SERVICE_RESTART = 1012;
