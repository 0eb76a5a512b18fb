import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { resolveUrl } from '../src/url.ts';

const check = (url: unknown): string => resolveUrl(url, {});

describe('url', () => {
  it.each([
    'ws://h',
    'wss://example.com/live?x=1&y=%20',
    'WSS://EXAMPLE.com:443/',
    'ws://127.0.0.1:8080',
    'ws://[::1]:8080/a',
    'ws://user:secret@host/a',
    'ws://h?query',
    'wss://h/a?b=c:d@e/f?g',
  ])('%s can be dialled, and is left as it is', (url) => {
    expect(check(url)).toBe(url);
    expect(() => new URL(url)).not.toThrow();
  });

  it.each([
    '',
    'ws:',
    'ws://',
    'ws:///path',
    'ws://:80/',
    'example.com',
    '/live',
    '//example.com/live',
    'http://example.com',
    'https://example.com',
    'ftp://example.com',
    'ws://h#fragment',
    'ws://h/a b',
    'ws://h:65536/',
    'ws://h:x/',
    'ws://[::1',
    'ws://h]/',
    ' ws://h',
    'ws://h\n',
    undefined,
    null,
    5,
    {},
  ])('%j cannot: INVALID_URL, naming it', (url) => {
    expect(() => check(url)).toThrow(expect.objectContaining({ code: 'INVALID_URL', value: url }) as Error);
  });

  it('whatever is let through is one that the WHATWG URL parser takes too, with the same scheme', () => {
    const part = fc.stringMatching(/^[a-z0-9.\-~%:@/?=&[\]#]{0,12}$/);
    fc.assert(
      fc.property(
        fc.constantFrom('ws', 'wss', 'http'),
        fc.stringMatching(/^[a-z0-9]{1,8}(\.[a-z]{1,6})?$/),
        part,
        (scheme, host, rest) => {
          let passed: string | undefined;
          try {
            passed = check(`${scheme}://${host}/${rest}`);
          } catch {
            // refused; nothing to compare
          }
          fc.pre(passed !== undefined && URL.canParse(passed));
          expect(new URL(passed!).protocol).toMatch(/^wss?:$/);
          expect(new URL(passed!).hash).toBe('');
        },
      ),
    );
  });

  it('where a page has an address, its adapter resolves first; what it throws is the cause', () => {
    const adapter = {
      resolveUrl: (url: string): string => new URL(url, 'https://example.com/a/').href.replace(/^http/, 'ws'),
    };
    expect(resolveUrl('live?x', adapter)).toBe('wss://example.com/a/live?x');
    expect(resolveUrl('http://h/', adapter)).toBe('ws://h/');
    expect(() => resolveUrl('http://', adapter)).toThrow(
      expect.objectContaining({ code: 'INVALID_URL', cause: expect.any(Error) as Error }) as Error,
    );
  });
});
