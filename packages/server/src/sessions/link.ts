// What does one socket go through, from our greeting to its end?

import {
  CLOSE,
  VERSION,
  decodeFromClient,
  encodeHello,
  encodeLost,
  encodePong,
  encodeReady,
  type FrameFromClient,
  type OpenFrame,
  type ResumeFrame,
} from '@holdfast/session/wire';
import { retryAfterReason, type Data } from '@holdfast/core';
import { serverError, shown, storeFailed, type ServerError } from '../errors.ts';
import { ignore, whenAnswered } from './awaitable.ts';
import { MAX_HEADER, type SessionSettings } from './options.ts';
import type { SessionPlatform, SessionVisitor, Transport } from './platform.ts';
import { hashOf, type Secrets } from './secrets.ts';
import { takeOver, type Takeover } from './takeover.ts';
import type { Beginning, Tenure } from './tenure.ts';
import type { EndReason, Lease, OpenRequest, ResumeOutcome, Resumed, SessionBounds } from './store.ts';

/** What all links of a node have in common. */
export interface LinkHome<Identity, Request> {
  readonly settings: SessionSettings<Identity, Request>;
  readonly bounds: SessionBounds;
  readonly platform: SessionPlatform;
  readonly secrets: Secrets;
  /** Whether a session may begin on this node, or come to it from another, or is `here`. `leaving`: none may. */
  room(sid?: string): 'here' | 'room' | 'full' | 'leaving';
  /** So many more sessions, or fewer, may be here as soon as the store has answered. */
  arriving(change: number): void;
  failed(error: ServerError): void;
  /** A takeover waits for what this node has in flight. Returns a forget. */
  waiting(sid: string, takeover: Takeover): () => void;
  /** The session is busy, so that whoever has it here stands back. */
  standBack(sid: string): void;
  /** Nobody can resume this session any more. */
  lost(sid: string, reason: EndReason): void;
  /** A lease that nobody wants: the socket went while the store was asked. */
  discard(beginning: Beginning, isNew: boolean): void;
  /** The last position that this node has handled under the lease just before, for what it could not commit. */
  handledBefore(lease: Lease): number;
  /** The lease is this link's. `ready` writes the answer to the client; then the application is told, and it begins. */
  begin(start: {
    readonly transport: Transport;
    readonly hangUp: (code: number, reason: string) => void;
    readonly visitor: SessionVisitor<Identity, Request>;
    readonly principal: string;
    readonly beginning: Beginning;
    readonly ready: (tenure: Tenure<Identity>) => void;
    readonly isResumed: boolean;
  }): void;
}

/**
 * `greeted`: an open or a resume is expected; also after there was nothing to resume. `admitting`: `authorize` is asked, and
 * then the store, by `opening` or `resuming`. `ready`: the tenure has it. `ending`: we have closed it or it is gone, and
 * whatever still comes means nothing.
 */
type State<Identity> =
  | { readonly name: 'greeted'; readonly cancelDeadline: () => void }
  | { readonly name: 'admitting'; readonly cancelDeadline: () => void }
  | { readonly name: 'opening' }
  | { readonly name: 'resuming'; readonly stopAsking: () => void; readonly isArriving: boolean }
  | { readonly name: 'ready'; readonly tenure: Tenure<Identity> }
  | { readonly name: 'ending' };

/** Bytes of a frame from somebody whom we do not know yet: a resume, and what `auth` needs. */
const MAX_HANDSHAKE_FRAME = 4_096;

const NORMAL = 1000;
const TOO_LARGE = 1009;
const SERVICE_RESTART = 1012;
const TRY_AGAIN_LATER = 1013;
const UNAUTHORIZED = 4401;

export class Link<Identity, Request> {
  private state: State<Identity> = { name: 'ending' };
  private readonly transport: Wire;
  /** Until the socket is gone. */
  private visitor: SessionVisitor<Identity, Request> | undefined;

  constructor(
    private readonly home: LinkHome<Identity, Request>,
    transport: Transport,
    visitor: SessionVisitor<Identity, Request>,
  ) {
    this.transport = new Wire(transport);
    this.visitor = visitor;
    const { ttl, maxMessage, heartbeat, maxBytes } = home.settings;
    if (home.room() === 'leaving') {
      transport.close(SERVICE_RESTART, '');
      return;
    }
    transport.send(encodeHello({ ttl: Math.ceil(ttl), maxMessage, heartbeat: Math.ceil(heartbeat), window: maxBytes }));
    this.expectIntroduction();
  }

  received(data: Data): void {
    const { state } = this;
    if (state.name === 'ending') return;
    if (state.name === 'ready') {
      if (data.length > this.home.settings.maxMessage + MAX_HEADER) {
        this.close(TOO_LARGE, '');
        state.tenure.leave();
        return;
      }
      state.tenure.received(decodeFromClient(data));
      return;
    }
    if (sizeOf(data) > MAX_HANDSHAKE_FRAME) this.close(CLOSE.protocol, `more than ${MAX_HANDSHAKE_FRAME} bytes`);
    else this.handshakeReceived(state, decodeFromClient(data));
  }

  closed(): void {
    const { state } = this;
    this.become({ name: 'ending' });
    if (state.name === 'ready') state.tenure.leave();
    this.transport.letGo();
    this.visitor = undefined;
  }

  // ---------------------------------------------------------------------------------------------------------------

  private handshakeReceived(state: State<Identity>, frame: FrameFromClient): void {
    switch (frame.type) {
      case 'open':
      case 'resume':
        if (state.name === 'greeted') this.admit(frame);
        else this.close(CLOSE.protocol, 'one at a time');
        return;
      case 'ping': // a client whose heart beats while it waits for us
        this.transport.send(encodePong(0));
        return;
      case 'end':
        this.close(NORMAL, '');
        return;
      case 'unknown': // kept for additions
        return;
      case 'invalid':
        this.close(CLOSE.protocol, frame.why);
        return;
      case 'message':
      case 'volatile':
      case 'ack':
        this.close(CLOSE.protocol, 'not ready');
    }
  }

  /** Asked on every open and resume: a token alone is no identity. */
  private admit(frame: OpenFrame | ResumeFrame): void {
    if (frame.version > VERSION) return this.close(CLOSE.protocol, 'version');
    const { settings, platform } = this.home;
    const { request, identity } = this.visitor!;
    const late = () => {
      const message = `sessions.authorize gave no answer within ${settings.admissionTimeout} ms`;
      this.admissionFailed(serverError('ADMISSION_TIMEOUT', message));
    };
    const state = {
      name: 'admitting',
      cancelDeadline: platform.wake(platform.now() + settings.admissionTimeout, late),
    } as const;
    this.become(state);
    whenAnswered<string | false>(
      () => settings.authorize({ request, identity, auth: frame.auth }),
      (principal) => {
        if (this.state !== state) return; // gone, or too late
        if (principal === false) this.refuse(frame);
        else if (typeof principal !== 'string' || principal === '') this.admissionFailed(noPrincipal(principal));
        else if (frame.type === 'open') this.open(frame, principal);
        else this.resume(frame, principal);
      },
      (cause) => {
        if (this.state !== state) return;
        const message = 'sessions.authorize threw, so the client was asked to come back later';
        this.admissionFailed(serverError('AUTHORIZE_FAILED', message, { cause }));
      },
    );
  }

  /**
   * Who may not resume may still open, as somebody else perhaps. Who may not open is closed with what core takes for a
   * refusal: it asks once more with fresh credentials if it can have them, and otherwise it ends.
   */
  private refuse(frame: OpenFrame | ResumeFrame): void {
    if (frame.type === 'open') this.close(UNAUTHORIZED, '');
    else this.nothingToResume('unauthorized');
  }

  private admissionFailed(error: ServerError): void {
    this.home.failed(error);
    this.sendAway();
  }

  private open({ attempt, holders, window }: OpenFrame, principal: string): void {
    const { home } = this;
    switch (home.room()) {
      case 'leaving':
        return this.close(SERVICE_RESTART, '');
      case 'full':
        return this.limit();
      case 'here':
      case 'room':
    }
    const { store } = home.settings;
    const { platform, secrets, bounds } = home;
    const sid = secrets.sid();
    const token = secrets.token();
    const request: OpenRequest = { sid, tokenHash: hashOf(token), principal, attempt, holders, node: platform.node };
    this.become({ name: 'opening' });
    whenAnswered(
      () => store.open(request, bounds),
      (lease) => {
        const isWanted = this.state.name === 'opening';
        if (lease === 'limit') return isWanted ? this.limit() : undefined;
        const received = { seq: 0, tag: 0 };
        const beginning = { lease, committed: 0, stored: 0, received, window, alreadyHandled: 0 };
        if (isWanted) this.begin(principal, beginning, token);
        else home.discard(beginning, true); // its client never heard of it
      },
      (cause) => this.storeFailed(cause),
    );
  }

  private resume(frame: ResumeFrame, principal: string): void {
    const { home } = this;
    const { attempt, holders, sid, token, received, tag, acked, sent } = frame;
    const room = home.room(sid);
    switch (room) {
      case 'leaving':
        return this.close(SERVICE_RESTART, '');
      case 'full': // the session lives, and another node may have room
        return this.sendAway();
      case 'here':
      case 'room':
    }
    const { store, takeoverTimeout } = home.settings;
    const { platform, bounds } = home;
    const claim = {
      sid,
      tokenHash: hashOf(token),
      principal,
      attempt,
      holders,
      node: platform.node,
      received,
      tag,
      acked,
      sent,
    };
    // the store may answer within `takeOver`
    let forget: (() => void) | undefined;
    let takeover: Takeover | undefined;
    const stopAsking = () => {
      takeover?.cancel();
      forget?.();
    };
    const state: State<Identity> = { name: 'resuming', stopAsking, isArriving: room === 'room' };
    this.become(state);
    takeover = takeOver((force) => store.resume({ ...claim, force }, bounds), takeoverTimeout, platform, {
      busy: () => home.standBack(sid),
      done: (outcome) => {
        if (this.state === state) this.resumeAnswered(outcome, frame, principal);
        else if (outcome.name === 'resumed') home.discard(this.beginningOf(outcome, frame), false);
      },
      failed: (cause) => this.storeFailed(cause),
    });
    if (this.state === state) forget = home.waiting(sid, takeover);
    // a socket that went within the call has nothing to stop yet
    else takeover.cancel();
  }

  private resumeAnswered(
    outcome: Exclude<ResumeOutcome, { readonly name: 'busy' }>,
    frame: ResumeFrame,
    principal: string,
  ): void {
    switch (outcome.name) {
      case 'stale':
        return this.close(CLOSE.stale, '');
      case 'lost':
        if (outcome.reason !== 'unauthorized') this.home.lost(frame.sid, outcome.reason);
        this.nothingToResume(outcome.reason);
        return;
      case 'resumed':
        this.begin(principal, this.beginningOf(outcome, frame), undefined);
    }
  }

  private beginningOf({ lease, committed, stored }: Resumed, { received, tag, window }: ResumeFrame): Beginning {
    const alreadyHandled = this.home.handledBefore(lease);
    return { lease, committed, stored, received: { seq: received, tag }, window, alreadyHandled };
  }

  private begin(principal: string, beginning: Beginning, token: string | undefined): void {
    const { transport } = this;
    const { lease, committed, stored } = beginning;
    this.home.begin({
      transport,
      hangUp: (code, reason) => this.close(code, reason),
      visitor: this.visitor!,
      principal,
      beginning,
      isResumed: token === undefined,
      ready: (tenure) => {
        this.become({ name: 'ready', tenure });
        transport.send(encodeReady({ sid: lease.sid, token, received: committed, stored }));
      },
    });
  }

  private limit(): void {
    this.transport.send(encodeLost({ reason: 'limit' }));
    this.sendAway();
  }

  /** No fault of the client's, so it is asked to come back, and slowly. */
  private sendAway(): void {
    this.close(TRY_AGAIN_LATER, retryAfterReason(this.home.settings.retryAfter));
  }

  private storeFailed(cause: unknown): void {
    if (this.state.name === 'ending') return;
    this.home.failed(storeFailed(cause));
    this.close(CLOSE.store, '');
  }

  private nothingToResume(reason: EndReason): void {
    this.transport.send(encodeLost({ reason }));
    this.expectIntroduction();
  }

  private expectIntroduction(): void {
    const { platform, settings } = this.home;
    const deadline = platform.now() + settings.readyTimeout;
    this.become({ name: 'greeted', cancelDeadline: platform.wake(deadline, () => this.close(CLOSE.notReady, '')) });
  }

  private close(code: number, reason: string): void {
    if (this.state.name === 'ending') return;
    this.become({ name: 'ending' });
    this.transport.close(code, reason);
  }

  /** What belongs to a state ends with it. */
  private become(state: State<Identity>): void {
    const left = this.state;
    this.state = state;
    const change = arrivals(state) - arrivals(left);
    if (change !== 0) this.home.arriving(change);
    if ('cancelDeadline' in left) left.cancelDeadline();
    else if (left.name === 'resuming') left.stopAsking();
  }
}

/**
 * The way to the socket. A session that waits for its client keeps it, and a socket that is gone weighs ten times as much as
 * such a session; so it lets go of that.
 */
class Wire implements Transport {
  constructor(private transport: Transport) {}

  send(data: Data): void {
    this.transport.send(data);
  }

  close(code: number, reason: string): void {
    this.transport.close(code, reason);
  }

  pause(): void {
    this.transport.pause();
  }

  resume(): void {
    this.transport.resume();
  }

  get bufferedAmount(): number {
    return this.transport.bufferedAmount;
  }

  letGo(): void {
    this.transport = NOWHERE;
  }
}

/** Sessions that may be here as soon as the store has answered. */
function arrivals<Identity>(state: State<Identity>): number {
  return Number(state.name === 'opening' || (state.name === 'resuming' && state.isArriving));
}

/** For a socket that is gone. */
export const NOWHERE: Transport = {
  send: ignore,
  close: ignore,
  pause: ignore,
  resume: ignore,
  bufferedAmount: 0,
};

function sizeOf(data: Data): number {
  return typeof data === 'string' ? Buffer.byteLength(data) : data.length;
}

const noPrincipal = (value: unknown) =>
  serverError('AUTHORIZE_FAILED', `sessions.authorize must return a text or false, got ${shown(value)}`, { value });
