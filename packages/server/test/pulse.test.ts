// Is this peer still there? (the rules by themselves, in beats)
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstPulse, nextPulse, rhythmOf, type Pulse } from '../src/pulse.ts';

const rhythm = { interval: 30, timeout: 10 };

/** What happens at each beat, for a peer whose signs of life are `signs(beat)`. */
function effects(beats: number, signs: (beat: number) => number): Record<number, string> {
  let pulse: Pulse = { name: 'resting', pingAt: 30 };
  const told: Record<number, string> = {};
  for (let beat = 1; beat <= beats; beat++) {
    const [next, effect] = nextPulse(pulse, beat, signs(beat), rhythm);
    pulse = next;
    if (effect !== 'nothing') told[beat] = effect;
    if (effect === 'terminate') break;
  }
  return told;
}

describe('a pulse', () => {
  test('pings at every interval while the peer answers', () => {
    const lively = effects(130, (beat) => beat);
    expect(lively).toEqual({ 30: 'ping', 60: 'ping', 90: 'ping', 120: 'ping' });
  });

  test('terminates a timeout after the ping that nothing answered', () => {
    expect(effects(200, () => 7)).toEqual({ 30: 'ping', 40: 'terminate' });
  });

  test('what was received before the ping answers nothing, one sign after it is enough', () => {
    expect(effects(200, (beat) => (beat < 30 ? beat : 29))).toMatchObject({ 40: 'terminate' });
    expect(effects(69, (beat) => (beat < 39 ? 0 : 1))).toEqual({ 30: 'ping', 60: 'ping' });
    expect(effects(75, (beat) => (beat < 39 ? 0 : 1))).toMatchObject({ 70: 'terminate' });
  });

  test('a timeout as long as the interval still pings once per interval', () => {
    const even = { interval: 4, timeout: 4 };
    let pulse: Pulse = { name: 'resting', pingAt: 4 };
    const pings: number[] = [];
    for (let beat = 1; beat <= 16; beat++) {
      const [next, effect] = nextPulse(pulse, beat, beat, even);
      pulse = next;
      if (effect === 'ping') pings.push(beat);
    }
    expect(pings).toEqual([4, 8, 12, 16]);
  });

  test('a herd is spread over the second half of an interval', () => {
    const pings = Array.from({ length: 1_000 }, (_, i) => firstPulse(100, rhythm, i / 1_000).pingAt);
    expect(Math.min(...pings)).toBe(115);
    expect(Math.max(...pings)).toBe(130);
    const perBeat = new Set(pings).size;
    expect(perBeat).toBe(16);
  });
});

test('a beat is at most a second, and the rhythm never shorter than what was asked for', () => {
  expect(rhythmOf({ interval: 30_000, timeout: 10_000 })).toEqual({
    ms: 1_000,
    interval: 30,
    timeout: 10,
  });
  const durations = fc.integer({ min: 1, max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(durations, durations, (a, b) => {
      const asked = { interval: Math.max(a, b), timeout: Math.min(a, b) };
      const { ms, interval, timeout } = rhythmOf(asked);
      expect(ms).toBeLessThanOrEqual(1_000);
      expect(interval * ms).toBeGreaterThanOrEqual(asked.interval);
      expect(timeout * ms).toBeGreaterThanOrEqual(asked.timeout);
      expect(timeout).toBeGreaterThanOrEqual(2);
    }),
  );
});
