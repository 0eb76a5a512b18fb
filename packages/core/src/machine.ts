// What happens next in the life of a connection?
//
// Whatever decides that is in this file and in the pure ones it imports. Nothing here mentions a platform, keeps a
// variable, reads a clock or draws a number: they come in with the instant, and what to do goes out as a list.

import {
  NO_LESSONS,
  beatDeadline,
  beatDue,
  beatFlushed,
  beatHinted,
  beatReplied,
  beatResumed,
  beatUnproven,
  dislikesPing,
  learnFromClose,
  learnFromReply,
  learnFromVerdict,
  startBeat,
  type Beat,
  type Lessons,
  type Pulse,
} from './heartbeat.ts';
import { HoldfastError } from './errors.ts';
import { lost } from './close-codes.ts';
import { verdictOn } from './retry.ts';
import type { CloseInfo } from './adapter.ts';
import type {
  Closing,
  Connecting,
  Effect,
  EndReason,
  Input,
  Instant,
  Memory,
  Open,
  Policy,
  State,
  Step,
  Suspended,
  TellClose,
  Waiting,
} from './states.ts';

/** Good news makes a wait at most this long (times a random number), and at most this often. */
const NEWS_DELAY = 250;
const NEWS_SPACING = 1_000;

/** The moment at which the state wants to be woken; `undefined` for never. A host that suspends us stops the heartbeat. */
export function deadlineOf(state: State, suspended: boolean): number | undefined {
  if (state.name === 'open') return suspended ? undefined : finite(beatDeadline(state.beat));
  return 'deadline' in state ? finite(state.deadline) : undefined;
}

/** Every rule, state by state. */
export function transition(state: State, input: Input, at: Instant, policy: Policy): Step {
  if ('generation' in input && (state.name === 'idle' || input.generation !== state.generation)) return stay(state);
  if (input.type === 'deadline' && at.now < (deadlineOf(state, at.suspended) ?? Infinity)) return stay(state);

  switch (state.name) {
    case 'idle':
    case 'closed':
      return whenEnded(state, input, at, policy);
    case 'connecting':
      return whenConnecting(state, input, at, policy);
    case 'open':
      return whenOpen(state, input, at, policy);
    case 'waiting':
      return whenWaiting(state, input, at, policy);
    case 'suspended':
      return whenSuspended(state, input, at, policy);
    case 'closing':
      return whenClosing(state, input, at, policy);
  }
}

function whenEnded(state: State & { name: 'idle' | 'closed' }, input: Input, at: Instant, policy: Policy): Step {
  const generation = state.name === 'idle' ? 0 : state.generation;
  if (input.type === 'connect') return begin(generation, at, policy);
  if (input.type === 'close' && state.name === 'idle') return end(generation, input.why, undefined);
  return stay(state);
}

function whenConnecting(state: Connecting, input: Input, at: Instant, policy: Policy): Step {
  const { generation, phase } = state;
  switch (input.type) {
    case 'prepared':
      if (phase !== 'preparing') return stay(state);
      return [{ ...state, phase: 'dialling' }, [{ type: 'openSocket', generation }]];
    case 'socketOpened':
      if (phase !== 'dialling') return stay(state);
      if (!policy.hasHandshake) return opened(state, policy.heartbeat.frames, at, policy);
      return [
        { ...state, phase: 'handshaking' },
        [{ type: 'shakeHands', generation, reconnected: state.memory.hasBeenOpen }],
      ];
    case 'handshaken':
      return phase === 'handshaking' ? opened(state, input.mustReply, at, policy) : stay(state);
    case 'socketClosed':
      return lose(state, input.close, at, policy);
    case 'failed':
      return lose(state, lost(input.cause), at, policy, TERMINATE);
    case 'stopped': {
      const close = lost(input.cause);
      return end(generation, 'stopped', close, [...TERMINATE, ended(close, false, false)]);
    }
    case 'deadline': {
      const spent = phase === 'handshaking' ? 'the handshake was not done' : 'the socket was not open';
      const cause = new HoldfastError('CONNECT_TIMEOUT', `${spent} after ${policy.connectTimeout} ms`);
      return lose(state, lost(cause), at, policy, TERMINATE);
    }
    case 'close': {
      if (phase === 'handshaking') return shake(generation, input, false, at, policy);
      const close = lost(); // nobody has said a code yet, and ours was never sent
      return end(generation, input.why, close, [...TERMINATE, ended(close, true, false)]);
    }
    default:
      return stay(state); // already dialling; hints are weighed when the attempt is over
  }
}

function whenOpen(state: Open, input: Input, at: Instant, policy: Policy): Step {
  const { generation, beat, memory } = state;
  const { heartbeat } = policy;
  switch (input.type) {
    case 'deadline':
      return beatTo(state, beatDue(beat, at, heartbeat, memory.lessons), at, policy);
    case 'hint':
      if (input.hint === 'suspend') return stay(state);
      if (input.hint === 'resume') return beatTo(state, beatResumed(beat, at, heartbeat, memory.lessons), at, policy);
      return beatTo(state, beatHinted(beat, at, heartbeat, memory.lessons), at, policy);
    case 'unproven':
      return stay({ ...state, beat: beatUnproven(beat, at.now, memory.lessons) });
    case 'flush':
      return beatTo(state, beatFlushed(beat, at, heartbeat, memory.lessons), at, policy);
    case 'replied': {
      const lessons = learnFromReply(memory.lessons);
      return stay({ ...state, beat: beatReplied(beat, at), memory: { ...memory, lessons } });
    }
    case 'overdue': {
      if (at.suspended) return stay(state);
      const cause = new HoldfastError('HEARTBEAT_TIMEOUT', `a proof was owed for ${heartbeat.timeout} ms`);
      return lose(state, lost(cause), at, policy, TERMINATE, 'heartbeat');
    }
    case 'broken':
      return lose(state, lost(input.cause), at, policy, [{ type: 'closeSocket', code: input.code, reason: '' }]);
    case 'socketClosed':
      return lose(state, input.close, at, policy);
    case 'reconnect': {
      const told: TellClose = {
        type: 'tellClose',
        close: lost(),
        asked: true,
        opened: true,
        redial: { delay: 0 },
      };
      const stable = isStable(state, at, policy);
      return dial(generation, stable ? 0 : state.attempt, { ...memory, healed: memory.healed && !stable }, at, policy, [
        ...TERMINATE,
        told,
      ]);
    }
    case 'close': {
      if (input.why === 'aborted') return shake(generation, input, true, at, policy);
      const { code, reason, why } = input;
      const deadline = at.now + policy.closeTimeout;
      return [
        {
          name: 'closing',
          phase: 'draining',
          generation,
          opened: true,
          code,
          reason,
          why,
          deadline,
        },
        [{ type: 'drain' }],
      ];
    }
    default:
      return stay(state);
  }
}

function whenWaiting(state: Waiting, input: Input, at: Instant, policy: Policy): Step {
  const { generation, memory } = state;
  switch (input.type) {
    case 'deadline':
    case 'reconnect':
      return dial(generation, state.attempt, memory, at, policy);
    case 'close':
      return end(generation, input.why, undefined);
    case 'hint':
      if (input.hint === 'offline') return stay(state); // a doubt; it forbids nothing
      if (input.hint === 'suspend') return suspend(state, state.askedByServer ? state.deadline : 0);
      if (state.askedByServer || at.now - memory.newsAt < NEWS_SPACING) return stay(state);
      return stay({
        ...state,
        deadline: Math.min(state.deadline, at.now + at.random * NEWS_DELAY),
        memory: { ...memory, newsAt: at.now },
      });
    default:
      return stay(state);
  }
}

function whenSuspended(state: Suspended, input: Input, at: Instant, policy: Policy): Step {
  const { generation, memory, notBefore } = state;
  switch (input.type) {
    case 'reconnect':
      return dial(generation, state.attempt, memory, at, policy);
    case 'hint':
      if (input.hint !== 'resume') return stay(state);
      return at.now < notBefore
        ? wait(generation, state.attempt, memory, notBefore, true)
        : dial(generation, state.attempt, memory, at, policy);
    case 'close':
      return end(generation, input.why, undefined);
    default:
      return stay(state);
  }
}

function whenClosing(state: Closing, input: Input, at: Instant, policy: Policy): Step {
  const { generation, why, opened: wasOpened } = state;
  switch (input.type) {
    case 'drained':
      if (state.phase !== 'draining') return stay(state);
      return [{ ...state, phase: 'shaking' }, [{ type: 'closeSocket', code: state.code, reason: state.reason }]];
    case 'flush': // a proof of what was handed over is waited for
      return state.phase === 'draining' ? [state, [{ type: 'ping' }]] : stay(state);
    case 'socketClosed':
      return end(generation, why, input.close, [ended(input.close, true, wasOpened)]);
    case 'deadline': {
      const close = lost(new HoldfastError('CLOSE_TIMEOUT', `the peer did not close within ${policy.closeTimeout} ms`));
      return end(generation, why, close, [...TERMINATE, ended(close, true, wasOpened)]);
    }
    case 'connect': {
      // the caller has changed his mind: the old life ends here and now, and a new one begins
      const close = lost();
      const [, tell] = end(generation, why, close, [...TERMINATE, ended(close, true, wasOpened)]);
      const [next, effects] = begin(generation, at, policy);
      return [next, [...tell, ...effects]];
    }
    default:
      return stay(state);
  }
}

// ---- the steps that several states share

const TERMINATE: readonly Effect[] = [{ type: 'terminateSocket' }];
const FRESH: Memory = { lessons: NO_LESSONS, healed: false, hasBeenOpen: false, newsAt: -Infinity };

const stay = (state: State): Step => [state, []];
const finite = (at: number): number | undefined => (at < Infinity ? at : undefined);

/** The first dial of a life. */
function begin(generation: number, at: Instant, policy: Policy): Step {
  if (at.suspended) return [{ name: 'suspended', generation, attempt: 0, notBefore: 0, memory: FRESH }, []];
  return dial(generation, 0, FRESH, at, policy);
}

function dial(
  last: number,
  n: number,
  memory: Memory,
  at: Instant,
  policy: Policy,
  first: readonly Effect[] = [],
): Step {
  const generation = last + 1;
  const deadline = at.now + policy.connectTimeout;
  return [
    { name: 'connecting', phase: 'preparing', generation, attempt: n, deadline, memory },
    [...first, { type: 'prepare', generation, attempt: n }],
  ];
}

function opened(state: Connecting, mustReply: boolean, at: Instant, policy: Policy): Step {
  const { generation, memory } = state;
  const reconnected = memory.hasBeenOpen;
  return [
    {
      name: 'open',
      generation,
      attempt: state.attempt,
      openedAt: at.now,
      beat: startBeat(at.now, policy.heartbeat, memory.lessons, mustReply),
      memory: { ...memory, hasBeenOpen: true },
    },
    [{ type: 'tellOpen', reconnected }],
  ];
}

function beatTo(state: Open, [beat, pulse]: readonly [Beat, Pulse], at: Instant, policy: Policy): Step {
  switch (pulse) {
    case 'nothing':
      return stay({ ...state, beat });
    case 'ping':
      return [{ ...state, beat }, [{ type: 'ping' }]];
    case 'dead': {
      const { timeout } = policy.heartbeat;
      const cause = new HoldfastError('HEARTBEAT_TIMEOUT', `nothing arrived within ${timeout} ms of a ping`);
      return lose(state, lost(cause), at, policy, TERMINATE, 'heartbeat');
    }
  }
}

/** A socket, or an attempt at one, has ended and nobody here asked for it. */
function lose(
  state: Connecting | Open,
  close: CloseInfo,
  at: Instant,
  policy: Policy,
  first: readonly Effect[] = [],
  foundBy: 'socket' | 'heartbeat' = 'socket',
): Step {
  const { generation } = state;
  const wasOpen = state.name === 'open';
  const stable = wasOpen && isStable(state, at, policy);
  const before = state.memory.lessons;
  const lessons = wasOpen ? learn(state, at, policy, foundBy) : before;
  const effects = lessons.replies === before.replies ? first : [...first, ...warning(lessons)];
  const attemptsSoFar = stable ? 0 : state.attempt;
  const atOnce = stable && foundBy === 'heartbeat';

  const verdict = verdictOn(
    {
      close,
      attempt: at.suspended ? Math.max(1, attemptsSoFar) : attemptsSoFar + 1, // a host that hides us costs no attempt
      atOnce,
      forgiven: wasOpen && foundBy === 'socket' && dislikesPing(before, state.beat, at.now, policy.heartbeat),
      healed: !stable && state.memory.healed,
    },
    policy.retry,
    at.random,
  );
  if (verdict.name === 'end') {
    return end(generation, verdict.why, close, [...effects, ended(close, false, wasOpen)]);
  }

  const memory = { ...state.memory, lessons, healed: verdict.healed };
  const told = (delay: number | undefined): Effect[] => [
    ...effects,
    { type: 'tellClose', close, asked: false, opened: wasOpen, redial: { delay } },
  ];
  if (at.suspended) {
    const notBefore = verdict.askedByServer ? at.now + verdict.delay : 0;
    return [{ name: 'suspended', generation, attempt: attemptsSoFar, notBefore, memory }, told(undefined)];
  }
  // no timer for the heartbeat's verdict: a hidden tab's may be a minute late
  if (atOnce && verdict.delay === 0) return dial(generation, attemptsSoFar + 1, memory, at, policy, told(0));
  const [next] = wait(generation, attemptsSoFar + 1, memory, at.now + verdict.delay, verdict.askedByServer);
  return [next, told(verdict.delay)];
}

function learn(state: Open, at: Instant, policy: Policy, foundBy: 'socket' | 'heartbeat'): Lessons {
  return foundBy === 'heartbeat'
    ? learnFromVerdict(state.memory.lessons, state.beat, policy.heartbeat)
    : learnFromClose(state.memory.lessons, state.beat, at.now, policy.heartbeat);
}

function warning(lessons: Lessons): readonly Effect[] {
  if (lessons.replies === 'disarmed') return [{ type: 'warn', code: 'HEARTBEAT_UNANSWERED' }];
  if (lessons.replies === 'refused') return [{ type: 'warn', code: 'HEARTBEAT_REFUSED' }];
  return [];
}

function isStable(state: Open, at: Instant, policy: Policy): boolean {
  return at.now - state.openedAt >= policy.stableAfter;
}

function wait(generation: number, n: number, memory: Memory, deadline: number, askedByServer: boolean): Step {
  return stay({ name: 'waiting', generation, attempt: n, deadline, askedByServer, memory });
}

function suspend(state: Waiting, notBefore: number): Step {
  const { generation, attempt: n, memory } = state;
  return stay({ name: 'suspended', generation, attempt: n, notBefore, memory });
}

/** The closing handshake, without handing anything over first. */
function shake(
  generation: number,
  { code, reason, why }: Input & { type: 'close' },
  wasOpened: boolean,
  at: Instant,
  policy: Policy,
): Step {
  const deadline = at.now + policy.closeTimeout;
  return [
    {
      name: 'closing',
      phase: 'shaking',
      generation,
      opened: wasOpened,
      code,
      reason,
      why,
      deadline,
    },
    [{ type: 'closeSocket', code, reason }],
  ];
}

/** The end of one attempt, with no further one. */
function ended(close: CloseInfo, asked: boolean, wasOpened: boolean): TellClose {
  return { type: 'tellClose', close, asked, opened: wasOpened, redial: undefined };
}

function end(generation: number, why: EndReason, last: CloseInfo | undefined, first: readonly Effect[] = []): Step {
  return [{ name: 'closed', generation, why, last }, [...first, { type: 'tellEnd', why, last }]];
}
