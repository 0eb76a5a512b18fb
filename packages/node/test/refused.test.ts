// Does the policy hear why an upgrade was refused, and when to come back?

import { nodeAdapter } from '@holdfast/node';
import { createFaultServer, type FaultServer } from '@holdfast/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { retryAfterOf } from '../src/retry-after.ts';
import { dial } from './support.ts';

const NOON = Date.parse('Mon, 23 Nov 2026 12:00:00 GMT');

describe('Retry-After', () => {
  it.each<[string, string | undefined, string | undefined, number | undefined]>([
    ['whole seconds', '120', undefined, 120],
    ['none at all', '0', undefined, 0],
    ['with space around it', ' 7 ', undefined, 7],
    ['more than a number can hold', '9'.repeat(400), undefined, Number.MAX_SAFE_INTEGER],
    ['a date, by our clock', 'Mon, 23 Nov 2026 12:01:30 GMT', undefined, 90],
    ["a date, by the server's clock", 'Mon, 23 Nov 2026 13:00:10 GMT', 'Mon, 23 Nov 2026 13:00:00 GMT', 10],
    ['a date that has passed', 'Mon, 23 Nov 2026 11:00:00 GMT', undefined, 0],
    ['a date in the form of RFC 850', 'Monday, 23-Nov-26 12:00:05 GMT', undefined, 5],
    ['a date in the form of asctime()', 'Mon Nov 23 12:00:06 2026', undefined, 6],
    ['a date in the form of asctime(), early in a month', 'Tue Dec  1 12:00:00 2026', undefined, 8 * 86_400],
    ["a date, while the server's own makes no sense", 'Mon, 23 Nov 2026 12:00:09 GMT', 'today', 9],
    ['nothing', undefined, undefined, undefined],
    ['empty', '', undefined, undefined],
    ['negative', '-5', undefined, undefined],
    ['a decimal', '1.5', undefined, undefined],
    ['a number with a unit', '5s', undefined, undefined],
    ['hexadecimal', '0x10', undefined, undefined],
    ['two values', '5, 10', undefined, undefined],
    ['a date in another form', '2026-11-23T12:00:30Z', undefined, undefined],
    ['a date with another zone', 'Mon, 23 Nov 2026 12:00:30 CET', undefined, undefined],
    ['a date that is none', 'Mon, 99 Nov 2026 99:99:99 GMT', undefined, undefined],
  ])('is understood: %s', (_, value, date, seconds) => {
    expect(retryAfterOf({ 'retry-after': value, date }, NOON)).toBe(seconds);
  });
});

describe('a refused upgrade', () => {
  let server: FaultServer;
  beforeAll(async () => {
    server = await createFaultServer();
  });
  afterEach(() => server.idle());
  afterAll(() => server.close());

  it.each([200, 301, 400, 401, 403, 404, 426, 429, 500, 502, 503])('tells its status %d', async (status) => {
    const close = await dial(nodeAdapter(), server.url(`/status/${status}`)).closed;
    expect(close).toEqual({ code: 1006, reason: '', wasClean: false, status });
  });

  it('tells Retry-After in seconds', async () => {
    const close = await dial(nodeAdapter(), server.url('/status/503?retry-after=17')).closed;
    expect(close).toMatchObject({ status: 503, retryAfter: 17 });
  });

  it("tells a Retry-After that is a date, measured by the response's own Date", async () => {
    const query = new URLSearchParams({
      'retry-after': 'Wed, 21 Oct 2015 07:28:30 GMT',
      date: 'Wed, 21 Oct 2015 07:28:00 GMT',
    });
    const close = await dial(nodeAdapter(), server.url(`/status/429?${query}`)).closed;
    expect(close).toMatchObject({ status: 429, retryAfter: 30 });
  });

  it('is over at once, however long its body goes on', async () => {
    const close = await dial(nodeAdapter(), server.url('/status/403?endless')).closed;
    expect(close.status).toBe(403);
    await server.idle(); // the connection is gone, so the body has stopped
    expect(server.sockets).toBe(0);
  });
});
