// Is this peer still there?
//
// Time is counted in beats of the server's one timer, not read from a clock: while the event loop is blocked no beat
// comes, so a blocked server does not take its peers for dead.

/** `asked`: a ping frame is out, and `signs` is what had been received before it. All times are numbers of beats. */
export type Pulse =
  | { readonly name: 'resting'; readonly pingAt: number }
  | {
      readonly name: 'asked';
      readonly pingAt: number;
      readonly signs: number;
      readonly deadline: number;
    };

/** How many beats lie between two pings, and how many a peer may be silent after one. */
export interface Rhythm {
  readonly interval: number;
  readonly timeout: number;
}

/** What the peer is to feel of it. */
export type PulseEffect = 'nothing' | 'ping' | 'terminate';

/** `random` is in [0, 1): the first ping comes somewhere in the second half of an interval, so that a herd is spread. */
export function firstPulse(beat: number, { interval }: Rhythm, random: number): Pulse {
  return { name: 'resting', pingAt: beat + Math.max(1, Math.ceil(interval * (0.5 + random / 2))) };
}

/** `signs` is any number that changes with everything received. */
export function nextPulse(pulse: Pulse, beat: number, signs: number, rhythm: Rhythm): readonly [Pulse, PulseEffect] {
  switch (pulse.name) {
    case 'asked':
      if (pulse.signs === signs) return [pulse, beat >= pulse.deadline ? 'terminate' : 'nothing'];
      return nextPulse({ name: 'resting', pingAt: pulse.pingAt }, beat, signs, rhythm);
    case 'resting':
      if (beat < pulse.pingAt) return [pulse, 'nothing'];
      return [
        {
          name: 'asked',
          pingAt: beat + rhythm.interval,
          signs,
          deadline: beat + rhythm.timeout,
        },
        'ping',
      ];
  }
}

/** The length of a beat, and how often things happen in it. */
export function rhythmOf(heartbeat: { interval: number; timeout: number }): Rhythm & { ms: number } {
  const ms = Math.min(LONGEST_BEAT, heartbeat.interval / 4, heartbeat.timeout / 2);
  return {
    ms,
    interval: Math.ceil(heartbeat.interval / ms),
    timeout: Math.ceil(heartbeat.timeout / ms),
  };
}

/** Budgets are filled up once a beat, so this is also how long a peer over budget waits; a second is short enough. */
export const LONGEST_BEAT = 1_000;
