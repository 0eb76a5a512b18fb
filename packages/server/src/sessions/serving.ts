// How do the sockets of a Node server come to the half that serves sessions?

import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Binary } from '@holdfast/core';
import { QUERY, SUBPROTOCOL } from '@holdfast/session/wire';
import { invalidOption } from '../errors.ts';
import { createSessionHalf, type SessionHalf } from './half.ts';
import type { SessionSettings } from './options.ts';
import type { SessionOwner, SessionPlatform } from './platform.ts';
import type { Session, SessionSendOptions } from './session.ts';

/** The sessions of a server, and of all that share its store. */
export interface Sessions<Identity> {
  /**
   * Sends one message to a session, wherever it is served; see {@link Session.send}. Resolves false, and stores nothing, if
   * there is no such session or it is full. A `volatile` one only gets to a socket of this node.
   * @throws as rejections: INVALID_DATA, STORE_FAILED; INVALID_OPTION without `sessions`
   */
  send(sid: string, data: string | Binary, options?: SessionSendOptions): Promise<boolean>;
  /**
   * Ends a session, wherever it is served. Resolves false if there is none.
   * @throws as rejections: STORE_FAILED; INVALID_OPTION without `sessions`
   */
  end(sid: string): Promise<boolean>;
  /** A session that this node knows: it serves it, or did so last and less than `ttl` ago. */
  get(sid: string): Session<Identity> | undefined;
}

export function createHalf<Identity>(
  settings: SessionSettings<Identity>,
  owner: SessionOwner<Identity>,
): SessionHalf<Identity> {
  return createSessionHalf(settings, nodePlatform(), owner);
}

/** What a server without the option gives: nobody should wait for an answer that cannot come. */
export function noSessions<Identity>(): Sessions<Identity> {
  const refuse = () => Promise.reject(invalidOption('sessions', 'set, to have any', undefined));
  return { send: refuse, end: refuse, get: () => undefined };
}

/** A client offers a session by the subprotocol, or where it can offer none by the query. */
export function offersSession({ url = '' }: IncomingMessage, protocol: string): boolean {
  if (protocol === SUBPROTOCOL) return true;
  const query = url.indexOf('?');
  return (
    query >= 0 &&
    url
      .slice(query + 1)
      .split('&')
      .includes(QUERY)
  );
}

function nodePlatform(): SessionPlatform {
  return {
    now: () => performance.now(),
    wake(at, fn) {
      const timer = setTimeout(fn, Math.max(0, Math.ceil(at - performance.now())));
      timer.unref(); // what keeps a server's process alive is its sockets
      return () => clearTimeout(timer);
    },
    randomBytes: (count) => randomBytes(count),
    // a new one for each life, so that no news for an earlier one is taken for ours
    node: randomUUID(),
  };
}
