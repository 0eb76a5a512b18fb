// What can a server be told, and what does it do when told nothing?

import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Server as HttpsServer, ServerOptions as TlsOptions } from 'node:https';
import type { Denial } from './authorize.ts';
import type { AbsentOrigin } from './origin.ts';
import { SESSION_DEFAULTS, type SessionOptions } from './sessions/options.ts';

/** Where the server takes its upgrades from: exactly one of `port`, `server` and `noServer`. */
export interface PlaceOptions {
  /** Listens here with an HTTP server of its own, which answers anything but an upgrade with 426. 0 takes a free port. */
  readonly port?: number | undefined;
  /**
   * With `port`: the address to listen on.
   * @default every address of the machine, as `net.Server.listen` does
   */
  readonly host?: string | undefined;
  /** With `port`: certificate and key of an HTTPS server, so that clients dial `wss:`; see `https.createServer`. */
  readonly tls?: TlsOptions | undefined;
  /** Shares this HTTP or HTTPS server, with Express or Fastify for example. It stays yours: `close()` leaves it running. */
  readonly server?: HttpServer | HttpsServer | undefined;
  /** Takes nothing by itself; hand each upgrade to `handleUpgrade`. */
  readonly noServer?: boolean | undefined;
  /**
   * The one path that is served, query aside, exactly as the client writes it. On a shared `server` other paths are left
   * to its other `upgrade` listeners, and answered 404 if there is none.
   * @default every path
   */
  readonly path?: string | undefined;
}

/** Who may come in. Everything here is decided before the upgrade. */
export interface AdmissionOptions<Identity> {
  /**
   * Which pages may connect, by their `Origin` header.
   *
   * A list of origins: `['https://app.example.com', 'https://*.example.com', 'http://localhost:*']`; see `createAllowlist`
   * for what an entry can be. Or a function that gets the header as it came, which must answer within `admissionTimeout`;
   * a throw or silence is a no. Or `'*'` for every page: that is said once by the error `ORIGINS_OPEN`, and the `Cookie`
   * header is taken out of each `request.headers`, so that it cannot become a credential that any page may borrow.
   *
   * A good Origin is no authentication: whatever is not a browser can forge it.
   * @default [] – no page at all; clients that send no Origin come in by `absentOrigin`
   */
  readonly origins?: readonly string[] | OriginFunction | '*' | undefined;
  /**
   * What to do without an `Origin` header, as native apps, Node and many mini-programs come. `'auto'` lets them in unless
   * they bring a cookie; `'allow'` and `'deny'` do as they say.
   * @default 'auto'
   */
  readonly absentOrigin?: AbsentOrigin | undefined;
  /**
   * Also lets in pages of the host that the request itself names, if that host is in the list, written as `host` or
   * `host:port`, and the schemes agree. Behind a proxy that ends TLS list the public origin in `origins` instead.
   * @default undefined – not done
   */
  readonly sameHost?: { readonly hosts: readonly string[] } | undefined;
  /**
   * Say `'cookie'` if `authorize` reads one: together with `origins: '*'` the server then refuses to start.
   * @default 'other'
   */
  readonly credentials?: 'cookie' | 'other' | undefined;
  /**
   * Who is it? Whatever it returns becomes `peer.identity`. `false`, `null` and `undefined` refuse with 401, `deny(403)`
   * with 403. A throw, or no answer within `admissionTimeout`, refuses with 503: that is our own trouble, and 401 would
   * tell a good client never to come back.
   * @default everyone may come in, `peer.identity` is undefined
   */
  readonly authorize?: Authorize<Identity> | undefined;
  /**
   * Milliseconds that a function for `origins`, and then `authorize`, may each take.
   * @default 5_000
   */
  readonly admissionTimeout?: number | undefined;
  /**
   * Subprotocols (RFC 6455 §1.9) in our order of preference: the first that the client offers is agreed on, and none if
   * it offers none of them. Or a function that chooses among the offers; what was not offered is never answered.
   * @default [] – none
   */
  readonly protocols?: readonly string[] | ProtocolFunction | undefined;
  /**
   * Peers at one time, those still being let in included. One more is refused with 503 and `Retry-After`.
   * @default 10_000
   */
  readonly maxPeers?: number | undefined;
  /**
   * Peers at one time of one address. One more is refused with 429 and `Retry-After`. Behind a proxy every peer has the
   * proxy's address, so set this together with `addressOf`.
   * @default Infinity
   */
  readonly maxPeersPerAddress?: number | undefined;
  /**
   * The address that a request is counted under.
   * @default that of the socket, an IPv6 one by its /64, which is what one customer has; never a forwarded header
   */
  readonly addressOf?: ((request: IncomingMessage) => string) | undefined;
  /**
   * Milliseconds after which a client that was refused for want of room (429, 503) may come back. Sent in whole seconds.
   * @default 5_000
   */
  readonly retryAfter?: number | undefined;
}

/** How one peer is kept, and how much of us it may take. */
export interface PeerOptions {
  /** See {@link HeartbeatOptions}. `false`: no ping frames of ours, and a text `ping` is a message like any other. */
  readonly heartbeat?: HeartbeatOptions | false | undefined;
  /**
   * Bytes of the largest message that a peer may send; a larger one closes it with 1009.
   * @default 1_048_576
   */
  readonly maxPayload?: number | undefined;
  /**
   * Bytes that may wait for one peer. A peer that has more waiting when the next message is sent is a slow reader and is
   * terminated, with the error `SLOW_READER`. Counted before the message is added, so that a single large one always goes
   * out. Four times `maxPayload`'s default: one snapshot of that size and what follows it while a phone on 1 Mbit/s takes
   * half a minute to read it.
   * @default 4_194_304
   */
  readonly maxBufferedBytes?: number | undefined;
  /** See {@link BudgetOptions}. `false`: no budgets. */
  readonly budget?: BudgetOptions | false | undefined;
  /**
   * Milliseconds that a peer has to answer a close, ours or `close()`'s; then it is terminated.
   * @default 2_000
   */
  readonly closeTimeout?: number | undefined;
}

export interface HeartbeatOptions {
  /**
   * The text that clients send as their heartbeat. It is answered and never told as a message.
   * @default 'ping'
   */
  readonly message?: string | undefined;
  /**
   * The text that answers it.
   * @default 'pong'
   */
  readonly reply?: string | undefined;
  /**
   * Milliseconds between two ping frames (RFC 6455 §5.5.2) of ours to one peer.
   * @default 30_000
   */
  readonly interval?: number | undefined;
  /**
   * Milliseconds of silence after a ping frame of ours until the peer is terminated. Anything received is an answer.
   * At most `interval`.
   * @default 10_000
   */
  readonly timeout?: number | undefined;
}

/**
 * What a peer may send. Over budget it is not read for a while, which slows it down; one that stays over budget is closed
 * with 4429 and `retry-after=`. The defaults hold what a Holdfast client sends at once after an outage (1 000 messages,
 * 1 MiB), with its heartbeats.
 */
export interface BudgetOptions {
  /** @default { perSecond: 200, burst: 2_000 } */
  readonly messages?: Rate | undefined;
  /**
   * Bytes of messages.
   * @default { perSecond: 1_048_576, burst: 4_194_304 }
   */
  readonly bytes?: Rate | undefined;
  /**
   * Pings and pongs (RFC 6455 §5.5). A ping over budget is not answered by itself: the last of them is, later.
   * @default { perSecond: 10, burst: 60 }
   */
  readonly controlFrames?: Rate | undefined;
  /**
   * Milliseconds over budget until the peer is closed.
   * @default 10_000
   */
  readonly patience?: number | undefined;
  /**
   * Milliseconds that a peer so closed is asked to stay away; each is given up to as much again, at random.
   * @default 10_000
   */
  readonly retryAfter?: number | undefined;
}

export interface Rate {
  /** How much comes back each second. */
  readonly perSecond: number;
  /** How much may be spent at once. */
  readonly burst: number;
}

/** Every option of {@link createServer}. */
export interface ServerOptions<Identity = undefined> extends PlaceOptions, AdmissionOptions<Identity>, PeerOptions {
  /**
   * Keeps a session for each client that offers one, so that no message is lost, in either direction, across reconnects and
   * restarts; see {@link SessionOptions}. All others are plain peers as ever.
   * @default undefined – everybody is a plain peer
   */
  readonly sessions?: SessionOptions<Identity> | undefined;
}

export type OriginFunction = (origin: string, request: IncomingMessage) => boolean | Promise<boolean>;

export type Authorize<Identity> = (request: IncomingMessage) => Admitted<Identity> | Promise<Admitted<Identity>>;

/** What `authorize` may say. */
export type Admitted<Identity> = Identity | Denial | false | null | undefined;

export type ProtocolFunction = (offered: readonly string[], request: IncomingMessage) => string | undefined;

/** All defaults; see docs/important-defaults.md. */
export const DEFAULTS = Object.freeze({
  origins: Object.freeze([]) as readonly string[],
  absentOrigin: 'auto' as AbsentOrigin,
  credentials: 'other' as 'cookie' | 'other',
  admissionTimeout: 5_000,
  protocols: Object.freeze([]) as readonly string[],
  maxPeers: 10_000,
  maxPeersPerAddress: Infinity,
  retryAfter: 5_000,
  heartbeat: Object.freeze({ message: 'ping', reply: 'pong', interval: 30_000, timeout: 10_000 }),
  maxPayload: 1_048_576,
  maxBufferedBytes: 4_194_304,
  budget: Object.freeze({
    messages: Object.freeze({ perSecond: 200, burst: 2_000 }),
    bytes: Object.freeze({ perSecond: 1_048_576, burst: 4_194_304 }),
    controlFrames: Object.freeze({ perSecond: 10, burst: 60 }),
    patience: 10_000,
    retryAfter: 10_000,
  }),
  closeTimeout: 2_000,
  sessions: SESSION_DEFAULTS,
});
