import { describe, expect, it } from 'vitest';
import { liveRandomly } from './support/session-life.ts';

/**
 * Seeds that broke a promise until a fault was mended. They stay.
 * - 21: what waited for a socket stood in the storage as unsent after it was sent
 * - 632: a store that went back under a living lease; what got a number for the second time was never sent
 * - 15608: a session expired just after it was given back, while the store had not said so yet
 * - 660690122: a handler had the first tab's message 1 when the copy of that tab took the session over, and sent another 1
 */
const SEEDS_THAT_FAILED: readonly number[] = [21, 632, 15_608, 660_690_122];
const LIVES = 300;

describe('random lives of sessions', () => {
  it.each(SEEDS_THAT_FAILED)('T30: seed %i keeps every promise, as it once did not', async (seed) => {
    expect((await liveRandomly(seed)).violations).toEqual([]);
  });

  it(`T30: ${LIVES} fresh lives keep every promise: in order, nothing lost, nothing twice, both ways, or told`, async () => {
    const first = Date.now() % 1_000_000_000;
    console.log(`random lives of sessions: seeds ${first} to ${first + LIVES - 1}`);
    for (let seed = first; seed < first + LIVES; seed++) {
      const { violations } = await liveRandomly(seed);
      expect(violations, `seed ${seed}`).toEqual([]);
    }
  }, 300_000);
});
