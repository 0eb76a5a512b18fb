// Does every message arrive once, in order, as what it was, and with exactly its bytes?

import type { Data } from '@holdfast/core';
import { conformanceCase, type ConformanceCase, type Lack, type Stage } from './stage.ts';

export const messageCases: readonly ConformanceCase[] = [
  echoed('text arrives as it was sent', ['hello']),
  echoed('T40: an empty text is a message', [''], ['empty-messages']),
  echoed('text of every length in UTF-8 arrives unchanged', ['aé€😀 \u0000 é 汉字 \u2028 👩‍👩‍👧']),
  echoed('text that looks like JSON stays text', ['{"data":"x","isBuffer":true}']),
  echoed('binary of all 256 bytes arrives unchanged', [pattern(256, 256)]),
  echoed('T40: a binary message of no bytes is a message', [new Uint8Array(0)], ['empty-messages']),
  echoed('T40: a view with an offset sends its own bytes', [new Uint8Array(pattern(64).buffer, 8, 16)]),
  echoed('T40: two bytes in the middle of four are two bytes', [Uint8Array.of(1, 2, 3, 4).subarray(1, 3)]),
  echoed('T40: 1 MB of text, both ways', ['0123456789abcdef'.repeat(65_536)]),
  echoed('T40: 1 MB of bytes, both ways', [pattern(1_048_576)]),
  echoed(
    'messages of every length of a frame header arrive unchanged',
    [125, 126, 127, 65_535, 65_536].reduce<Data[]>((all, n) => all.concat([pattern(n), 'x'.repeat(n)]), []),
  ),
  echoed('T50: two messages in one tick are both delivered', ['first', 'second']),
  echoed('1 000 messages, text and binary mixed, keep their order', mixed(1_000)),

  conformanceCase('half of a surrogate pair is sent as U+FFFD', async (stage) => {
    const subject = await stage.open('/echo');
    subject.socket.send('a\ud83db');
    stage.equal(await subject.messages(1), ['a\ufffdb'], 'as WHATWG has it for USVString');
  }),

  conformanceCase('1 000 messages of the server, text and binary mixed, keep their order', async (stage) => {
    const subject = stage.dial('/burst/1000');
    const expected = Array.from({ length: 1_000 }, (_, i) => (i % 3 === 2 ? Uint8Array.of(i % 256) : String(i)));
    stage.equal(await subject.messages(1_000), expected, 'all of them');
  }),

  conformanceCase('a message in several frames is one message', async (stage) => {
    const subject = stage.dial('/fragments');
    stage.equal(await subject.messages(1), ['one message'], 'put together');
  }),

  conformanceCase('binary is a plain Uint8Array over exactly its bytes', async (stage) => {
    for (const size of [1, 200, 70_000, 1_048_576]) {
      const subject = stage.dial(`/bytes/${size}`);
      const [data] = await subject.messages(1);
      stage.equal(data, pattern(size), 'the bytes');
      const view = data as Uint8Array;
      stage.ok(Object.getPrototypeOf(view) === Uint8Array.prototype, 'no subclass, such as Buffer');
      stage.equal(view.buffer.byteLength, size, 'there is nothing else in its buffer');
    }
  }),

  conformanceCase('binary that the receiver keeps is not overwritten by what comes later', async (stage) => {
    const subject = await stage.open('/echo');
    const sent = Array.from({ length: 60 }, (_, i) => pattern(1 + ((i * 997) % 9_000), 7 + i));
    for (const data of sent) subject.socket.send(data);
    stage.equal(await subject.messages(60), sent, 'all of them, after the last');
  }),

  conformanceCase('binary that the receiver writes into spoils no other message', async (stage) => {
    const seen: Data[] = [];
    const subject = stage.dial('/burst/30', {
      message(_, data) {
        seen.push(typeof data === 'string' ? data : data.slice());
        if (typeof data !== 'string') new Uint8Array(data.buffer).fill(0xff);
      },
    });
    await subject.messages(30);
    const expected = Array.from({ length: 30 }, (_, i) => (i % 3 === 2 ? Uint8Array.of(i) : String(i)));
    stage.equal(seen, expected, 'as they came');
  }),

  conformanceCase('T36: the bytes at the call are sent, whatever the caller writes afterwards', async (stage) => {
    const subject = await stage.open('/echo');
    const sizes = [1, 100, 5_000, 300_000];
    for (const size of sizes) {
      const data = pattern(size);
      subject.socket.send(data);
      data.fill(0xee);
    }
    stage.equal(
      await subject.messages(4),
      sizes.map((size) => pattern(size)),
      'as they were',
    );
  }),

  conformanceCase('what is sent from inside message goes out', async (stage) => {
    const subject = stage.dial('/greet', {
      message: ({ socket }, data) => {
        if (data === 'greeting') socket.send('thank you');
      },
    });
    stage.equal(await subject.messages(2), ['greeting', 'thank you'], 'the greeting, then the echo');
  }),

  conformanceCase('what the server said before it closed is told before closed', async (stage) => {
    const subject = stage.dial('/last-words/100');
    await subject.closed();
    stage.equal(subject.count('message'), 100, 'all of it');
  }),

  conformanceCase(
    'a text that is not UTF-8 is never a message, and ends the socket once',
    async (stage) => {
      const subject = stage.dial('/bad-utf8');
      await subject.closed();
      stage.equal(subject.count('message'), 0, 'no message');
    },
    ['frame-checks'],
  ),

  conformanceCase(
    'T11: a broken frame, which is told as error and as close, ends the socket once',
    async (stage) => {
      const subject = stage.dial('/garbage');
      const close = await subject.closed();
      stage.equal([close.wasClean, subject.count('message')], [false, 0], 'not clean, no message');
      await stage.quiet();
      stage.equal(subject.count('closed'), 1, 'closed once');
    },
    ['frame-checks'],
  ),

  conformanceCase('ping frames are answered in order, with their payload, where they are claimed', async (stage) => {
    const subject = await stage.open('/echo');
    if (!stage.adapter.capabilities.pingFrames) return;
    const payloads = [Uint8Array.of(1, 2, 3), new Uint8Array(0), pattern(125)];
    for (const payload of payloads) subject.socket.ping?.(payload);
    const pongs = await subject.pongs(3);
    stage.equal(pongs, payloads, 'the payloads');
    stage.ok(Object.getPrototypeOf(pongs[0]) === Uint8Array.prototype, 'plain Uint8Array');
    stage.equal(subject.count('message'), 0, 'and nothing of it is a message');
  }),

  conformanceCase(
    "a server's ping frame is a sign of life where ping frames are claimed, and no message",
    async (stage) => {
      const subject = await stage.open('/ping');
      if (stage.adapter.capabilities.pingFrames) await subject.alive();
      subject.socket.send('after it');
      stage.equal(await subject.messages(1), ['after it'], 'the echo alone');
    },
  ),

  conformanceCase(
    'T42: bufferedAmount grows while nobody reads, and shrinks again, where it is claimed',
    async (stage) => {
      const subject = await stage.open('/frozen?for=300');
      if (!stage.adapter.capabilities.bufferedAmount) return;
      const buffered = (): number => subject.socket.bufferedAmount ?? NaN;
      stage.equal(buffered(), 0, 'nothing sent yet');
      const block = new Uint8Array(1_048_576);
      for (let i = 0; i < 16; i++) subject.socket.send(block);
      stage.ok(buffered() >= 1_048_576, `16 MiB to a server that reads nothing, and ${buffered()} buffered`);
      const before = buffered();
      for (let patience = 0; patience < 200 && buffered() > 0; patience++) await stage.after(25);
      stage.equal(buffered(), 0, `all of ${before} has gone out once the server reads`);
    },
  ),
];

/** Sends all of `messages` in one tick and expects them back. */
function echoed(name: string, messages: readonly Data[], needs: readonly Lack[] = []): ConformanceCase {
  return conformanceCase(
    name,
    async (stage: Stage) => {
      const subject = await stage.open('/echo');
      for (const data of messages) subject.socket.send(data);
      stage.equal(await subject.messages(messages.length), messages, 'the echo');
      await stage.quiet();
      stage.equal(subject.count('message'), messages.length, 'and no more than that');
    },
    needs,
  );
}

/** The n-th byte is n modulo `modulus`. */
function pattern(length: number, modulus = 251): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let n = 0; n < length; n++) bytes[n] = n % modulus;
  return bytes;
}

function mixed(count: number): Data[] {
  return Array.from({ length: count }, (_, i) => (i % 2 === 0 ? `text ${i}` : Uint8Array.of(i % 256, i >> 8)));
}
