// Does the wire carry what is put on it, and nothing that is not? A random case that fails prints its seed.

import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { parse } from 'acorn';
import { build } from 'esbuild';
import type { Data } from '@holdfast/core';
import {
  CLOSE,
  END,
  MAX_HOLDERS,
  MAX_SEQ,
  MAX_TAG,
  VERSION,
  decodeFromClient,
  decodeFromServer,
  encodeAck,
  encodeHello,
  encodeLost,
  encodeMessage,
  encodeOpen,
  encodePing,
  encodePong,
  encodeReady,
  encodeResume,
  encodeVolatile,
  type Frame,
} from '@holdfast/session/wire';
import { describe, expect, it, vi } from 'vitest';
import { createBareRealm } from '../../core/test/support/bare-realm.ts';
import { loweredByTypeScript } from '../../../tools/es2015.ts';
import { membersOf, namesIn, read, rowsOf, sectionOf } from '../../../test/support.ts';

// tens of thousands of cases take a busy machine their time
vi.setConfig({ testTimeout: 60_000 });

const page = read('PROTOCOL.md');

describe('PROTOCOL.md', () => {
  const rows = (heading: string) => rowsOf(sectionOf(page, heading));

  const written = rows('### As they are written').map(([from = '', kind = '', frame = '', says = '']) => {
    const said = saidIn(says, kind);
    return { from, wire: wireIn(frame, kind), frame, said };
  });

  it.each(written)('golden: a $from writes $frame', ({ wire, said }) => {
    expect(encode(said)).toEqual(wire);
  });

  it.each(written)('golden: whoever may hear it from a $from reads $frame', ({ from, wire, said }) => {
    for (const decode of hearersOf(from)) expect(decode(wire)).toEqual(said);
  });

  it.each(rows('### As they may come'))('golden: from a %s comes %s', (from, frame = '', says = '') => {
    for (const decode of hearersOf(from)) expect(decode(wireIn(frame, 'text'))).toEqual(saidIn(says, 'text'));
  });

  it.each(rows('### Ignored'))('golden: from a %s, %s frame %s is ignored', (from, kind = '', frame = '') => {
    for (const decode of hearersOf(from)) expect(decode(wireIn(frame, kind))).toEqual({ type: 'unknown' });
  });

  it.each(rows('### Malformed'))('golden: from a %s, %s frame %s is malformed: %s', (from, kind = '', frame = '') => {
    for (const decode of hearersOf(from)) expect(decode(wireIn(frame, kind))).toMatchObject({ type: 'invalid' });
  });

  it('has a vector for each frame that there is', () => {
    const types = new Set(written.map(({ said }) => said.type));
    expect([...types].toSorted()).toEqual(
      'ack end hello lost message open ping pong ready resume volatile'.split(' ').toSorted(),
    );
  });

  it('names each close code as it is', () => {
    const told = rows('## Close codes').map(([code, name = '']) => [namesIn(name)[0], Number(code)]);
    expect(Object.fromEntries(told)).toEqual(CLOSE);
  });

  it('says of each reason that a server can give what it means', () => {
    const told = rows('## Lost').filter(([, by = '']) => namesIn(by).includes('L'));
    expect(told.flatMap(([reason = '']) => namesIn(reason)).toSorted()).toEqual(
      membersOf(read('packages/server/src/sessions/store.ts'), 'EndReason').toSorted(),
    );
  });
});

describe('a message', () => {
  it('arrives as it was sent, whatever is in it: 20 000 of text, 20 000 of bytes', () => {
    const carries = (data: Data, seq: number, tag: number) => {
      const wire = encodeMessage(seq, tag, data);
      for (const decode of [decodeFromClient, decodeFromServer])
        expect(flat(decode(wire))).toBe(flat({ type: 'message', seq, tag, data }));
    };
    fc.assert(fc.property(anyText, anySeq, anyTag, carries), { numRuns: 20_000 });
    fc.assert(fc.property(anyBytes, anySeq, anyTag, carries), { numRuns: 20_000 });
  });

  it('that is volatile does so too', () => {
    const carries = (data: Data) => {
      const wire = encodeVolatile(data);
      for (const decode of [decodeFromClient, decodeFromServer])
        expect(flat(decode(wire))).toBe(flat({ type: 'volatile', data }));
    };
    fc.assert(fc.property(fc.oneof(anyText, anyBytes), carries), { numRuns: 5_000 });
  });

  it('means the bytes of a view and not those around it, on the way in and on the way out', () => {
    const memory = Uint8Array.of(9, 9, 1, 2, 3, 9, 9);
    const wire = encodeMessage(5, 6, memory.subarray(2, 5)) as Uint8Array;
    expect(wire).toHaveLength(12 + 3);

    const around = new Uint8Array(40).fill(9);
    around.set(wire, 7);
    const said = decodeFromServer(around.subarray(7, 7 + wire.length));
    expect(said).toEqual({ type: 'message', seq: 5, tag: 6, data: Uint8Array.of(1, 2, 3) });
  });

  it('is not changed by what happens to the memory that it came from', () => {
    const memory = Uint8Array.of(1, 2, 3);
    const [tracked, volatile] = [encodeMessage(1, 0, memory), encodeVolatile(memory)];
    memory.fill(0);
    expect([decodeFromServer(tracked), decodeFromServer(volatile)]).toMatchObject([
      { data: Uint8Array.of(1, 2, 3) },
      { data: Uint8Array.of(1, 2, 3) },
    ]);
  });

  it('is read out of the frame that came, without a copy', () => {
    const wire = encodeMessage(1, 0, Uint8Array.of(1, 2, 3)) as Uint8Array;
    const said = decodeFromServer(wire);
    expect(said.type === 'message' && (said.data as Uint8Array).buffer).toBe(wire.buffer);
  });

  it('costs at most 20 characters of text, or 12 bytes, beside itself', () => {
    expect(encodeMessage(MAX_SEQ, MAX_TAG, '')).toHaveLength(20);
    expect(encodeMessage(MAX_SEQ, MAX_TAG, new Uint8Array())).toHaveLength(12);
  });
});

describe('everything else', () => {
  it('arrives as it was said: positions', () => {
    const carries = (received: number) => {
      expect(decodeFromServer(encodeAck(received))).toEqual({ type: 'ack', received });
      expect(decodeFromServer(encodePong(received))).toEqual({ type: 'pong', received });
      expect(decodeFromClient(encodePing(received))).toEqual({ type: 'ping', received });
    };
    fc.assert(fc.property(anyPosition, carries), { numRuns: 5_000 });
  });

  it('arrives as it was said: the handshake', () => {
    const carries = (said: Frame) => {
      const decode = said.type === 'open' || said.type === 'resume' ? decodeFromClient : decodeFromServer;
      expect(flat(decode(encode(said)))).toBe(flat(said));
    };
    fc.assert(fc.property(anyHandshake, carries), { numRuns: 5_000 });
  });

  it('without credentials says nothing of them', () => {
    expect(encodeOpen({ attempt: 1, holders: [1], window: 1, auth: undefined })).toBe(
      'O{"v":1,"att":1,"by":[1],"win":1}',
    );
  });

  it('that JSON has no form for is the caller’s to hear of', () => {
    const circular: unknown[] = [];
    circular.push(circular);
    expect(() => encodeOpen({ attempt: 1, holders: [1], window: 1, auth: circular })).toThrow(TypeError);
  });
});

describe('whatever a stranger sends', () => {
  /** What comes of it that should not: a number out of its range, a text that is none, a field that no frame has. */
  function faultsOf(data: Data): readonly string[] {
    return [decodeFromClient(data), decodeFromServer(data)].flatMap((said) =>
      Object.entries(said)
        .filter(([name, value]) => !(value === undefined && name === 'token' && said.type === 'ready'))
        .filter(([name, value]) => !RANGES[name]?.(value))
        .map(([name, value]) => `${said.type}.${name} is ${String(value)}`),
    );
  }
  const within = (min: number, max: number) => (value: unknown) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
  const [position, amount, word] = [within(0, MAX_SEQ), within(1, 2 ** 31 - 1), /^[\w-]{1,128}$/];
  const RANGES: Readonly<Record<string, (value: unknown) => boolean>> = {
    type: (value) => typeof value === 'string',
    why: (value) => /^malformed [ -~]{1,20}$/.test(value as string),
    data: (value) => typeof value === 'string' || value instanceof Uint8Array,
    seq: within(1, MAX_SEQ),
    attempt: within(1, MAX_SEQ),
    holders: (value) =>
      Array.isArray(value) && value.length > 0 && value.length <= MAX_HOLDERS && value.every(within(0, MAX_TAG)),
    tag: within(0, MAX_TAG),
    received: position,
    stored: position,
    acked: position,
    sent: position,
    version: amount,
    ttl: amount,
    maxMessage: amount,
    heartbeat: amount,
    window: amount,
    sid: (value) => word.test(value as string),
    token: (value) => word.test(value as string),
    reason: (value) => word.test(value as string),
    auth: () => true,
  };

  it('is a frame or none, and harmless: 20 000 random ones', () => {
    const letter = fc.constantFrom(...'HORYLdvapqEgbZ{0'.split(''));
    const almost = fc.tuple(letter, fc.oneof(anyText, fc.json(), fc.stringMatching(/^[0-9a-z.:+ -]{0,24}$/)));
    const bytes = fc
      .tuple(fc.constantFrom(0x64, 0x76, 0x45, 0), anyBytes)
      .map(([first, rest]) => Uint8Array.of(first, ...rest));
    const any = fc.oneof(
      anyText,
      anyBytes,
      bytes,
      almost.map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(any, (data) => {
        expect(faultsOf(data)).toEqual([]);
      }),
      { numRuns: 20_000 },
    );
  });

  it('is so too when it was a good frame once: 20 000 mutated ones', () => {
    const good = rowsOf(sectionOf(page, '### As they are written')).map(([, kind = '', frame = '']) =>
      wireIn(frame, kind),
    );
    const mutation = fc.record({
      at: fc.nat(200),
      cut: fc.nat(3),
      put: fc.constantFrom(
        '',
        '0',
        'z',
        'Z',
        '.',
        ':',
        '-1',
        '1e999',
        '"',
        '{',
        '}',
        'null',
        '\0',
        '__proto__',
        '\ud800',
      ),
    });
    const mutated = fc.tuple(fc.constantFrom(...good), fc.array(mutation, { minLength: 1, maxLength: 3 }));
    fc.assert(
      fc.property(mutated, ([frame, mutations]) => {
        expect(faultsOf(mutations.reduce<Data>(mutate, frame))).toEqual([]);
      }),
      { numRuns: 20_000 },
    );
  });

  it('is nothing when it is empty', () => {
    for (const decode of [decodeFromClient, decodeFromServer]) {
      expect(decode('')).toMatchObject({ type: 'invalid' });
      expect(decode(new Uint8Array())).toMatchObject({ type: 'invalid' });
    }
  });

  it('is nothing when its header lies in somebody else’s memory', () => {
    const memory = encodeMessage(1, 0, new Uint8Array(8)) as Uint8Array;
    expect(decodeFromServer(memory.subarray(0, 11))).toMatchObject({ type: 'invalid' });
  });

  it('cannot hand in a field by way of a prototype, nor leave anything on one', () => {
    const before = Object.getOwnPropertyNames(Object.prototype).length;
    const fields = { v: 1, att: 1, by: [1], win: 1, sid: 'a', tok: 'b', rx: 0, tag: 0, acked: 0, sent: 0 };
    for (const key of ['__proto__', 'constructor', 'prototype', 'toString']) {
      const inherited = `R{"${key}":${JSON.stringify(fields)}}`;
      expect(decodeFromClient(inherited)).toMatchObject({ type: 'invalid' });
      const beside = decodeFromClient(`R{"${key}":{"polluted":1},${JSON.stringify(fields).slice(1)}`);
      expect(beside).toMatchObject({ type: 'resume', sid: 'a', auth: undefined });
      expect(beside).not.toHaveProperty('polluted');
    }
    expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(before);
    expect({}).not.toHaveProperty('polluted');
  });

  it('hands credentials through as they were parsed', () => {
    const auth = JSON.parse('{"__proto__":{"isAdmin":true},"a":[null,1.5,"x"]}') as object;
    const said = decodeFromClient(encodeOpen({ attempt: 1, holders: [1], window: 1, auth }));
    expect(said.type === 'open' && JSON.stringify(said.auth)).toBe(JSON.stringify(auth));
    expect(said.type === 'open' && (said.auth as { isAdmin?: unknown }).isAdmin).toBeUndefined();
  });

  it('says what was wrong with it, without repeating any of it', () => {
    const why = (data: Data) => {
      const said = decodeFromServer(data);
      return said.type === 'invalid' ? said.why : said.type;
    };
    expect(why('H{"v":1,"ttl":"<secret>"}')).toBe('malformed H.ttl');
    expect(why('H<secret>')).toBe('malformed H.v');
    expect(why('Y{"sid":"<secret>"}')).toBe('malformed Y.sid');
    expect(why('d1.<secret>:x')).toBe('malformed d');
    expect(why('q<secret>')).toBe('malformed q');
    expect(why('<secret>')).toBe('malformed letter');
  });

  it('has names of 128 characters at most', () => {
    expect(decodeFromServer(encodeLost({ reason: 'x'.repeat(128) }))).toMatchObject({ type: 'lost' });
    expect(decodeFromServer(encodeLost({ reason: 'x'.repeat(129) }))).toMatchObject({ type: 'invalid' });
  });

  it('may nest as deep as it likes', () => {
    expect(decodeFromClient(`O${'['.repeat(200_000)}`)).toMatchObject({ type: 'invalid' });
    expect(faultsOf(`O{"v":1,"att":1,"win":1,"auth":${'['.repeat(200_000)}${']'.repeat(200_000)}}`)).toEqual([]);
  });
});

describe('in a bare realm', () => {
  it('is ES2015, leaves nothing running, and carries a message each way', async () => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('../src/wire.ts', import.meta.url))],
      bundle: true,
      write: false,
      format: 'cjs',
      target: 'es2015',
      platform: 'neutral',
      plugins: [loweredByTypeScript()],
    });
    const code = outputFiles[0]!.text;
    parse(code, { ecmaVersion: 2015, sourceType: 'script' });
    const realm = createBareRealm();
    realm.run(`var module = { exports: {} }; (function (module, exports) {${code}\n})(module, module.exports);`);
    const heard = realm.run(`
      var wire = module.exports;
      JSON.stringify([
        wire.decodeFromServer(wire.encodeMessage(${MAX_SEQ}, ${MAX_TAG}, '\\ud800 text')),
        wire.decodeFromClient(wire.encodeMessage(1, 0, new Uint8Array([1, 2, 3]))),
        wire.decodeFromClient(wire.encodeOpen({ attempt: 1, holders: [1], window: 1, auth: [] })),
        wire.decodeFromServer('H{'),
        wire.decodeFromServer(wire.encodePong(5)),
      ]);
    `) as string;
    expect(JSON.parse(heard)).toEqual([
      { type: 'message', seq: MAX_SEQ, tag: MAX_TAG, data: '\ud800 text' },
      { type: 'message', seq: 1, tag: 0, data: { 0: 1, 1: 2, 2: 3 } },
      { type: 'open', version: 1, attempt: 1, holders: [1], window: 1, auth: [] },
      { type: 'invalid', why: 'malformed H.v' },
      { type: 'pong', received: 5 },
    ]);
    expect(realm.timers).toBe(0);
  });
});

// ---- what is put on the wire

/** All of UTF-16, surrogates without their other half as well. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }),
);

/** Also views into the middle of something. */
const anyBytes = fc
  .tuple(fc.uint8Array({ maxLength: 64 }), fc.nat(16), fc.nat(16))
  .map(([memory, from, end]) => memory.subarray(from, Math.max(from, memory.length - end)));

/** Small numbers, those around each power of two, and any. */
const upTo = (min: number, max: number) =>
  fc.oneof(
    fc.integer({ min, max: Math.min(max, 100) }),
    fc
      .tuple(fc.integer({ min: 0, max: 48 }), fc.integer({ min: -1, max: 1 }))
      .map(([power, off]) => Math.min(max, Math.max(min, 2 ** power + off))),
    fc.maxSafeInteger().map((any) => min + (Math.abs(any) % (max - min + 1))),
    fc.constant(max),
  );
const anySeq = upTo(1, MAX_SEQ);
const anyPosition = upTo(0, MAX_SEQ);
const anyTag = upTo(0, MAX_TAG);
const someTags = fc.array(anyTag, { minLength: 1, maxLength: MAX_HOLDERS });
const anyAmount = upTo(1, 2 ** 31 - 1);
const anyWord = fc.stringMatching(/^[\w-]{1,128}$/);

const version = fc.constant(VERSION);
const anyHandshake: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({
    type: fc.constant('hello' as const),
    version,
    ttl: anyAmount,
    maxMessage: anyAmount,
    heartbeat: anyAmount,
    window: anyAmount,
  }),
  fc.record({
    type: fc.constant('ready' as const),
    sid: anyWord,
    token: fc.option(anyWord, { nil: undefined }),
    received: anyPosition,
    stored: anyPosition,
  }),
  fc.record({ type: fc.constant('lost' as const), reason: anyWord }),
  fc.record({
    type: fc.constant('open' as const),
    version,
    attempt: anySeq,
    holders: someTags,
    window: anyAmount,
    auth: fc.jsonValue(),
  }),
  fc.record({
    type: fc.constant('resume' as const),
    version,
    attempt: anySeq,
    holders: someTags,
    window: anyAmount,
    sid: anyWord,
    token: anyWord,
    received: anyPosition,
    tag: anyTag,
    acked: anyPosition,
    sent: anyPosition,
    auth: fc.option(fc.jsonValue(), { nil: undefined }),
  }),
);

function mutate(
  data: Data,
  { at, cut, put }: { readonly at: number; readonly cut: number; readonly put: string },
): Data {
  const where = at % (data.length + 1);
  if (typeof data === 'string') return data.slice(0, where) + put + data.slice(where + cut);
  const bytes = put.split('').map((unit) => unit.charCodeAt(0));
  return Uint8Array.of(...data.subarray(0, where), ...bytes, ...data.subarray(where + cut));
}

/** Two that say the same are the same text; for many thousands that is much cheaper than `toEqual`. */
function flat(said: object): string {
  const entries = Object.entries(said).filter(([, value]) => value !== undefined);
  return JSON.stringify(
    entries.toSorted(([one], [other]) => (one < other ? -1 : 1)),
    (_, part: unknown) => (part instanceof Uint8Array ? { bytes: [...part] } : part),
  );
}

// ---- how the tables of the page are read

function hearersOf(from: string): readonly ((data: Data) => Frame)[] {
  if (from === 'server') return [decodeFromServer];
  if (from === 'client') return [decodeFromClient];
  expect(from).toBe('either');
  return [decodeFromServer, decodeFromClient];
}

function wireIn(cell: string, kind: string): Data {
  const frame = namesIn(cell)[0]!;
  return kind === 'binary' ? bytesOf(frame) : frame;
}

function saidIn(cell: string, kind: string): Frame {
  const said = JSON.parse(namesIn(cell)[0]!) as Frame;
  return kind === 'binary' && 'data' in said ? { ...said, data: bytesOf(said.data as string) } : said;
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function encode(said: Frame): Data {
  switch (said.type) {
    case 'hello':
      return encodeHello(said);
    case 'open':
      return encodeOpen(said);
    case 'resume':
      return encodeResume(said);
    case 'ready':
      return encodeReady(said);
    case 'lost':
      return encodeLost(said);
    case 'message':
      return encodeMessage(said.seq, said.tag, said.data);
    case 'volatile':
      return encodeVolatile(said.data);
    case 'ack':
      return encodeAck(said.received);
    case 'ping':
      return encodePing(said.received);
    case 'pong':
      return encodePong(said.received);
    case 'end':
      return END;
    case 'unknown':
    case 'invalid':
      throw new Error(`nobody says ${said.type}`);
  }
}
