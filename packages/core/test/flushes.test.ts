import { describe, expect, it } from 'vitest';
import { createFlushes, type Flushes } from '../src/flushes.ts';
import { HoldfastError } from '../src/errors.ts';

const failure = (): HoldfastError => new HoldfastError('NO_PROOF', 'none came');

/** Whether it was settled, and how, once the microtasks have run. */
async function fateOf(promise: Promise<void>): Promise<string> {
  let fate = 'waits';
  promise.then(
    () => (fate = 'proven'),
    (error: HoldfastError) => (fate = error.code),
  );
  for (let i = 0; i < 4; i++) await Promise.resolve();
  return fate;
}

/** Asks for whoever is served. */
const ask = (flushes: Flushes, next: number, mark: number, deadline: number): boolean =>
  flushes.serve(next, () => ({ mark, deadline }));

describe('flushes', () => {
  it('wait for the queue up to their message, then for its proof', async () => {
    const flushes = createFlushes();
    const flushed = flushes.add(3);
    expect(ask(flushes, 3, 10, 100)).toBe(false); // the third is still to go
    expect(flushes.deadline).toBe(Infinity);
    expect(ask(flushes, 4, 10, 100)).toBe(true);
    expect(flushes.deadline).toBe(100);
    flushes.proven(9);
    expect(await fateOf(flushed)).toBe('waits');
    flushes.proven(10);
    expect(await fateOf(flushed)).toBe('proven');
    expect([flushes.length, flushes.deadline]).toEqual([0, Infinity]);
  });

  it('are asked for once', () => {
    const flushes = createFlushes();
    void flushes.add(1);
    expect(ask(flushes, Infinity, 1, 100)).toBe(true);
    expect(ask(flushes, Infinity, 2, 200)).toBe(false);
    expect(flushes.deadline).toBe(100);
  });

  it('may be answered instead of asking', async () => {
    const flushes = createFlushes();
    const [one, two] = [flushes.add(1), flushes.add(1)];
    let isFirst = true;
    const asks = flushes.serve(Infinity, ({ resolve, reject }) => {
      if (isFirst) resolve();
      else reject(failure());
      isFirst = false;
      return undefined;
    });
    expect(asks).toBe(false);
    expect([await fateOf(one), await fateOf(two), flushes.length]).toEqual(['proven', 'NO_PROOF', 0]);
  });

  it('give up at their own deadline, those that have asked', async () => {
    const flushes = createFlushes();
    const early = flushes.add(1);
    ask(flushes, 2, 1, 100);
    const late = flushes.add(2);
    ask(flushes, 3, 2, 200);
    const queued = flushes.add(3);
    flushes.fail(failure, 100);
    expect([await fateOf(early), await fateOf(late), await fateOf(queued)]).toEqual(['NO_PROOF', 'waits', 'waits']);
    flushes.fail(failure);
    expect([await fateOf(late), await fateOf(queued)]).toEqual(['NO_PROOF', 'waits']);
  });

  it('carried over, ask anew on the next socket', async () => {
    const flushes = createFlushes();
    const flushed = flushes.add(1);
    ask(flushes, 2, 5, 100);
    flushes.carryOver();
    expect(flushes.deadline).toBe(Infinity);
    flushes.proven(5);
    expect(await fateOf(flushed)).toBe('waits');
    expect(ask(flushes, 2, 7, 300)).toBe(true);
    flushes.proven(7);
    expect(await fateOf(flushed)).toBe('proven');
  });

  it('all end with the life', async () => {
    const flushes = createFlushes();
    const [asked, queued] = [flushes.add(1), flushes.add(9)];
    ask(flushes, 2, 1, 100);
    flushes.end(failure);
    expect([await fateOf(asked), await fateOf(queued), flushes.length]).toEqual(['NO_PROOF', 'NO_PROOF', 0]);
  });
});
