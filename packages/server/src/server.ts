// What does a server do from its first upgrade to its last close?

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { retryAfterReason } from '@holdfast/core';
import { SUBPROTOCOL } from '@holdfast/session/wire';
import { WebSocketServer } from 'ws';
import { createBucket } from './budget.ts';
import { duration } from './checks.ts';
import { readWindow, slotOf, type DrainOptions, type Window } from './drain.ts';
import { Emitter } from './emitter.ts';
import { serverError, shown, type ServerError } from './errors.ts';
import { createGate, type Gate, type Visitor } from './gate.ts';
import { pathOf } from './handshake.ts';
import { layFoundation, type Foundation } from './http.ts';
import type { ServerOptions } from './options.ts';
import { SocketPeer, type Peer, type PeerContext } from './peer.ts';
import { LONGEST_BEAT, rhythmOf } from './pulse.ts';
import { refuse, retryAfterHeader, type Refusal, type RefusalReason } from './refusal.ts';
import { attach, refuseNobodys, type Route } from './routes.ts';
import { createSeats } from './seats.ts';
import type { SessionHalf } from './sessions/half.ts';
import type { SessionInfo } from './sessions/platform.ts';
import { createHalf, noSessions, offersSession, type Sessions } from './sessions/serving.ts';
import type { Session } from './sessions/session.ts';
import { readOptions, type Settings } from './settings.ts';

/** What a server tells. */
export interface ServerEvents<Identity> {
  /**
   * A plain client is in. Add its listeners here, before the first message is told. Not told of clients with a session: their
   * sockets come and go, and what they say is the session's.
   */
  connection: [peer: Peer<Identity>, request: IncomingMessage];
  /** A session is ready on this node: a new one, or one that has come back. Add its listeners here, if it is new to you. */
  session: [session: Session<Identity>, info: SessionInfo];
  /** A client was refused before the upgrade. At most some ten a second are told, so that a log can follow. */
  refused: [refused: Refused, request: IncomingMessage];
  /**
   * Coded; with `peer` if it is about one and that has no `error` listener itself, with `session` if it is about one. With no
   * listener, `console.error` once per code.
   */
  error: [error: ServerError, peer?: Peer<Identity>, session?: Session<Identity>];
  /** Once, when `close()` or `drain()` is done. */
  close: [];
}

export interface Refused {
  /** The HTTP status that the client was sent. */
  readonly status: number;
  readonly reason: RefusalReason;
  /** Its `Origin` header: quoted and cut short, since it is anybody's text on its way to a log. */
  readonly origin: string | undefined;
  /** The address that it is counted under; undefined if it was refused before that was asked. */
  readonly address: string | undefined;
  /** How many refusals since the last one told were not. */
  readonly untold: number;
}

export interface Server<Identity = undefined> extends Emitter<ServerEvents<Identity>> {
  /** All sessions of its store; see {@link SessionOptions}. */
  readonly sessions: Sessions<Identity>;
  /** Every plain client that is in, closing ones included. */
  readonly peers: ReadonlySet<Peer<Identity>>;
  /** The port in use, once it listens; undefined with `noServer`. */
  readonly port: number | undefined;
  /** At once, or when the HTTP server listens. Rejects SERVER_FAILED if that fails. */
  listening(): Promise<void>;
  /** With `noServer`: takes one upgrade. Always answers it, with 404 if the path is not this server's. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /**
   * Sends everybody away for a deploy: new clients are refused with 503 and `Retry-After`, each peer gets its own moment
   * to come back by a close with 1012 and the reason `retry-after=SECONDS`, and then the server closes. A client with a
   * session is sent away when what is in flight is handled and committed, or after `timeout`. Resolves with how many clients
   * there were. A second call joins the first.
   * @throws INVALID_OPTION, as a rejection
   */
  drain(options: DrainOptions): Promise<number>;
  /**
   * Closes every peer with 1001, and every client with a session with 1012, as soon as what is in flight is handled and
   * committed, or after `timeout` milliseconds. Terminates those that do not answer within as much, and closes the HTTP
   * server if it is its own. The store of sessions stays open. May be called twice.
   * @default { timeout: the server's closeTimeout }
   */
  close(options?: { readonly timeout?: number | undefined }): Promise<void>;
}

/**
 * The other end of a Holdfast client, or of any WebSocket client.
 * @throws INVALID_OPTION, naming the option and the value
 */
export function createServer<Identity = undefined>(options: ServerOptions<Identity>): Server<Identity> {
  return new GuardedServer(readOptions(options));
}

type State =
  | { readonly name: 'open' }
  | { readonly name: 'draining'; readonly window: Window; readonly done: Promise<number> }
  | { readonly name: 'closing'; readonly done: Promise<void> };

const GOING_AWAY = 1001;
const SERVICE_RESTART = 1012;

/** A destroyed socket is gone within a turn of the loop; this is for transports that are not sockets. */
const LAST_WAIT = 1_000;

class GuardedServer<Identity> extends Emitter<ServerEvents<Identity>> implements Server<Identity> {
  readonly peers = new Set<SocketPeer<Identity>>();
  readonly sessions: Sessions<Identity>;
  /** Clients with a session. */
  private readonly linked = new Set<SocketPeer<Identity>>();
  private readonly half: SessionHalf<Identity> | undefined;
  private state: State = { name: 'open' };
  private readonly foundation: Foundation;
  private readonly detach: () => void;
  private readonly ws: WebSocketServer;
  private readonly gate: Gate;
  private readonly route: Route;
  private readonly context: PeerContext<Identity>;
  private readonly timer: NodeJS.Timeout;
  private beats = 0;
  private lastBeat = performance.now();
  private readonly refusalsToTell = createBucket({ perSecond: 10, burst: 10 });
  private untold = 0;
  private readonly toldCodes = new Set<string>();
  private readonly emptied = new Set<() => void>();

  constructor(private readonly settings: Settings<Identity>) {
    super();
    this.listenerThrew = (event, cause) => this.ownListenerThrew(event, cause);
    const rhythm = settings.heartbeat ? rhythmOf(settings.heartbeat) : { ms: LONGEST_BEAT, interval: 1, timeout: 1 };
    this.context = {
      settings,
      rhythm,
      random: Math.random,
      closed: (peer) => this.peerClosed(peer),
      failed: (error, peer) => this.failed(error, peer),
    };
    this.half = settings.sessions && this.createHalf(settings.sessions);
    this.sessions = this.half ?? noSessions();
    this.ws = this.createWebSocketServer();
    const seats = createSeats(settings.maxPeers, settings.maxPeersPerAddress);
    this.gate = createGate(settings, seats, {
      closed: () => this.closedTo(),
      welcome: (request, socket, head, visitor) => this.upgrade(request, socket, head, visitor),
      refused: (refusal, request, address) => this.tellRefusal(refusal, request, address),
      failed: (error) => this.failed(error),
    });
    this.route = {
      path: settings.path,
      enter: (request, socket, head) => this.gate.enter(request, socket, head),
      missed: (refusal, request) => this.tellRefusal(refusal, request),
    };
    this.foundation = layFoundation(settings.place, (error) => this.failed(error));
    const { http } = this.foundation;
    this.detach = http ? attach(http, this.route) : () => {};

    // the beat comes after pending input was read, so that an answer which lies there already counts
    this.timer = setInterval(() => setImmediate(() => this.beat()), rhythm.ms);
    this.timer.unref();

    if (settings.originPolicy.allowed === '*') {
      const message = "origins is '*': every page may connect, and no cookie is looked at";
      process.nextTick(() => this.failed(serverError('ORIGINS_OPEN', message)));
    }
  }

  get port(): number | undefined {
    const address = this.foundation.http?.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  listening(): Promise<void> {
    return this.foundation.ready;
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.settings.path === undefined || this.settings.path === pathOf(request)) {
      return this.route.enter(request, socket, head);
    }
    refuseNobodys(request, socket, [this.route]);
  }

  async drain(options: DrainOptions): Promise<number> {
    const window = readWindow(options);
    const timeout = duration('drain.timeout', options.timeout ?? this.settings.closeTimeout);
    switch (this.state.name) {
      case 'draining':
        return this.state.done;
      case 'closing':
        return this.state.done.then(() => 0);
      case 'open': {
        // the state must stand before the first peer is told, since listeners may call us
        const done = Promise.resolve().then(() => this.sendAllAway(window, timeout));
        this.state = { name: 'draining', window, done };
        return done;
      }
    }
  }

  async close(options: { readonly timeout?: number | undefined } = {}): Promise<void> {
    const timeout = duration('close.timeout', options.timeout ?? this.settings.closeTimeout);
    if (this.state.name === 'closing') return this.state.done;
    const done = Promise.resolve().then(() => this.shutDown(timeout));
    this.state = { name: 'closing', done };
    return done;
  }

  // --- coming in -------------------------------------------------------------------------------------------------

  private createWebSocketServer(): WebSocketServer {
    const { maxPayload, closeTimeout } = this.settings;
    const options = {
      noServer: true,
      clientTracking: false,
      maxPayload,
      closeTimeout,
      autoPong: false,
      // measured with it on: 92 kB on the wire became a message of 94 MB
      perMessageDeflate: false,
      handleProtocols: (offered: Set<string>, request: IncomingMessage) => this.chooseProtocol([...offered], request),
    };
    const server = new WebSocketServer(options);
    // what ws itself finds wrong with a handshake: the protocol header, after our own checks
    server.on('wsClientError', (_, socket, request) => {
      const refusal: Refusal = { status: 400, reason: 'bad-handshake' };
      refuse(socket, refusal);
      this.tellRefusal(refusal, request);
    });
    return server;
  }

  private createHalf(settings: NonNullable<Settings<Identity>['sessions']>): SessionHalf<Identity> {
    return createHalf(settings, {
      session: (session, info) => void this.emit('session', session, info),
      failed: (error, session) => this.failed(error, undefined, session),
    });
  }

  /** Never the client's first offer for want of a better one, and never a text that it did not offer. */
  private chooseProtocol(offered: readonly string[], request: IncomingMessage): string | false {
    if (this.half && offered.includes(SUBPROTOCOL)) return SUBPROTOCOL;
    const { protocols } = this.settings;
    if (typeof protocols !== 'function') {
      return protocols.find((protocol) => offered.includes(protocol)) ?? false;
    }
    try {
      const chosen = protocols(offered, request);
      return chosen !== undefined && offered.includes(chosen) ? chosen : false;
    } catch (cause) {
      this.failed(serverError('PROTOCOLS_FAILED', 'protocols threw, so none was chosen', { cause }));
      return false;
    }
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, visitor: Visitor<Identity>): void {
    try {
      this.ws.handleUpgrade(request, socket, head, (ws) => {
        const peer = new SocketPeer(ws, socket, request, visitor, this.beats, this.context);
        if (this.half && offersSession(request, ws.protocol)) {
          this.linked.add(peer);
          peer.divert(this.half.accept(peer, { request, identity: visitor.identity }));
        } else {
          this.peers.add(peer);
          this.emit('connection', peer, request);
        }
      });
    } catch (cause) {
      // ws throws when somebody else has upgraded this socket already, so it is not ours to destroy
      this.failed(serverError('SERVER_FAILED', 'an upgrade was taken twice', { cause }));
    }
  }

  private peerClosed(peer: SocketPeer<Identity>): void {
    this.peers.delete(peer);
    this.linked.delete(peer);
    if (this.peers.size + this.linked.size > 0) return;
    for (const tell of this.emptied) tell();
    this.emptied.clear();
  }

  /** What everybody hears who comes while we are leaving. */
  private closedTo(): Refusal | undefined {
    switch (this.state.name) {
      case 'open':
        return undefined;
      case 'draining': {
        const { over, after } = this.state.window;
        const headers = retryAfterHeader(after + Math.random() * over);
        return { status: 503, reason: 'closing', headers };
      }
      case 'closing': {
        const headers = retryAfterHeader(this.settings.retryAfter);
        return { status: 503, reason: 'closing', headers };
      }
    }
  }

  private tellRefusal(refusal: Refusal, request: IncomingMessage, address?: string): void {
    if (this.refusalsToTell.isOverdrawn || !this.refusalsToTell.take(1)) {
      this.untold++;
      return;
    }
    const { status, reason } = refusal;
    const { origin: header } = request.headers;
    const origin = header === undefined ? undefined : shown(header);
    const { untold } = this;
    this.untold = 0;
    this.emit('refused', { status, reason, origin, address, untold }, request);
  }

  // --- being there -----------------------------------------------------------------------------------------------

  private beat(): void {
    const now = performance.now();
    const passed = now - this.lastBeat;
    this.lastBeat = now;
    this.beats++;
    this.refusalsToTell.refill(passed);
    for (const peer of this.peers) peer.beat(this.beats, passed);
    for (const peer of this.linked) peer.beat(this.beats, passed);
  }

  private failed(error: ServerError, peer?: Peer<Identity>, session?: Session<Identity>): void {
    if (this.listenerCount('error') > 0) {
      if (session) this.emit('error', error, undefined, session);
      else if (peer) this.emit('error', error, peer);
      else this.emit('error', error);
      return;
    }
    if (this.toldCodes.has(error.code)) return;
    this.toldCodes.add(error.code);
    console.error(error);
  }

  private ownListenerThrew(event: string, cause: unknown): void {
    const error = serverError('LISTENER_THREW', `a listener of the server's '${event}' threw`, {
      cause,
    });
    // the same listener would throw again
    if (event === 'error') console.error(error);
    else this.failed(error);
  }

  // --- leaving ---------------------------------------------------------------------------------------------------

  private async sendAllAway(window: Window, timeout: number): Promise<number> {
    this.refuseThoseWaiting();
    const clients = this.clients();
    const slots = new Map(clients.map((peer, i) => [peer, retryAfterReason(slotOf(i, clients.length, window))]));
    for (const peer of this.peers) peer.close(SERVICE_RESTART, slots.get(peer));
    await this.half?.rest(timeout);
    for (const peer of this.linked) peer.close(SERVICE_RESTART, slots.get(peer));
    await this.allGone(timeout);
    await this.close();
    return clients.length;
  }

  private async shutDown(timeout: number): Promise<void> {
    const gone = this.foundation.close();
    this.refuseThoseWaiting();
    for (const peer of this.peers) peer.close(GOING_AWAY);
    await this.half?.close(timeout);
    for (const peer of this.linked) peer.close(SERVICE_RESTART); // those without a session yet
    await this.allGone(timeout);
    await within(LAST_WAIT, gone); // refusals on their way
    this.foundation.cut();
    await gone;
    this.detach();
    clearInterval(this.timer);
    this.emit('close');
  }

  private refuseThoseWaiting(): void {
    const refusal = this.closedTo();
    if (refusal) this.gate.clear(refusal);
  }

  /** Resolves when no peer is left, at the latest `timeout` and a little later. */
  private async allGone(timeout: number): Promise<void> {
    if (await this.isEmptyWithin(timeout)) return;
    for (const peer of this.clients()) peer.terminate();
    await this.isEmptyWithin(LAST_WAIT);
  }

  private async isEmptyWithin(ms: number): Promise<boolean> {
    if (this.clients().length > 0) {
      await within(ms, new Promise<void>((resolve) => this.emptied.add(resolve)));
    }
    return this.clients().length === 0;
  }

  private clients(): readonly SocketPeer<Identity>[] {
    return [...this.peers, ...this.linked];
  }
}

/** Waits for `event`, but no longer than `ms`. */
async function within(ms: number, event: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([event, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
