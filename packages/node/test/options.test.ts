// Is nonsense refused at the door, by name?

import { Agent } from 'node:http';
import { isHoldfastError } from '@holdfast/core';
import { connect, nodeAdapter, type NodeOptions } from '@holdfast/node';
import { describe, expect, it } from 'vitest';

describe('options of the adapter for Node', () => {
  it.each<[string, unknown]>([
    ["unref must be a boolean, got 'yes'", { unref: 'yes' }],
    ['perMessageDeflate must be a boolean, got {}', { perMessageDeflate: {} }],
    ['maxPayload must be a whole number of bytes from 1', { maxPayload: 0 }],
    ['maxPayload must be a whole number of bytes from 1', { maxPayload: 1.5 }],
    ['maxPayload must be a whole number of bytes from 1', { maxPayload: Infinity }],
    ['maxPayload must be a whole number of bytes from 1', { maxPayload: 2 ** 31 }],
    ['agent must be an http.Agent or an https.Agent', { agent: {} }],
    ['agent must be an http.Agent or an https.Agent', { agent: null }],
    ['tls must be an object', { tls: true }],
    ['tls.rejectUnauthorized must be a boolean, got 0', { tls: { rejectUnauthorized: 0 } }],
    ['tls.host is not one of ca, cert', { tls: { host: 'elsewhere' } }],
    ['agnet is not one of unref, tls', { agnet: new Agent() }],
    ['options must be an object', null],
  ])('refuses at the door: %s', (message, options) => {
    let thrown: unknown;
    try {
      nodeAdapter(options as NodeOptions);
    } catch (error) {
      thrown = error;
    }
    expect(isHoldfastError(thrown)).toBe(true);
    expect(thrown).toMatchObject({ code: 'INVALID_OPTION' });
    expect(String(thrown)).toContain(message);
  });

  it('takes undefined for what is left open', () => {
    const open = { unref: undefined, tls: undefined, agent: undefined, maxPayload: undefined };
    expect(nodeAdapter({ ...open, perMessageDeflate: undefined }).name).toBe('node');
  });

  it('does not write into the options', () => {
    const options = Object.freeze({ tls: Object.freeze({ servername: 'x', ca: undefined }) });
    expect(() => nodeAdapter(options)).not.toThrow();
  });
});

describe('connect', () => {
  it('refuses what an adapter of the caller would never hear of', () => {
    expect(() => connect('ws://127.0.0.1/', { adapter: nodeAdapter(), maxPayload: 1 })).toThrow(
      /INVALID_OPTION: maxPayload/,
    );
  });
});
