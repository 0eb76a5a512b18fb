// Does an Origin header name one of our own pages? (the allowlist by itself, without a socket)
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAllowlist, parseOrigin, readSameHosts, judgeOrigin } from '../src/origin.ts';
import type { OriginFacts, OriginPolicy } from '../src/origin.ts';

const ENTRIES = [
  'https://app.example.com',
  'https://*.example.org',
  'https://*.example.io:*',
  'http://localhost:5173',
  'http://127.0.0.1:*',
  'https://xn--bcher-kva.example',
  'wss://live.example.net',
  'https://shop.example.net:8443',
  'http://[::1]:3000',
  'https://[2001:DB8:0::1]',
  'capacitor://localhost',
  'weapp://wechat-game-runtime',
];

const facts = (origins: readonly string[], more: Partial<OriginFacts> = {}): OriginFacts => ({
  origins,
  hasCookie: false,
  host: 'app.example.com',
  isEncrypted: true,
  ...more,
});

const policy = (more: Partial<OriginPolicy> = {}): OriginPolicy => ({
  allowed: createAllowlist(ENTRIES),
  absent: 'auto',
  sameHosts: new Set(),
  ...more,
});

const judge = (...origins: string[]) => judgeOrigin(facts(origins), policy());

describe('a page of ours is let in', () => {
  const good: readonly [origin: string, why: string][] = [
    ['https://app.example.com', 'as it is listed'],
    ['https://app.example.com:443', 'with its default port'],
    ['HTTPS://app.example.com', 'scheme in capitals'],
    ['https://APP.Example.COM', 'host in capitals'],
    ['HTTPS://APP.EXAMPLE.COM:443', 'both, and the default port'],
    ['https://a.example.org', 'one label below a wildcard'],
    ['https://a.b.example.org', 'two labels below a wildcard'],
    ['https://a.b.c.d.example.org', 'four labels below a wildcard'],
    ['https://A.EXAMPLE.org:443', 'below a wildcard, capitals and the default port'],
    ['https://a_b.example.org', 'an underscore, which browsers send'],
    ['https://xn--bcher-kva.example.org', 'punycode below a wildcard'],
    ['https://example.org.example.org', 'the name once more below itself'],
    ['https://a.example.io:8443', 'below a wildcard with any port'],
    ['http://localhost:5173', 'a port that is listed'],
    ['http://127.0.0.1', 'any port: the default'],
    ['http://127.0.0.1:80', 'any port: the default, written out'],
    ['http://127.0.0.1:65535', 'any port: the last'],
    ['http://127.0.0.1:8080', 'any port'],
    ['https://xn--bcher-kva.example', 'punycode as browsers send it'],
    ['https://live.example.net', 'a wss entry means https'],
    ['https://live.example.net:443', 'a wss entry with the default port'],
    ['https://shop.example.net:8443', 'a port of its own'],
    ['http://[::1]:3000', 'IPv6 with a port'],
    ['https://[2001:db8::1]', 'IPv6, listed in another spelling'],
    ['https://[2001:DB8::1]:443', 'IPv6 in capitals with the default port'],
    ['capacitor://localhost', 'an app scheme'],
    ['weapp://wechat-game-runtime', 'a mini-game on iOS'],
  ];
  test.each(good)('%s – %s', (origin) => {
    expect(judge(origin)).toBe('accepted');
  });
});

describe('anything else is refused', () => {
  const hostile: readonly [origin: string, why: string][] = [
    // another host
    ['https://evil.example', 'a stranger'],
    ['https://example.com', 'the parent of a listed host'],
    ['https://www.app.example.com', 'a child of a listed host'],
    ['https://app.example.com.evil.org', 'ours as a prefix'],
    ['https://evilapp.example.com', 'ours as a suffix'],
    ['https://evil-app.example.com', 'ours as a suffix after a hyphen'],
    ['https://app-example.com', 'a hyphen for the dot'],
    ['https://appXexample.com', 'a letter for the dot, as an unescaped pattern would take it'],
    ['https://app.example.co', 'cut short'],
    ['https://app.example.comm', 'one letter more'],
    ['https://app.example.com.', 'a trailing dot is another host'],
    ['https://app..example.com', 'an empty label'],
    ['https://.app.example.com', 'an empty first label'],
    ['https://app.example.com..', 'two trailing dots'],
    // wildcards
    ['https://example.org', 'the wildcard domain itself'],
    ['https://evilexample.org', 'the wildcard domain as a suffix of a label'],
    ['https://example.org.evil.com', 'the wildcard domain as a prefix'],
    ['https://a.example.org.evil.com', 'below the wildcard domain as a prefix'],
    ['https://a.example.org.', 'below a wildcard with a trailing dot'],
    ['https://.example.org', 'below a wildcard without a label'],
    ['https://a..example.org', 'below a wildcard with an empty label'],
    ['https://*.example.org', 'the wildcard itself, sent as it is listed'],
    ['https://a.example.org:8443', 'below a wildcard on another port'],
    ['http://a.example.org', 'below a wildcard with another scheme'],
    ['http://a.example.org:443', 'below a wildcard with another scheme on its port'],
    ['http://a.example.io', 'below a wildcard of any port with another scheme'],
    ['https://example.io:8443', 'the domain itself of a wildcard of any port'],
    ['https://evil.com?.example.org', 'below a wildcard by a query'],
    ['https://evil.com#.example.org', 'below a wildcard by a fragment'],
    ['https://evil.com/.example.org', 'below a wildcard by a path'],
    ['https://evil.com\\.example.org', 'below a wildcard by a backslash'],
    ['https://evil.com:443@a.example.org', 'below a wildcard by user-info'],
    ['https://evil.com%2f.example.org', 'below a wildcard by an escaped slash'],
    // another scheme
    ['http://app.example.com', 'without TLS'],
    ['ws://app.example.com', 'a scheme that no page has'],
    ['wss://app.example.com', 'a scheme that no page has, with TLS'],
    ['wss://live.example.net', 'the entry as it is listed, which no page sends'],
    ['ftp://app.example.com', 'another scheme'],
    ['https+evil://app.example.com', 'ours as a prefix of the scheme'],
    ['xhttps://app.example.com', 'ours as a suffix of the scheme'],
    ['capacitor-evil://localhost', 'an app scheme made longer'],
    ['ionic://localhost', 'an app scheme that is not listed'],
    ['chrome-extension://app.example.com', 'a browser extension'],
    // another port
    ['https://app.example.com:80', "the other scheme's default port"],
    ['https://app.example.com:8443', 'another port'],
    ['https://app.example.com:0443', 'the default port with a zero before it'],
    ['https://app.example.com:00443', 'two zeros'],
    ['https://app.example.com:4430', 'one digit more'],
    ['https://app.example.com:65979', '443 when cut to 16 bits'],
    ['https://app.example.com:443443', 'six digits'],
    ['https://app.example.com:', 'an empty port'],
    ['https://app.example.com:-443', 'a negative port'],
    ['https://app.example.com:4 43', 'a port with a space'],
    ['https://app.example.com:*', 'any port, as one would list it'],
    ['http://localhost:51731', 'the listed port and more'],
    ['http://localhost', 'without the listed port'],
    ['http://127.0.0.1:0080', 'any port, but with zeros before it'],
    ['http://127.0.0.1:65536', 'any port, but there is none such'],
    ['https://shop.example.net', 'without the port that is listed'],
    // more than an origin
    ['https://app.example.com/', 'a trailing slash'],
    ['https://app.example.com/path', 'a path'],
    ['https://app.example.com?', 'a query'],
    ['https://app.example.com#', 'a fragment'],
    ['https://app.example.com\\', 'a backslash'],
    ['https://user@app.example.com', 'a user'],
    ['https://user:pass@app.example.com', 'a user and a password'],
    ['https://app.example.com@evil.org', 'ours as a user'],
    ['https://app.example.com:443@evil.org', 'ours as a user and a password'],
    ['https://evil.org/https://app.example.com', 'ours as a path'],
    ['https://evil.org#https://app.example.com', 'ours as a fragment'],
    // no origin at all
    ['', 'empty'],
    [' ', 'a space'],
    ['null', 'a sandboxed frame, a data: or a file: page'],
    ['NULL', 'null in capitals'],
    ['undefined', 'the word'],
    ['*', 'the word of CORS'],
    ['app.example.com', 'no scheme'],
    ['//app.example.com', 'no scheme, with slashes'],
    ['://app.example.com', 'an empty scheme'],
    ['https:app.example.com', 'no slashes, which a URL parser forgives'],
    ['https:/app.example.com', 'one slash, which a URL parser forgives'],
    ['https:///app.example.com', 'three slashes, which a URL parser forgives'],
    ['https:\\\\app.example.com', 'backslashes, which a URL parser forgives'],
    ['https://', 'no host'],
    ['file://', 'a file'],
    ['https://app.example.com,undefined', 'the junk of a mini-program'],
    ['https://app.example.com, https://evil.org', 'two in one, ours first'],
    ['https://evil.org, https://app.example.com', 'two in one, ours last'],
    ['https://app.example.com https://evil.org', 'two in one, by a space'],
    [' https://app.example.com', 'a space before'],
    ['https://app.example.com ', 'a space after'],
    ['https://app.example.com\t', 'a tab, which a URL parser drops'],
    ['https://app.exa\tmple.com', 'a tab within, which a URL parser drops'],
    ['https://app.example.com\n', 'a line feed, which $ forgives in some languages'],
    ['https://app.example.com\0.evil.org', 'a zero byte'],
    // the host in disguise
    ['https://app%2eexample.com', 'an escaped dot'],
    ['https://app。example.com', 'an ideographic full stop, which a URL parser maps to a dot'],
    ['https://аpp.example.com', 'a Cyrillic a'],
    ['https://app.ex\u00ADample.com', 'a soft hyphen, which a URL parser drops'],
    ['https://bücher.example', 'not punycode, which no browser sends'],
    ['https://appſ.example.com', 'a letter that lower-cases to s'],
    ['http://0x7f.0.0.1', '127.0.0.1 in hexadecimal'],
    ['http://2130706433', '127.0.0.1 as one number'],
    ['http://127.1', '127.0.0.1 for short'],
    ['http://127.0.0.01', '127.0.0.1 with a zero'],
    ['http://127.0.0.1.evil.org', '127.0.0.1 as a prefix'],
    ['http://[0:0:0:0:0:0:0:1]:3000', 'IPv6 as no browser writes it'],
    ['http://[::1%25lo]:3000', 'IPv6 with a zone'],
    ['http://::1:3000', 'IPv6 without brackets'],
    ['http://[::ffff:127.0.0.1]', 'IPv4 in IPv6'],
    ['http://[::1]x:3000', 'text after the bracket'],
    ['http://[]', 'empty brackets'],
    ['http://[app.example.com]', 'a name in brackets'],
    // size
    [`https://${'a.'.repeat(1_100)}example.org`, 'more than 2 048 characters'],
    [`https://${'a'.repeat(300)}.example.org`, 'a longer name than there are'],
  ];
  test.each(hostile)('%s – %s', (origin) => {
    expect(judge(origin)).toBe('refused');
  });

  test('the tables are as long as they are meant to be', () => {
    expect(hostile.length).toBeGreaterThanOrEqual(60);
    expect(new Set(hostile.map(([origin]) => origin)).size).toBe(hostile.length);
  });

  test('more than one Origin header is refused, also when each is ours', () => {
    expect(judge('https://app.example.com', 'https://app.example.com')).toBe('refused');
    expect(judgeOrigin(facts(['https://a.test', 'https://b.test']), policy({ allowed: '*' }))).toBe('refused');
    expect(judgeOrigin(facts(['https://a.test', 'https://a.test']), policy({ allowed: 'ask' }))).toBe('refused');
  });

  test("control characters and endless text reach neither '*' nor the caller's function", () => {
    for (const allowed of ['*', 'ask'] as const) {
      for (const origin of ['https://a\u0001', 'https://a\u007f', 'https://ä', 'x'.repeat(2_049)]) {
        expect(judgeOrigin(facts([origin]), policy({ allowed }))).toBe('refused');
      }
    }
  });

  test("the junk of a mini-program is put to the caller's function as it came", () => {
    expect(judgeOrigin(facts(['http://host,undefined']), policy({ allowed: 'ask' }))).toBe('ask');
  });
});

/** What breaks the property, with its seed and the smallest example; undefined if nothing does. */
function fault<T>(property: fc.IProperty<T>, parameters?: fc.Parameters<T>): string | undefined {
  return fc.defaultReportMessage(fc.check(property, parameters));
}

describe('properties', () => {
  const lists = fc.constantFrom(...ENTRIES.filter((entry) => !entry.includes('*')));
  const list = createAllowlist(ENTRIES);
  const accepts = (text: string) => judge(text) === 'accepted';
  /** Where a text differs from the listed one only in case and default port, this is the same. */
  const essence = (text: string) =>
    text
      .toLowerCase()
      .replace(/^ws(s?):/, 'http$1:')
      .replace('2001:db8:0::1', '2001:db8::1')
      .replace(/^(https:.*):443$/, '$1')
      .replace(/^(http:.*):80$/, '$1');
  const essences = new Set(ENTRIES.filter((entry) => !entry.includes('*')).map(essence));
  const bears = (text: string) =>
    essences.has(essence(text)) ||
    /^https:\/\/(?:[a-z0-9_-]+\.)+example\.org$/.test(essence(text)) ||
    /^https:\/\/(?:[a-z0-9_-]+\.)+example\.io(?::\d{1,5})?$/.test(essence(text)) ||
    /^http:\/\/127\.0\.0\.1(?::\d{1,5})?$/.test(essence(text));

  /** A listed origin with a few characters taken out and a few put in. */
  const almostListed = fc
    .tuple(lists, fc.nat(), fc.nat(3), fc.string({ unit: 'binary', maxLength: 3 }))
    .map(([text, at, cut, insert]) => {
      const i = at % (text.length + 1);
      return text.slice(0, i) + insert + text.slice(i + cut);
    });

  test('what is accepted differs from what is listed only in case and default port', () => {
    const property = fc.property(almostListed, (text) => !accepts(text) || bears(text));
    expect(fault(property, { numRuns: 20_000 })).toBe(undefined);
  });

  test('case never matters', () => {
    const spelt = fc
      .tuple(lists, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }))
      .map(([text, capitals]) => Array.from(text, (c, i) => (capitals[i] ? c.toUpperCase() : c)).join(''));
    // ws: is a way to write an entry, never what a page sends; likewise odd IPv6
    const sent = (text: string) => text.replace(/^ws/i, 'http').replace(/:0::/, '::');
    expect(fault(fc.property(spelt, (text) => accepts(sent(text))))).toBe(undefined);
  });

  test('nothing put before or after a listed host lets a stranger in', () => {
    const hosts = fc.constantFrom('app.example.com', 'example.org', 'localhost', '127.0.0.1');
    const extra = fc.string({ minLength: 1, maxLength: 8 });
    const property = fc.property(hosts, extra, extra, (host, before, after) => {
      const longer = `https://${host}${after}x`;
      const shifted = `https://${before}${host}`;
      return !accepts(longer) && (!accepts(shifted) || bears(shifted));
    });
    expect(fault(property, { numRuns: 5_000 })).toBe(undefined);
  });

  test('wherever it accepts, a URL parser reads the same host; and no text makes it throw', () => {
    const anything = fc.oneof(almostListed, fc.string({ unit: 'binary' }), fc.webUrl());
    const property = fc.property(anything, (text) => {
      const origin = parseOrigin(text);
      const isWeb = origin?.kind === 'tuple' && /^https?$/.test(origin.scheme);
      return !isWeb || !list.has(origin) || new URL(text).hostname === origin.host;
    });
    expect(fault(property, { numRuns: 10_000 })).toBe(undefined);
  });
});

describe('an entry that is not one is refused at start-up', () => {
  const bad: readonly [entry: string, why: string][] = [
    ['', 'empty'],
    ['*', 'all, within a list'],
    ['app.example.com', 'no scheme'],
    ['https://app.example.com/', 'trailing slash'],
    ['https://app.example.com/live', 'path'],
    ['https://app.example.com?x', 'query'],
    ['https://user@app.example.com', 'user'],
    ['https://', 'no host'],
    ['https://app.example.com:', 'empty port'],
    ['https://app.example.com:99999', 'no such port'],
    ['https://bücher.example', 'not punycode'],
    ['https://*', 'every host'],
    ['https://*.com', 'one label below the wildcard'],
    ['https://*.co.uk', 'a public suffix'],
    ['https://*.github.io', 'where strangers have their pages'],
    ['https://*.localhost', 'one label below the wildcard'],
    ['https://app*.example.com', 'within a label'],
    ['https://*app.example.com', 'within a label, on the left'],
    ['https://a.*.example.com', 'not the leftmost label'],
    ['https://*.*.example.com', 'twice'],
    ['https://*.168.1.1', 'below an address'],
    ['https://*.example.com.', 'with a trailing dot'],
    ['*://app.example.com', 'any scheme'],
    ['https://app.example.com:8*', 'within a port'],
    ['NULL', 'null in capitals'],
  ];
  test.each(bad)("'%s' – %s", (entry) => {
    expect(() => createAllowlist([entry])).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', value: entry }));
  });

  test('and the message helps: it names the punycode', () => {
    expect(() => createAllowlist(['https://bücher.example'])).toThrow(/xn--bcher-kva\.example/);
  });

  test('null passes only where it is listed', () => {
    const withNull = createAllowlist(['null']);
    expect(judgeOrigin(facts(['null']), policy({ allowed: withNull }))).toBe('accepted');
    expect(judgeOrigin(facts(['NULL']), policy({ allowed: withNull }))).toBe('refused');
  });
});

describe('without an Origin', () => {
  const rows: readonly [OriginPolicy['absent'], boolean, 'accepted' | 'refused'][] = [
    ['auto', false, 'accepted'],
    ['auto', true, 'refused'],
    ['allow', false, 'accepted'],
    ['allow', true, 'accepted'],
    ['deny', false, 'refused'],
    ['deny', true, 'refused'],
  ];
  test.each(rows)('%s, with a cookie: %s → %s', (absent, hasCookie, verdict) => {
    expect(judgeOrigin(facts([], { hasCookie }), policy({ absent }))).toBe(verdict);
  });
});

describe('the same host', () => {
  const sameHosts = readSameHosts(['App.example.com', 'localhost:3000']);
  const ask = (origin: string, host: string | undefined, isEncrypted = true) =>
    judgeOrigin(facts([origin], { host, isEncrypted }), policy({ allowed: createAllowlist([]), sameHosts }));

  test('is let in if it is in the list, with the same scheme and port', () => {
    expect(ask('https://app.example.com', 'app.example.com')).toBe('accepted');
    expect(ask('https://APP.example.com:443', 'App.Example.com')).toBe('accepted');
    expect(ask('http://localhost:3000', 'localhost:3000', false)).toBe('accepted');
  });

  test('is refused under DNS rebinding, where Origin and Host agree on a stranger', () => {
    expect(ask('https://evil.org', 'evil.org')).toBe('refused');
  });

  test('is refused with another scheme, another port, another listed host, or no Host', () => {
    expect(ask('http://app.example.com', 'app.example.com')).toBe('refused');
    expect(ask('https://app.example.com', 'app.example.com', false)).toBe('refused');
    expect(ask('https://app.example.com:8443', 'app.example.com')).toBe('refused');
    expect(ask('http://localhost:3000', 'app.example.com', false)).toBe('refused');
    expect(ask('https://app.example.com', undefined)).toBe('refused');
  });

  test('is not asked about by default', () => {
    expect(
      judgeOrigin(facts(['https://app.example.com']), policy({ allowed: createAllowlist([]), sameHosts: new Set() })),
    ).toBe('refused');
  });

  test.each(['', 'https://a.b', 'a b', 'a/b', 'user@a'])("'%s' is no host to list", (host) => {
    expect(() => readSameHosts([host])).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });
});
