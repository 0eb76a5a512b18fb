import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { deadlineOf, transition } from '../src/machine.ts';
import { NO_LESSONS, startBeat } from '../src/heartbeat.ts';
import { lost } from '../src/close-codes.ts';
import type { CloseInfo } from '../src/adapter.ts';
import type { Effect, Input, Instant, Memory, Policy, State, Step } from '../src/states.ts';

// ---- one of each

const NOW = 100_000;
const AT: Instant = { now: NOW, random: 0.5, received: 0, suspended: false };
const HIDDEN: Instant = { ...AT, suspended: true };

const POLICY: Policy = {
  connectTimeout: 10_000,
  closeTimeout: 2_000,
  stableAfter: 5_000,
  hasHandshake: false,
  heartbeat: { interval: 30_000, timeout: 10_000, expectReply: 'auto', frames: false, proves: false },
  retry: {
    initialDelay: 2_500,
    maxDelay: 30_000,
    factor: 2,
    jitter: 'full',
    maxAttempts: Infinity,
    canHeal: false,
  },
};

const memory: Memory = { lessons: NO_LESSONS, healed: false, hasBeenOpen: true, newsAt: -Infinity };
const generation = 7;
const attempt = 3;
const connecting = { name: 'connecting', generation, attempt, deadline: NOW, memory } as const;
const closing = { name: 'closing', generation, opened: true, code: 1000, reason: '', why: 'caller' } as const;

/** Every deadline is due at NOW, so that one list of inputs serves all. */
const STATES = {
  idle: { name: 'idle' },
  preparing: { ...connecting, phase: 'preparing' },
  dialling: { ...connecting, phase: 'dialling' },
  handshaking: { ...connecting, phase: 'handshaking' },
  open: {
    name: 'open',
    generation,
    attempt,
    openedAt: NOW - 30_000,
    beat: startBeat(NOW - 30_000, POLICY.heartbeat, NO_LESSONS, false),
    memory,
  },
  waiting: { name: 'waiting', generation, attempt, deadline: NOW, askedByServer: false, memory },
  asked: { name: 'waiting', generation, attempt, deadline: NOW, askedByServer: true, memory },
  suspended: { name: 'suspended', generation, attempt, notBefore: 0, memory },
  draining: { ...closing, phase: 'draining', deadline: NOW },
  shaking: { ...closing, phase: 'shaking', deadline: NOW },
  closed: { name: 'closed', generation, why: 'caller', last: undefined },
} as const satisfies Record<string, State>;

const CLOSED_BY_PEER: CloseInfo = { code: 1001, reason: 'bye', wasClean: true };
const INPUTS = {
  connect: { type: 'connect' },
  reconnect: { type: 'reconnect' },
  close: { type: 'close', code: 1000, reason: '', why: 'caller' },
  abort: { type: 'close', code: 1000, reason: '', why: 'aborted' },
  deadline: { type: 'deadline' },
  online: { type: 'hint', hint: 'online' },
  offline: { type: 'hint', hint: 'offline' },
  visible: { type: 'hint', hint: 'visible' },
  suspend: { type: 'hint', hint: 'suspend' },
  resume: { type: 'hint', hint: 'resume' },
  unproven: { type: 'unproven' },
  flush: { type: 'flush' },
  overdue: { type: 'overdue' },
  prepared: { type: 'prepared', generation },
  socketOpened: { type: 'socketOpened', generation },
  broken: { type: 'broken', generation, code: 4803, cause: new Error('not the protocol') },
  handshaken: { type: 'handshaken', generation, mustReply: false },
  failed: { type: 'failed', generation, cause: 'x' },
  stopped: { type: 'stopped', generation, cause: 'x' },
  replied: { type: 'replied', generation },
  drained: { type: 'drained', generation },
  socketClosed: { type: 'socketClosed', generation, close: CLOSED_BY_PEER },
} as const satisfies Record<string, Input>;

type StateName = keyof typeof STATES;
type InputName = keyof typeof INPUTS;

/** One rule, one line: in this state, upon this input, into that state, with these effects. */
const RULES: readonly (readonly [StateName, InputName, string, ...Effect['type'][]])[] = [
  ['idle', 'connect', 'preparing', 'prepare'],
  ['idle', 'close', 'closed', 'tellEnd'],
  ['idle', 'abort', 'closed', 'tellEnd'],

  ['preparing', 'prepared', 'dialling', 'openSocket'],
  ['preparing', 'failed', 'waiting', 'terminateSocket', 'tellClose'],
  ['preparing', 'stopped', 'closed', 'terminateSocket', 'tellClose', 'tellEnd'],
  ['preparing', 'socketClosed', 'waiting', 'tellClose'],
  ['preparing', 'deadline', 'waiting', 'terminateSocket', 'tellClose'],
  ['preparing', 'close', 'closed', 'terminateSocket', 'tellClose', 'tellEnd'],
  ['preparing', 'abort', 'closed', 'terminateSocket', 'tellClose', 'tellEnd'],

  ['dialling', 'socketOpened', 'open', 'tellOpen'],
  ['dialling', 'socketClosed', 'waiting', 'tellClose'],
  ['dialling', 'failed', 'waiting', 'terminateSocket', 'tellClose'],
  ['dialling', 'stopped', 'closed', 'terminateSocket', 'tellClose', 'tellEnd'],
  ['dialling', 'deadline', 'waiting', 'terminateSocket', 'tellClose'],
  ['dialling', 'close', 'closed', 'terminateSocket', 'tellClose', 'tellEnd'],
  ['dialling', 'abort', 'closed', 'terminateSocket', 'tellClose', 'tellEnd'],

  ['handshaking', 'handshaken', 'open', 'tellOpen'],
  ['handshaking', 'socketClosed', 'waiting', 'tellClose'],
  ['handshaking', 'failed', 'waiting', 'terminateSocket', 'tellClose'],
  ['handshaking', 'stopped', 'closed', 'terminateSocket', 'tellClose', 'tellEnd'],
  ['handshaking', 'deadline', 'waiting', 'terminateSocket', 'tellClose'],
  ['handshaking', 'close', 'shaking', 'closeSocket'],
  ['handshaking', 'abort', 'shaking', 'closeSocket'],

  ['open', 'deadline', 'open', 'ping'],
  ['open', 'online', 'open', 'ping'],
  ['open', 'offline', 'open', 'ping'],
  ['open', 'visible', 'open', 'ping'],
  ['open', 'resume', 'open', 'ping'],
  ['open', 'flush', 'open', 'ping'],
  ['open', 'unproven', 'open'],
  ['open', 'overdue', 'preparing', 'terminateSocket', 'tellClose', 'prepare'],
  ['open', 'broken', 'waiting', 'closeSocket', 'tellClose'],
  ['open', 'replied', 'open'],
  ['open', 'socketClosed', 'waiting', 'tellClose'],
  ['open', 'reconnect', 'preparing', 'terminateSocket', 'tellClose', 'prepare'],
  ['open', 'close', 'draining', 'drain'],
  ['open', 'abort', 'shaking', 'closeSocket'],

  ['waiting', 'deadline', 'preparing', 'prepare'],
  ['waiting', 'reconnect', 'preparing', 'prepare'],
  ['waiting', 'online', 'waiting'],
  ['waiting', 'visible', 'waiting'],
  ['waiting', 'resume', 'waiting'],
  ['waiting', 'suspend', 'suspended'],
  ['waiting', 'close', 'closed', 'tellEnd'],
  ['waiting', 'abort', 'closed', 'tellEnd'],

  ['asked', 'deadline', 'preparing', 'prepare'],
  ['asked', 'reconnect', 'preparing', 'prepare'],
  ['asked', 'suspend', 'suspended'],
  ['asked', 'close', 'closed', 'tellEnd'],
  ['asked', 'abort', 'closed', 'tellEnd'],

  ['suspended', 'reconnect', 'preparing', 'prepare'],
  ['suspended', 'resume', 'preparing', 'prepare'],
  ['suspended', 'close', 'closed', 'tellEnd'],
  ['suspended', 'abort', 'closed', 'tellEnd'],

  ['draining', 'drained', 'shaking', 'closeSocket'],
  ['draining', 'flush', 'draining', 'ping'],
  ['draining', 'socketClosed', 'closed', 'tellClose', 'tellEnd'],
  ['draining', 'deadline', 'closed', 'terminateSocket', 'tellClose', 'tellEnd'],
  ['draining', 'connect', 'preparing', 'terminateSocket', 'tellClose', 'tellEnd', 'prepare'],
  ['shaking', 'socketClosed', 'closed', 'tellClose', 'tellEnd'],
  ['shaking', 'deadline', 'closed', 'terminateSocket', 'tellClose', 'tellEnd'],
  ['shaking', 'connect', 'preparing', 'terminateSocket', 'tellClose', 'tellEnd', 'prepare'],

  ['closed', 'connect', 'preparing', 'prepare'],
];

const stateNames = Object.keys(STATES) as StateName[];
const inputNames = Object.keys(INPUTS) as InputName[];
const pairs = stateNames.flatMap((state) => inputNames.map((input) => [state, input] as const));
const isIn = (list: readonly (readonly [StateName, InputName, ...unknown[]])[]) => {
  const keys = new Set(list.map(([state, input]) => `${state} ${input}`));
  return ([state, input]: readonly [StateName, InputName]) => keys.has(`${state} ${input}`);
};
const hasRule = isIn(RULES);
const IGNORED = pairs.filter((pair) => !hasRule(pair));

const label = (state: State): string => ('phase' in state ? state.phase : state.name);
const types = ([, effects]: Step): string[] => effects.map(({ type }) => type);

describe('transition', () => {
  it.each(RULES.map(([state, input, next, ...effects]) => ({ state, input, next, effects })))(
    'in $state, $input leads to $next and does: $effects',
    ({ state, input, next, effects }) => {
      const step = transition(STATES[state], INPUTS[input], AT, POLICY);
      expect(label(step[0])).toBe(next);
      expect(types(step)).toEqual(effects);
    },
  );

  it.each(IGNORED.map(([state, input]) => ({ state, input })))('in $state, $input changes nothing', (pair) => {
    const state = STATES[pair.state];
    const [next, effects] = transition(state, INPUTS[pair.input], AT, POLICY);
    expect(next).toBe(state);
    expect(effects).toEqual([]);
  });

  it('every pair of state and input has exactly one line', () => {
    expect(RULES.length + IGNORED.length).toBe(pairs.length);
    expect(new Set(RULES.map(([state, input]) => `${state} ${input}`)).size).toBe(RULES.length);
  });

  it.each(pairs.filter(([state]) => state !== 'idle').map(([state, input]) => ({ state, input })))(
    'T2: in $state, $input of a socket that was left behind changes nothing',
    (pair) => {
      const input: Input = INPUTS[pair.input];
      if (!('generation' in input)) return;
      for (const other of [generation - 1, generation + 1]) {
        const [next, effects] = transition(STATES[pair.state], { ...input, generation: other }, AT, POLICY);
        expect(next).toBe(STATES[pair.state]);
        expect(effects).toEqual([]);
      }
    },
  );

  it.each(stateNames.filter((name) => 'deadline' in STATES[name] || name === 'open'))(
    'in %s, a deadline that is not due changes nothing',
    (name) => {
      const [next, effects] = transition(STATES[name], INPUTS.deadline, { ...AT, now: NOW - 1 }, POLICY);
      expect(next).toBe(STATES[name]);
      expect(effects).toEqual([]);
    },
  );
});

describe('what a state carries on', () => {
  const next = (state: State, input: Input, at = AT, policy = POLICY) => transition(state, input, at, policy)[0];
  const effects = (state: State, input: Input, at = AT, policy = POLICY) => transition(state, input, at, policy)[1];

  it('every dial is a new generation with a deadline of its own', () => {
    for (const [state, input] of [
      ['closed', 'connect'],
      ['waiting', 'deadline'],
      ['open', 'reconnect'],
      ['suspended', 'resume'],
      ['shaking', 'connect'],
    ] as const) {
      expect(next(STATES[state], INPUTS[input])).toMatchObject({
        generation: generation + 1,
        deadline: NOW + POLICY.connectTimeout,
      });
    }
  });

  it('a new life knows nothing of the old one', () => {
    const fresh = { lessons: NO_LESSONS, healed: false, hasBeenOpen: false };
    expect(next(STATES.closed, INPUTS.connect)).toMatchObject({ attempt: 0, memory: fresh });
    expect(next(STATES.shaking, INPUTS.connect)).toMatchObject({ attempt: 0, memory: fresh });
  });

  it('the closing handshake has one deadline, from close() on', () => {
    expect(next(STATES.open, INPUTS.close)).toMatchObject({ deadline: NOW + POLICY.closeTimeout });
    const draining: State = { ...STATES.draining, deadline: NOW + 700 };
    expect(next(draining, INPUTS.drained)).toMatchObject({ phase: 'shaking', deadline: NOW + 700 });
  });

  it('the code and the reason of close() reach the socket', () => {
    const close: Input = { type: 'close', code: 4000, reason: 'done', why: 'caller' };
    const draining = next(STATES.open, close);
    expect(effects(draining, INPUTS.drained)).toEqual([{ type: 'closeSocket', code: 4000, reason: 'done' }]);
  });

  it('with a handshake, an open socket is not open yet', () => {
    const policy = { ...POLICY, hasHandshake: true };
    const step = transition(STATES.dialling, INPUTS.socketOpened, AT, policy);
    expect(label(step[0])).toBe('handshaking');
    expect(step[0]).toMatchObject({ deadline: STATES.dialling.deadline });
    expect(step[1]).toEqual([{ type: 'shakeHands', generation, reconnected: true }]);
  });

  it('open is told as reconnected, except for the first of a life', () => {
    expect(effects(STATES.dialling, INPUTS.socketOpened)).toEqual([{ type: 'tellOpen', reconnected: true }]);
    const first: State = { ...STATES.dialling, memory: { ...memory, hasBeenOpen: false } };
    expect(effects(first, INPUTS.socketOpened)).toEqual([{ type: 'tellOpen', reconnected: false }]);
    expect(next(first, INPUTS.socketOpened)).toMatchObject({ memory: { hasBeenOpen: true } });
  });

  it('T17: failures are forgotten by a connection that has lasted, and by no shorter one', () => {
    const openFor = (ms: number): State => ({ ...STATES.open, openedAt: NOW - ms });
    expect(next(openFor(POLICY.stableAfter), INPUTS.socketClosed)).toMatchObject({ attempt: 1 });
    expect(next(openFor(POLICY.stableAfter - 1), INPUTS.socketClosed)).toMatchObject({ attempt: attempt + 1 });
    expect(next(openFor(POLICY.stableAfter), INPUTS.reconnect)).toMatchObject({ attempt: 0 });
    expect(next(openFor(POLICY.stableAfter - 1), INPUTS.reconnect)).toMatchObject({ attempt });
  });

  it('T48: good news makes a wait at most 250 ms, at most once a second', () => {
    const waiting: State = { ...STATES.waiting, deadline: NOW + 20_000 };
    const sooner = next(waiting, INPUTS.online);
    expect(sooner).toMatchObject({ deadline: NOW + 125, memory: { newsAt: NOW } });
    const again: State = { ...waiting, memory: { ...memory, newsAt: NOW - 999 } };
    expect(next(again, INPUTS.visible)).toBe(again);
    const later: State = { ...waiting, memory: { ...memory, newsAt: NOW - 1_000 } };
    expect(next(later, INPUTS.visible)).toMatchObject({ deadline: NOW + 125 });
  });

  it('T48: good news never makes a wait longer', () => {
    expect(next(STATES.waiting, INPUTS.online)).toMatchObject({ deadline: NOW });
  });

  it('a hidden host: a loss is suspended, costs no attempt, and is told without a delay', () => {
    const step = transition(STATES.dialling, INPUTS.failed, HIDDEN, POLICY);
    expect(step[0]).toMatchObject({ name: 'suspended', attempt, notBefore: 0 });
    expect(step[1][1]).toMatchObject({ type: 'tellClose', redial: { delay: undefined } });
    expect(next(STATES.open, INPUTS.socketClosed, HIDDEN)).toMatchObject({ name: 'suspended', attempt: 0 });
  });

  it('a hidden host: a new life waits to be shown', () => {
    const step = transition(STATES.closed, INPUTS.connect, HIDDEN, POLICY);
    expect(step[0]).toMatchObject({ name: 'suspended', attempt: 0 });
    expect(step[1]).toEqual([]);
  });

  it('a hidden host: the heartbeat has no deadline, all others have', () => {
    expect(deadlineOf(STATES.open, true)).toBeUndefined();
    expect(deadlineOf(STATES.open, false)).toBe(NOW);
    for (const name of ['preparing', 'waiting', 'draining'] as const) expect(deadlineOf(STATES[name], true)).toBe(NOW);
  });

  it("a server's wait outlives the host's hiding us", () => {
    const asked: State = { ...STATES.asked, deadline: NOW + 60_000 };
    const hidden = next(asked, INPUTS.suspend);
    expect(hidden).toMatchObject({ name: 'suspended', notBefore: NOW + 60_000 });
    expect(next(hidden, INPUTS.resume)).toMatchObject({ name: 'waiting', deadline: NOW + 60_000, askedByServer: true });
    expect(next(hidden, INPUTS.resume, { ...AT, now: NOW + 60_000 })).toMatchObject({ name: 'connecting' });
    const close: CloseInfo = { code: 1013, reason: 'retry-after=9.000', wasClean: true };
    expect(next(STATES.open, { type: 'socketClosed', generation, close }, HIDDEN)).toMatchObject({
      notBefore: NOW + 9_000,
    });
  });
});

describe('the end', () => {
  it("T26: a peer's close reaches the user unchanged, and is not ours", () => {
    const [, effects] = transition(STATES.open, INPUTS.socketClosed, AT, POLICY);
    expect(effects).toEqual([
      { type: 'tellClose', close: CLOSED_BY_PEER, asked: false, opened: true, redial: { delay: 1_250 } },
    ]);
  });

  it('T26: a close of ours that the peer has answered is clean, one that it has not is 1006', () => {
    const answered = transition(STATES.shaking, INPUTS.socketClosed, AT, POLICY)[1];
    expect(answered[0]).toMatchObject({ close: CLOSED_BY_PEER, asked: true, redial: undefined });
    const overdue = transition(STATES.shaking, INPUTS.deadline, AT, POLICY)[1];
    expect(overdue[1]).toMatchObject({
      close: { code: 1006, wasClean: false, cause: { code: 'CLOSE_TIMEOUT' } },
      asked: true,
    });
  });

  it('T26: an attempt that was given up is 1006 and not clean, whatever code close() was given', () => {
    for (const phase of ['preparing', 'dialling'] as const) {
      const [, effects] = transition(STATES[phase], { ...INPUTS.close, code: 4000, reason: 'enough' }, AT, POLICY);
      expect(effects[1]).toMatchObject({ close: { code: 1006, reason: '', wasClean: false }, asked: true });
    }
  });

  it('T26: an attempt that took too long says so', () => {
    const [, effects] = transition(STATES.dialling, INPUTS.deadline, AT, POLICY);
    expect(effects[1]).toMatchObject({
      close: { code: 1006, wasClean: false, cause: { code: 'CONNECT_TIMEOUT' } },
      asked: false,
      opened: false,
    });
  });

  it.each([
    ['close', 'caller'],
    ['abort', 'aborted'],
  ] as const)('%s ends as %s', (input, why) => {
    expect(transition(STATES.waiting, INPUTS[input], AT, POLICY)[0]).toMatchObject({ why });
    expect(transition(STATES.open, INPUTS[input], AT, POLICY)[0]).toMatchObject({ why });
  });
});

// ---- what holds for every life

const arbitraryInput = fc.constantFrom(...inputNames);
const arbitraryLife = fc.record({
  hasHandshake: fc.boolean(),
  expectReply: fc.constantFrom<boolean | 'auto'>(true, false, 'auto'),
  frames: fc.boolean(),
  proves: fc.boolean(),
  interval: fc.constantFrom(100, 30_000, Infinity),
  timeout: fc.constantFrom(50, 10_000, 60_000),
  steps: fc.array(
    fc.record({
      name: fc.oneof(arbitraryInput, fc.constant<InputName>('deadline')),
      elapsed: fc.oneof(fc.constant<number | 'due'>('due'), fc.integer({ min: 0, max: 100_000 })),
      random: fc.double({ min: 0, max: 0.999, noNaN: true }),
      received: fc.integer({ min: 0, max: 2 }),
    }),
    { minLength: 5, maxLength: 60 },
  ),
});

/** Lives through it all and hands every step to `inspect`. */
function live(life: typeof arbitraryLife extends fc.Arbitrary<infer T> ? T : never, inspect: Inspect): void {
  const { hasHandshake, expectReply, frames, proves, interval, timeout, steps } = life;
  const policy = { ...POLICY, hasHandshake, heartbeat: { interval, timeout, expectReply, frames, proves } };
  let state: State = STATES.idle;
  let now = 0;
  let received = 0;
  let suspended = false;
  for (const step of steps) {
    const due = deadlineOf(state, suspended);
    now = step.elapsed === 'due' ? Math.max(now, due ?? now) : now + step.elapsed;
    received += step.received;
    const current = 'generation' in state ? state.generation : 0;
    const template: Input = INPUTS[step.name];
    const input = 'generation' in template ? { ...template, generation: current } : template;
    if (input.type === 'hint') suspended = input.hint === 'suspend' || (suspended && input.hint !== 'resume');
    const at = { now, random: step.random, received, suspended };
    const result = transition(state, input, at, policy);
    inspect({ before: state, input, at, policy, result });
    state = result[0];
  }
}
type Inspect = (seen: { before: State; input: Input; at: Instant; policy: Policy; result: Step }) => void;

describe('in every life', () => {
  it('a deadline that came due moves or vanishes, after at most one further turn', () => {
    fc.assert(
      fc.property(arbitraryLife, (life) =>
        live(life, ({ at, policy, result: [state] }) => {
          let current = state;
          for (let turn = 0; turn < 3; turn++) [current] = transition(current, INPUTS.deadline, at, policy);
          const deadline = deadlineOf(current, at.suspended);
          expect(deadline === undefined || deadline > at.now).toBe(true);
        }),
      ),
    );
  });

  it('nothing is written to: frozen states, inputs and policies give the same step twice', () => {
    fc.assert(
      fc.property(arbitraryLife, (life) =>
        live(life, ({ before, input, at, policy, result }) => {
          const again = transition(deepFreeze(before), deepFreeze(input), deepFreeze(at), deepFreeze(policy));
          expect(withoutStacks(again)).toEqual(withoutStacks(result));
        }),
      ),
    );
  });

  it('the end is told exactly when a life becomes closed, or gives way to the next', () => {
    fc.assert(
      fc.property(arbitraryLife, (life) =>
        live(life, ({ before, input, result: [after, effects] }) => {
          const ends = effects.filter(({ type }) => type === 'tellEnd').length;
          const closes = before.name !== 'closed' && after.name === 'closed';
          const givesWay = before.name === 'closing' && input.type === 'connect';
          expect(ends).toBe(closes || givesWay ? 1 : 0);
        }),
      ),
    );
  });

  it('a dial is prepared exactly when the generation goes up, and by one', () => {
    fc.assert(
      fc.property(arbitraryLife, (life) =>
        live(life, ({ before, result: [after, effects] }) => {
          const from = 'generation' in before ? before.generation : 0;
          const to = 'generation' in after ? after.generation : 0;
          expect(to - from).toBe(effects.filter(({ type }) => type === 'prepare').length);
        }),
      ),
    );
  });

  it('whatever ends an open socket tells its close exactly once', () => {
    fc.assert(
      fc.property(arbitraryLife, (life) =>
        live(life, ({ before, result: [after, effects] }) => {
          const left = (state: State) => state.name === 'open' || state.name === 'closing';
          const same = 'generation' in after && 'generation' in before && after.generation === before.generation;
          const told = effects.filter((effect) => effect.type === 'tellClose').length;
          const expected = same && left(after) ? 0 : 1;
          expect(left(before) ? told : expected).toBe(expected);
        }),
      ),
    );
  });
});

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

/** Errors are compared by what they say. */
function withoutStacks(step: Step): unknown {
  return JSON.parse(
    JSON.stringify(step, (_key, value: unknown) => (value instanceof Error ? value.message : value)),
  ) as unknown;
}

it('a socket that ended without a word is 1006 and not clean', () => {
  expect(lost()).toEqual({ code: 1006, reason: '', wasClean: false, cause: undefined });
});
