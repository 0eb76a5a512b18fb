// What became of each message from a client: I1, I3, I5, I10, and L1 of this direction.

import type { Books, Excuses, Findings } from './checker.ts';

/** One message that a client accepted. */
interface Fate {
  readonly client: string;
  handled: number;
  isPlain: boolean;
  /** As the application was told. */
  told: 'nothing' | 'in doubt' | 'not sent';
  timesTold: number;
  /** Two holders of one token have it, so that it may come twice. */
  isShared: boolean;
  isGone: boolean;
}

/** One run of a handler. */
interface Run {
  readonly message: number;
  readonly node: string;
  readonly at: number;
  isDone: boolean;
}

interface InboundSession {
  readonly runs: Map<number, Run>;
  last: number;
  lastMessage: number;
  running: Run | undefined;
  lastEffect: number;
  effectAt: number;
  committed: number;
  /** Those from whom a takeover took it, and when; what they have begun may still run. */
  readonly ousted: Map<string, number>;
}

/** How late what was begun before may still run: a node may sleep for 3 s, and its store and its handler take some time. */
const LATE = 5_000;

const isRecent = (then: number | undefined, at: number): boolean => then !== undefined && at - then <= LATE;

/** Reasons of a drop after which the message may have arrived. */
const MAY_HAVE_ARRIVED = ['unconfirmed', 'poison'];

export function createInboundBooks(excuses: Excuses, { broken, count }: Findings): Books {
  const fates = new Map<number, Fate>();
  const sessions = new Map<string, InboundSession>();

  function sessionOf(sid: string): InboundSession {
    let session = sessions.get(sid);
    if (!session) {
      session = {
        runs: new Map(),
        last: 0,
        lastMessage: 0,
        running: undefined,
        lastEffect: 0,
        effectAt: -Infinity,
        committed: -1,
        ousted: new Map(),
      };
      sessions.set(sid, session);
    }
    return session;
  }

  function handling(sid: string, seq: number, message: number, node: string, at: number): void {
    const session = sessionOf(sid);
    const fate = fates.get(message);
    if (!fate) return broken('I1', `message ${message} was handled and never sent`);
    const { running } = session;
    if (running && !running.isDone && !isExcused(running, session, node, at)) {
      broken('I10', `${sid}: ${seq} was handled while ${running.message} still was`);
    }
    const run: Run = { message, node, at, isDone: false };
    const before = session.runs.get(seq);
    session.runs.set(seq, run);
    session.running = run;
    if (before) return again(before, session, sid, seq, run);

    if (seq !== session.last + 1) broken('I1', `${sid}: ${seq} was handled after ${session.last}`);
    session.last = Math.max(session.last, seq);
    if (message <= session.lastMessage) {
      count('outOfOrder');
      broken('I1', `${sid}: message ${message} came after ${session.lastMessage}`);
    }
    session.lastMessage = message;
    fate.handled++;
    if ((fate.handled > 1 || fate.isPlain) && !fate.isShared) {
      count('duplicated');
      broken('I1', `message ${message} was handled ${fate.handled} times, and ${fate.isPlain ? '' : 'not '}plainly`);
    }
  }

  function again(before: Run, session: InboundSession, sid: string, seq: number, run: Run): void {
    const { message, node, at } = run;
    if (before.message !== message) broken('I1', `${sid}: ${seq} was ${before.message}, and then ${message}`);
    if (isExcused(before, session, node, at)) return count('handledAgain');
    count('duplicated');
    broken('I10', `${sid}: ${seq}, message ${message}, was handled again, after ${before.node} at ${before.at} ms`);
  }

  /** Whoever was ousted may not know it yet, and may have begun before: either of the two may be the one that is late. */
  function isExcused(before: Run, { ousted }: InboundSession, node: string, at: number): boolean {
    return (
      excuses.crashes.has(before.node) ||
      isRecent(ousted.get(before.node), at) ||
      isRecent(ousted.get(node), at) ||
      excuses.rolledBackAt >= before.at ||
      isRecent(excuses.rolledBackAt, at) || // what a store has forgotten to have begun may begin again
      excuses.storeFailedAt >= before.at ||
      at - before.at >= excuses.settings.takeoverTimeout
    );
  }

  function effect(sid: string, seq: number, at: number): void {
    const session = sessionOf(sid);
    if (seq !== session.lastEffect + 1 && !(seq <= session.lastEffect && excuses.rolledBackAt >= session.effectAt)) {
      if (seq <= session.lastEffect) count('duplicated');
      broken('I1', `${sid}: the effect of ${seq} came after that of ${session.lastEffect}`);
    }
    session.lastEffect = seq;
    session.effectAt = at;
    const run = session.runs.get(seq);
    if (run) run.isDone = true; // the rest of its handler is its own affair
  }

  function told(message: number, as: 'in doubt' | 'not sent'): void {
    const fate = fates.get(message);
    if (!fate) return broken('I5', `message ${message} was told of and never sent`);
    if (++fate.timesTold > 1 && !fate.isShared) broken('I5', `message ${message} was told of twice`);
    fate.told = as;
  }

  function settled(held: ReadonlySet<number>): void {
    for (const [message, { client, handled, isPlain, told: as, isShared, isGone }] of fates) {
      const isHandled = handled > 0 || isPlain;
      if (isHandled && as === 'not sent' && !isShared) {
        broken('I5', `message ${message} of ${client} was told as not sent, and was handled`);
      }
      if (isHandled || as !== 'nothing' || isGone) continue;
      if (held.has(message)) {
        broken('L1', `message ${message} of ${client} is still held`);
        continue;
      }
      count('lost');
      broken('I5', `message ${message} of ${client} vanished`);
    }
    if (excuses.settings.effects !== true) return;
    for (const [sid, { committed, lastEffect }] of sessions) {
      if (committed >= 0 && lastEffect !== committed && excuses.rolledBackAt === -Infinity) {
        broken('I1', `${sid}: effects up to ${lastEffect}, and committed up to ${committed}`);
      }
    }
  }

  return {
    take(event) {
      switch (event.type) {
        case 'accepted':
          count('messages');
          fates.set(event.message, {
            client: event.client,
            handled: 0,
            isPlain: false,
            told: 'nothing',
            timesTold: 0,
            isShared: false,
            isGone: false,
          });
          return;
        case 'dropped':
          return told(event.message, MAY_HAVE_ARRIVED.includes(event.reason) ? 'in doubt' : 'not sent');
        case 'lost':
          count('inDoubtTold', event.inDoubt.length);
          for (const message of event.inDoubt) told(message, 'in doubt');
          for (const message of event.unsent) told(message, 'not sent');
          return;
        case 'plain': {
          const fate = fates.get(event.message);
          if (!fate) return broken('I12', `message ${event.message} was handed over and never sent`);
          if ((fate.isPlain || fate.handled > 0) && !fate.isShared) {
            count('duplicated');
            broken('I1', `message ${event.message} was sent plainly, though it had been sent before`);
          }
          fate.isPlain = true;
          return;
        }
        case 'copied':
          for (const fate of fates.values()) if (fate.client === event.from) fate.isShared = true;
          return;
        case 'gone':
          for (const fate of fates.values()) if (fate.client === event.client) fate.isGone = true;
          return;
        case 'handling':
          return handling(event.sid, event.seq, event.message, event.node, event.at);
        case 'handled': {
          const run = sessionOf(event.sid).runs.get(event.seq);
          if (run?.node === event.node) run.isDone = true;
          return;
        }
        case 'effect':
          return effect(event.sid, event.seq, event.at);
        case 'committed': {
          const session = sessionOf(event.sid);
          session.committed = Math.max(session.committed, event.to);
          if (event.to > session.last) broken('I3', `${event.sid}: ${event.to} was committed before it was handled`);
          return;
        }
        case 'acked': {
          const { committed } = sessionOf(event.sid);
          if (committed >= 0 && event.seq > committed) {
            broken('I3', `${event.sid}: ${event.seq} was acknowledged, and ${committed} committed`);
          }
          return;
        }
        case 'forced':
          sessionOf(event.sid).ousted.set(event.from, event.at);
          return;
        case 'settled':
          return settled(new Set(event.held));
        default: // is for other books
      }
    },
  };
}
