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
