import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { createSendQueue } from '../src/send-queue.ts';

const BOUNDS = { maxMessages: 10, maxBytes: 100 };
const message = (text: string, more: { expiresAt?: number; onlyFor?: number } = {}) => ({
  data: text,
  value: text,
  bytes: text.length,
  expiresAt: Infinity,
  onlyFor: 0,
  ...more,
});

/** What a socket that needs no proof does: takes the next, and it is let go of. */
const shift = (queue: ReturnType<typeof createSendQueue>) => {
  const { next } = queue;
  if (next) queue.skip();
  return next;
};

describe('send queue', () => {
  it('T35: has room up to its bounds in messages and in bytes', () => {
    const queue = createSendQueue({ maxMessages: 2, maxBytes: 5 });
    expect(queue.hasRoom(5)).toBe(true);
    expect(queue.hasRoom(6)).toBe(false);
    queue.push(message('abc'));
    expect(queue.hasRoom(2)).toBe(true);
    expect(queue.hasRoom(3)).toBe(false);
    queue.push(message(''));
    expect(queue.hasRoom(0)).toBe(false);
    expect([queue.length, queue.bytes]).toEqual([2, 3]);
  });

  it('numbers messages in the order of joining, over its whole life', () => {
    const queue = createSendQueue(BOUNDS);
    queue.push(message('a'));
    queue.push(message('b'));
    shift(queue);
    shift(queue);
    queue.push(message('c'));
    expect(queue.first?.number).toBe(3);
    expect(queue.lastNumber).toBe(3);
  });

  it('knows when the first message expires, also after some were taken out', () => {
    const queue = createSendQueue(BOUNDS);
    expect(queue.nextExpiry).toBe(Infinity);
    queue.push(message('a', { expiresAt: 30 }));
    queue.push(message('b', { expiresAt: 10 }));
    queue.push(message('c'));
    expect(queue.nextExpiry).toBe(10);
    expect(queue.take(({ expiresAt }) => expiresAt <= 10).map(({ data }) => data)).toEqual(['b']);
    expect(queue.nextExpiry).toBe(30);
    shift(queue);
    shift(queue);
    expect(queue.nextExpiry).toBe(Infinity);
    expect(shift(queue)).toBeUndefined();
    expect(queue.first).toBeUndefined();
  });

  it('holds what a socket has taken before what waits, and both count into its bounds', () => {
    const queue = createSendQueue({ maxMessages: 3, maxBytes: 100 });
    ['a', 'b', 'c'].forEach((text) => queue.push(message(text)));
    queue.advance();
    queue.advance();
    expect([queue.length, queue.waiting, queue.bytes, queue.first?.data, queue.next?.data]).toEqual([
      3,
      1,
      3,
      'a',
      'c',
    ]);
    expect(queue.hasRoom(0)).toBe(false);
    queue.release(1);
    expect([queue.length, queue.waiting, queue.bytes, queue.first?.data, queue.next?.data]).toEqual([
      2,
      1,
      2,
      'b',
      'c',
    ]);
    expect(queue.hasRoom(1)).toBe(true);
  });

  it('rewound, waits with all of it again, first and in order, and remembers what a socket has taken', () => {
    const queue = createSendQueue(BOUNDS);
    ['a', 'b', 'c'].forEach((text) => queue.push(message(text)));
    queue.advance();
    queue.advance();
    queue.rewind();
    expect(queue.all().map(({ data, state }) => `${String(data)} ${state}`)).toEqual([
      'a written',
      'b written',
      'c unsent',
    ]);
    expect([queue.waiting, queue.next?.data]).toEqual([3, 'a']);
  });

  it('takes only from what waits', () => {
    const queue = createSendQueue(BOUNDS);
    ['a', 'b', 'c'].forEach((text) => queue.push(message(text)));
    queue.advance();
    expect(queue.take(() => true).map(({ data }) => data)).toEqual(['b', 'c']);
    expect([queue.length, queue.waiting, queue.bytes]).toEqual([1, 0, 1]);
  });

  it('what a socket has taken expires no more, until it is rewound', () => {
    const queue = createSendQueue(BOUNDS);
    queue.push(message('a', { expiresAt: 10 }));
    queue.advance();
    expect(queue.nextExpiry).toBe(Infinity);
    queue.rewind();
    expect(queue.nextExpiry).toBe(10);
  });

  it('forgets that a host would not send a message once the next socket has taken it', () => {
    const queue = createSendQueue(BOUNDS);
    queue.push(message('a'));
    queue.advance();
    queue.first!.refusal = { cause: 'late' };
    queue.rewind();
    expect(queue.first!.refusal).toBeDefined();
    queue.advance();
    expect(queue.first!.refusal).toBeUndefined();
  });

  it('restored, are before all others, with the numbers that went before', () => {
    const queue = createSendQueue(BOUNDS);
    queue.push(message('c'));
    queue.restore(['a', 'b'].map((text) => ({ ...message(text), state: 'written' as const, refusal: undefined })));
    expect(queue.all().map(({ data, number }) => `${String(data)} ${number}`)).toEqual(['a -1', 'b 0', 'c 1']);
    expect([queue.bytes, queue.waiting]).toEqual([3, 3]);
  });

  it('T37: behaves like an array with a cursor, for every order of all that it can do, also far past a thousand', () => {
    const arbitrarySteps = fc.array(
      fc.record({
        do: fc.constantFrom('push', 'push', 'advance', 'advance', 'skip', 'release', 'rewind', 'take'),
        count: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 1_500 })),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(arbitrarySteps, (steps) => {
        const queue = createSendQueue({ maxMessages: Infinity, maxBytes: Infinity });
        let written: number[] = [];
        let waiting: number[] = [];
        for (const { do: what, count } of steps) {
          for (let i = 0; i < (what === 'take' || what === 'rewind' ? 1 : count); i++) {
            switch (what) {
              case 'push':
                queue.push(message('xy', { expiresAt: ((queue.lastNumber + 1) % 7) * 100 }));
                waiting.push(queue.lastNumber);
                break;
              case 'advance':
                if (waiting.length === 0) break;
                queue.advance();
                written.push(waiting.shift()!);
                break;
              case 'skip':
                if (waiting.length === 0) break;
                queue.skip();
                waiting.shift();
                break;
              case 'release':
                if (written.length === 0) break;
                queue.release(1);
                written.shift();
                break;
              case 'rewind':
                queue.rewind();
                waiting = [...written, ...waiting];
                written = [];
                break;
              case 'take':
                queue.take(({ number }) => number % (count + 1) === 0);
                waiting = waiting.filter((number) => number % (count + 1) !== 0);
            }
          }
          expect(queue.all().map(({ number }) => number)).toEqual([...written, ...waiting]);
          expect([queue.length, queue.waiting]).toEqual([written.length + waiting.length, waiting.length]);
          expect([queue.first?.number, queue.next?.number]).toEqual([written[0] ?? waiting[0], waiting[0]]);
          expect(queue.bytes).toBe(2 * queue.length);
          const first = Math.min(...waiting.map((number) => (number % 7) * 100));
          expect(queue.nextExpiry).toBeLessThanOrEqual(first); // it may be early, and is never late
        }
      }),
      { numRuns: 60 },
    );
  });

  it('T37: behaves like an array, for every order of pushing, shifting and taking, also far past a thousand', () => {
    const arbitrarySteps = fc.array(
      fc.oneof(
        fc.record({ do: fc.constant('push' as const), count: fc.integer({ min: 1, max: 1_500 }) }),
        fc.record({ do: fc.constant('shift' as const), count: fc.integer({ min: 1, max: 1_500 }) }),
        fc.record({ do: fc.constant('take' as const), count: fc.integer({ min: 2, max: 9 }) }),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(arbitrarySteps, (steps) => {
        const queue = createSendQueue({ maxMessages: Infinity, maxBytes: Infinity });
        let model: string[] = [];
        let next = 0;
        const taken: unknown[][] = []; // from the queue and from the model, in turns
        for (const { do: what, count } of steps) {
          if (what === 'push') {
            for (let i = 0; i < count; i++) {
              model.push(`${next}`);
              queue.push(message(`${next++}`));
            }
          } else if (what === 'shift') {
            for (let i = 0; i < count; i++) if (shift(queue)?.data !== model.shift()) throw new Error('order');
          } else {
            const leaves = (text: unknown): boolean => Number(text) % count === 0;
            taken.push(
              queue.take(({ data }) => leaves(data)).map(({ data }) => data),
              model.filter(leaves),
            );
            model = model.filter((text) => !leaves(text));
          }
          expect(taken.pop()).toEqual(taken.pop());
          expect(queue.length).toBe(model.length);
          expect(queue.bytes).toBe(model.reduce((sum, text) => sum + text.length, 0));
          expect(queue.first?.data).toBe(model[0]);
        }
      }),
      { numRuns: 50 },
    );
  });
});
