// What can a session be told, what does it do when told nothing, and what is refused at the door?

import { has, oneOf, positive, readGroup, type Rule } from '@holdfast/core';
import type { SessionStorage } from './storage.ts';

/** All durations are milliseconds. */
export interface SessionOptions {
  /**
   * What to do with a server that keeps no sessions. `'require'`: the attempt fails with `SESSION_UNSUPPORTED` and is tried
   * again, ever later. `'prefer'`: it is spoken to plainly, as if there were no session; each dial offers one again.
   * @default 'require'
   */
  readonly mode?: 'require' | 'prefer' | undefined;
  /**
   * Who we are, told to the server's `sessions.authorize` whenever a session is opened or resumed: any JSON value, or a
   * function asked each time, so that a token can be fresh. A throw or a rejection fails the attempt.
   * @default none
   */
  readonly auth?: unknown;
  /**
   * How long the server's greeting may take after the socket is open.
   * @default 5_000
   */
  readonly helloTimeout?: number | undefined;
  /**
   * How a session is offered. `'subprotocol'`: by `Sec-WebSocket-Protocol`. `'query'`: by `holdfast-session=1` in the
   * URL, for runtimes that cannot offer a subprotocol, and for proxies that lose it.
   * @default 'subprotocol'
   */
  readonly negotiate?: 'subprotocol' | 'query' | undefined;
  /**
   * Bytes that one message may have; the server's bound counts too. A larger one is refused at `send`, as `too-large`.
   * @default 65_536
   */
  readonly maxMessage?: number | undefined;
  /**
   * When a session is lost, what was never written to a socket is kept for the next session instead of being given back by
   * `lost`.
   * @default false
   */
  readonly carryUnsent?: boolean | undefined;
  /**
   * Where the client's half is written down, so that a page that is loaded again, or a script that is started again, goes
   * on with its session: `webStorage(sessionStorage)`, `hostStorage(uni)`, `storedBy(fileStore(path))` with `fileStore` of
   * @holdfast/node, or `storedBy` and a store of your own. It is written at the end of each turn in which something changed,
   * with everything that is held, so keep the queue small. One storage serves one client at a time: of two, one loses its
   * session as `taken`.
   * @default none
   */
  readonly storage?: SessionStorage | undefined;
}

/** The options with nothing left open. */
export type Settings = {
  readonly [Name in Exclude<keyof SessionOptions, 'auth' | 'storage'>]-?: Exclude<SessionOptions[Name], undefined>;
} & {
  readonly auth: unknown;
  readonly storage: SessionStorage | undefined;
};

/** Every default there is. */
export const DEFAULTS = Object.freeze<Settings>({
  mode: 'require',
  helloTimeout: 5_000,
  negotiate: 'subprotocol',
  maxMessage: 65_536,
  carryUnsent: false,
  auth: undefined,
  storage: undefined,
});

const RULES = {
  mode: oneOf('require', 'prefer'),
  auth: ['', () => true], // whatever JSON has a form for
  helloTimeout: positive,
  negotiate: oneOf('subprotocol', 'query'),
  maxMessage: ['a positive number of bytes', positive[1]],
  carryUnsent: oneOf(true, false),
  storage: ['made by webStorage, hostStorage or storedBy', (value) => has(value, 'keep')],
} satisfies Record<keyof SessionOptions, Rule>;

/** @throws `INVALID_OPTION` naming the option and the value */
export const readOptions = (options: SessionOptions): Settings => readGroup('session.', options, DEFAULTS, RULES);
