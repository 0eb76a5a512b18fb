// Is nonsense refused at the door, by name and value?

import { session, storedBy } from '@holdfast/session';
import { createClient, type ClientOptions } from '@holdfast/core';
import { createWorld } from '@holdfast/testing';
import { describe, expect, it } from 'vitest';

describe('session()', () => {
  it.each([
    ['mode', 'maybe'],
    ['negotiate', 'header'],
    ['helloTimeout', 0],
    ['helloTimeout', '5s'],
    ['maxMessage', -1],
    ['carryUnsent', 'yes'],
    ['storage', {}],
    ['storage', 'localStorage'],
    ['ttl', 1_000],
  ])('refuses %s: %j', (name, value) => {
    expect(() => session({ [name]: value })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', value }));
    expect(() => session({ [name]: value })).toThrow(`session.${name}`);
  });

  it('takes what is left undefined as not given, and does not keep the caller’s object', () => {
    const options = { mode: undefined, storage: undefined };
    expect(session(options).mode).toBe('require');
    expect(session(Object.freeze({ mode: 'prefer' as const })).mode).toBe('prefer');
    expect(session({ storage: storedBy({ load: () => null, save() {}, remove() {} }) }).mode).toBe('require');
  });
});

describe('the option session of a client', () => {
  const make = (options: ClientOptions) => () =>
    createClient('ws://world.test/', { adapter: createWorld().adapter(), autoConnect: false, ...options });

  it.each([
    ['heartbeat.message', { heartbeat: { message: 'ping' } }],
    ['heartbeat.reply', { heartbeat: { reply: 'pong' } }],
    ['handshake', { handshake: () => {} }],
    ['delivery', { delivery: 'at-least-once' }],
    ['queue', { queue: false }],
  ] as const)('refuses %s beside a required session, which has its own', (name, options) => {
    expect(make({ ...options, session: session() })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
    expect(make({ ...options, session: session() })).toThrow(name);
  });

  it('allows them beside a preferred one, for plain sockets', () => {
    const options = { heartbeat: { message: 'ping' }, handshake: () => {}, delivery: 'at-least-once' } as const;
    expect(make({ ...options, session: session({ mode: 'prefer' }) })).not.toThrow();
  });

  it('refuses what session() has not made', () => {
    expect(make({ session: { mode: 'require' } as never })).toThrow('session must be made by session()');
  });
});
