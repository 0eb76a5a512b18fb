// Are the options of sessions sensible?
import { describe, expect, test } from 'vitest';
import { DEFAULTS, createServer, memoryStore, type ServerOptions, type SessionOptions } from '@holdfast/server';
import { readOptions } from '../../src/settings.ts';

const store = memoryStore();
const good: SessionOptions = { store, authorize: () => 'ada', handle: () => {} };

describe('options', () => {
  test.each<[object | null, RegExp]>([
    [{}, /sessions\.store/],
    [null, /sessions must be an object/],
    [{ ...good, store: {} }, /sessions\.store/],
    [{ ...good, store: { ...store, append: undefined } }, /sessions\.store/],
    [{ ...good, authorize: undefined }, /sessions\.authorize/],
    [{ ...good, handle: 'x' }, /sessions\.handle/],
    [{ ...good, tll: 1 }, /sessions\.tll/],
    [{ ...good, ttl: 0 }, /sessions\.ttl/],
    [{ ...good, readyTimeout: 2 ** 31 }, /sessions\.readyTimeout/],
    [{ ...good, maxMessage: 0 }, /sessions\.maxMessage/],
    [{ ...good, maxMessage: 1_048_576 - 63 }, /sessions\.maxMessage must be at least 64 below maxPayload/],
    [{ ...good, maxBytes: 65_535 }, /sessions\.maxMessage must be at most sessions\.maxBytes, 65535, got 65536/],
    [{ ...good, maxMessages: -1 }, /sessions\.maxMessages/],
    [{ ...good, maxBytes: 2 ** 31 }, /sessions\.maxBytes/],
    [{ ...good, takeoverTimeout: Number.NaN }, /sessions\.takeoverTimeout/],
    [{ ...good, maxSessions: 0 }, /sessions\.maxSessions/],
    [{ ...good, maxSessionsPerPrincipal: '1' }, /sessions\.maxSessionsPerPrincipal/],
  ])('%o is refused by name', (sessions, names) => {
    const options = { noServer: true, sessions } as ServerOptions;
    expect(() => createServer(options)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringMatching(names) }),
    );
  });

  test('left out they are the defaults, which cannot be written to', () => {
    const { sessions } = readOptions({ noServer: true, sessions: Object.freeze({ ...good, ttl: undefined }) });
    expect(sessions).toMatchObject({ ...DEFAULTS.sessions, heartbeat: 30_000, admissionTimeout: 5_000 });
    expect(Object.isFrozen(DEFAULTS.sessions)).toBe(true);
  });

  test('what waits in one transport stays below what ends a slow reader', () => {
    const { sessions } = readOptions({ noServer: true, maxBufferedBytes: 1_000, sessions: good });
    expect(sessions?.highWaterMark).toBe(500);
  });

  test('a server without heartbeat still says one to clients with a session', () => {
    expect(readOptions({ noServer: true, heartbeat: false, sessions: good }).sessions?.heartbeat).toBe(30_000);
  });
});
