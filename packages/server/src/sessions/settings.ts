// Are the options of sessions sensible, and what do they come to once every gap is filled?

import { invalidOption } from '../errors.ts';
import { duration, positive, refuseUnknown, size } from '../checks.ts';
import { MAX_HEADER, SESSION_DEFAULTS, type SessionOptions, type SessionSettings } from './options.ts';
import type { SessionStore } from './store.ts';

/** What the server's own options say that matters to sessions. */
export interface SessionSurroundings {
  /** Milliseconds between two heartbeats. */
  readonly heartbeat: number;
  readonly admissionTimeout: number;
  readonly retryAfter: number;
  readonly maxPayload: number;
  readonly maxBufferedBytes: number;
}

/** Bytes in one transport, before messages wait in the store instead: what a phone on 1 Mbit/s reads in two seconds. */
const HIGH_WATER_MARK = 262_144;

/** What a half calls on a new session's way; a store without one of these is none. */
const STORE_METHODS: readonly (keyof SessionStore)[] = [
  'open',
  'resume',
  'begin',
  'commit',
  'abandon',
  'append',
  'read',
  'acknowledge',
  'touch',
  'release',
  'end',
  'watch',
];

/** @throws INVALID_OPTION, naming the option and the value */
export function readSessionOptions<Identity, Request>(
  given: SessionOptions<Identity, Request>,
  { heartbeat, admissionTimeout, retryAfter, maxPayload, maxBufferedBytes }: SessionSurroundings,
): SessionSettings<Identity, Request> {
  refuseUnknown('sessions.', given, ['store', 'authorize', 'handle', ...Object.keys(SESSION_DEFAULTS)]);
  const { store, authorize, handle } = given;
  if (typeof store !== 'object' || store === null || STORE_METHODS.some((name) => typeof store[name] !== 'function')) {
    throw invalidOption('sessions.store', 'a store of sessions, such as memoryStore()', store);
  }
  if (typeof authorize !== 'function') throw invalidOption('sessions.authorize', 'a function', authorize);
  if (typeof handle !== 'function') throw invalidOption('sessions.handle', 'a function', handle);
  const maxMessage = size('sessions.maxMessage', given.maxMessage ?? SESSION_DEFAULTS.maxMessage);
  if (maxMessage + MAX_HEADER > maxPayload) {
    throw invalidOption('sessions.maxMessage', `at least ${MAX_HEADER} below maxPayload, ${maxPayload}`, maxMessage);
  }
  const maxBytes = size('sessions.maxBytes', given.maxBytes ?? SESSION_DEFAULTS.maxBytes);
  if (maxMessage > maxBytes) {
    throw invalidOption('sessions.maxMessage', `at most sessions.maxBytes, ${maxBytes}`, maxMessage);
  }
  return {
    store,
    authorize,
    handle,
    ttl: duration('sessions.ttl', given.ttl ?? SESSION_DEFAULTS.ttl),
    readyTimeout: duration('sessions.readyTimeout', given.readyTimeout ?? SESSION_DEFAULTS.readyTimeout),
    maxMessage,
    maxMessages: positive('sessions.maxMessages', given.maxMessages ?? SESSION_DEFAULTS.maxMessages),
    maxBytes,
    takeoverTimeout: duration('sessions.takeoverTimeout', given.takeoverTimeout ?? SESSION_DEFAULTS.takeoverTimeout),
    maxSessions: positive('sessions.maxSessions', given.maxSessions ?? SESSION_DEFAULTS.maxSessions),
    maxSessionsPerPrincipal: positive(
      'sessions.maxSessionsPerPrincipal',
      given.maxSessionsPerPrincipal ?? SESSION_DEFAULTS.maxSessionsPerPrincipal,
    ),
    heartbeat,
    admissionTimeout,
    retryAfter,
    // well below what would end a peer as a slow reader
    highWaterMark: Math.min(HIGH_WATER_MARK, maxBufferedBytes / 2),
  };
}
