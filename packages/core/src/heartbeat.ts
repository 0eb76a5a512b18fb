// Is the peer still there? When to ping, when to doubt, when to judge.
//
// Pings keep a strict cadence: proxies and servers that look for the client's traffic must see some even while the
// server talks all the time. Any frame that arrives after a ping is a sign of life; only a reply measures and proves.

/** The one part of the options that this file needs. */
export interface HeartbeatPolicy {
  /** Milliseconds between pings; `Infinity` for none. */
  readonly interval: number;
  /** How long a sign of life may take after a ping, in milliseconds. */
  readonly timeout: number;
  readonly expectReply: boolean | 'auto';
  /** Pings are frames (RFC 6455 §5.5.2), which every peer must answer, and not messages. (Not where a session speaks.) */
  readonly frames: boolean;
  /** At least once: only replies prove, so pings go on also where the peer seems to dislike them. */
  readonly proves: boolean;
}

/** What the sockets of this life have taught about the peer's answers. */
export interface Lessons {
  /**
   * - `unknown`: none has come yet; silence means nothing
   * - `known`: this peer replies; silence is death
   * - `disarmed`: it used to, then two sockets in a row fell silent without one; silence means nothing until the next
   * - `refused`: two sockets in a row were closed upon their first ping; no more pings
   */
  readonly replies: 'unknown' | 'known' | 'disarmed' | 'refused';
  /** Sockets in a row that spoke against what we believe. */
  readonly strikes: number;
}

/** The heartbeat of one open socket. */
export interface Beat {
  /** This peer must answer: its pings are frames, or it speaks the session's protocol. There is nothing to learn. */
  readonly mustReply: boolean;
  /** When the cadence wants its next ping. */
  readonly pingAt: number;
  /** When a ping is wanted so that messages handed over are proven to have arrived; `Infinity` if none waits for it. */
  readonly proofAt: number;
  readonly firstPingAt: number;
  readonly lastPingAt: number;
  readonly hasReplied: boolean;
  readonly doubt: Doubt | undefined;
}

/**
 * A ping was written and nothing has arrived since. A verdict first gives pending input one turn (`…-turn`), for after
 * a blocked event loop the timer fires before the sockets are read. A probe is the short, final question of a doubt
 * that came late: it is asked once per silence.
 */
export interface Doubt {
  readonly name: 'pinged' | 'pinged-turn' | 'probed' | 'probed-turn';
  /** The count of received frames when the ping was written: more than this is a sign of life. */
  readonly received: number;
  readonly until: number;
}

/** What to do now. */
export type Pulse = 'nothing' | 'ping' | 'dead';

/** A moment, as far as this file needs it. */
interface Moment {
  readonly now: number;
  readonly received: number;
}

/** A deadline this late was not merely busy: the tab was throttled, the device slept, the loop was blocked, the clock jumped. */
const LATE = 1_000;
const LONGEST_PROBE = 5_000;
/** Hints come in bunches (shown, online, resumed): one question serves them all. */
const PROBE_SPACING = 1_000;
/** How long the first unproven message waits for company before a ping proves it, and how often that may cost a ping. */
const PROOF_DELAY = 1_000;
const PROOF_SPACING = 5_000;
/** Sockets in a row that it takes to change our mind about a peer. */
const STRIKES = 2;

export const NO_LESSONS: Lessons = { replies: 'unknown', strikes: 0 };

export function startBeat(now: number, policy: HeartbeatPolicy, lessons: Lessons, mustReply: boolean): Beat {
  return {
    mustReply,
    pingAt: lessons.replies === 'refused' && !mustReply && !policy.proves ? Infinity : now + policy.interval,
    proofAt: Infinity,
    firstPingAt: Infinity,
    lastPingAt: -Infinity,
    hasReplied: false,
    doubt: undefined,
  };
}

export function beatDeadline(beat: Beat): number {
  return Math.min(beat.pingAt, beat.proofAt, beat.doubt ? beat.doubt.until : Infinity);
}

/** A deadline of the beat has come. */
export function beatDue(before: Beat, at: Moment, policy: HeartbeatPolicy, lessons: Lessons): readonly [Beat, Pulse] {
  const beat = heard(before, at);
  const { doubt } = beat;
  if (doubt && at.now >= doubt.until) {
    switch (doubt.name) {
      case 'pinged':
        if (isLate(doubt.until, at, policy)) return probe(beat, at, policy, lessons);
        return turn(beat, doubt, 'pinged-turn', at);
      case 'pinged-turn':
        if (isLate(doubt.until, at, policy)) return probe(beat, at, policy, lessons);
        return [beat, 'dead'];
      case 'probed': // final, however late
        return turn(beat, doubt, 'probed-turn', at);
      case 'probed-turn':
        return [beat, 'dead'];
    }
  }
  if (at.now >= beat.pingAt && !doubt && isLate(beat.pingAt, at, policy)) return probe(beat, at, policy, lessons);
  if (at.now >= beat.pingAt || at.now >= beat.proofAt) return ping(beat, at, policy, lessons);
  return [beat, 'nothing'];
}

/** The platform gave a reason to doubt, or to hope: ask, unless the answer to a question just asked will do. */
export function beatHinted(
  before: Beat,
  at: Moment,
  policy: HeartbeatPolicy,
  lessons: Lessons,
): readonly [Beat, Pulse] {
  const beat = heard(before, at);
  const { doubt } = beat;
  if (isSilent(beat) || doubt?.name === 'probed' || doubt?.name === 'probed-turn') return [beat, 'nothing'];
  if (at.now - beat.lastPingAt >= PROBE_SPACING) return probe(beat, at, policy, lessons);
  return [doubt ? { ...beat, doubt: probing(doubt.received, at, policy) } : beat, 'nothing'];
}

/** The host has given us our network back; whatever was due meanwhile was due in a sleep. */
export function beatResumed(beat: Beat, at: Moment, policy: HeartbeatPolicy, lessons: Lessons): readonly [Beat, Pulse] {
  return isSilent(beat) ? [beat, 'nothing'] : probe(beat, at, policy, lessons);
}

/** A message was handed over that no later ping covers yet. */
export function beatUnproven(beat: Beat, now: number, lessons: Lessons): Beat {
  if (isSilent(beat) || lessons.replies !== 'known' || beat.proofAt !== Infinity) return beat;
  return { ...beat, proofAt: Math.max(now + PROOF_DELAY, beat.lastPingAt + PROOF_SPACING) };
}

/** Somebody waits for a proof: ping now. */
export function beatFlushed(beat: Beat, at: Moment, policy: HeartbeatPolicy, lessons: Lessons): readonly [Beat, Pulse] {
  return isSilent(beat) ? [beat, 'nothing'] : ping(heard(beat, at), at, policy, lessons);
}

/** A reply has come. */
export function beatReplied(beat: Beat, at: Moment): Beat {
  return { ...heard(beat, at), hasReplied: true };
}

export function learnFromReply(lessons: Lessons): Lessons {
  return lessons.replies === 'known' && lessons.strikes === 0 ? lessons : { replies: 'known', strikes: 0 };
}

/** The heartbeat has judged a socket dead. Twice in a row without a single reply, and it is our belief that is wrong. */
export function learnFromVerdict(lessons: Lessons, beat: Beat, policy: HeartbeatPolicy): Lessons {
  if (beat.mustReply || policy.expectReply !== 'auto') return lessons;
  if (beat.hasReplied) return { ...lessons, strikes: 0 };
  const strikes = lessons.strikes + 1;
  return { replies: strikes < STRIKES ? lessons.replies : 'disarmed', strikes };
}

/** A socket was closed. Twice in a row right upon the first ping with no reply ever had, and it is the ping that is disliked. */
export function learnFromClose(lessons: Lessons, beat: Beat, now: number, policy: HeartbeatPolicy): Lessons {
  if (!dislikesPing(lessons, beat, now, policy)) return lessons.strikes === 0 ? lessons : { ...lessons, strikes: 0 };
  const strikes = lessons.strikes + 1;
  return { replies: strikes < STRIKES ? lessons.replies : 'refused', strikes };
}

/** Some servers close when a message is not of their protocol: graphql-ws, for one, answers a bare `ping` with 4400. */
export function dislikesPing(lessons: Lessons, beat: Beat, now: number, policy: HeartbeatPolicy): boolean {
  return (
    !beat.mustReply &&
    lessons.replies === 'unknown' &&
    now - beat.firstPingAt <= policy.timeout &&
    now >= beat.firstPingAt
  );
}

/** No pings at all: turned off by the caller, or by what the peer made of them. */
const isSilent = (beat: Beat): boolean => beat.pingAt === Infinity;

const isLate = (due: number, at: Moment, policy: HeartbeatPolicy): boolean =>
  at.now - due > Math.max(LATE, policy.timeout);

/** Whether silence counts as death. */
function expectsReply(beat: Beat, policy: HeartbeatPolicy, lessons: Lessons): boolean {
  if (policy.expectReply !== 'auto') return policy.expectReply;
  return beat.mustReply || lessons.replies === 'known';
}

function heard(beat: Beat, at: Moment): Beat {
  return beat.doubt && at.received > beat.doubt.received ? { ...beat, doubt: undefined } : beat;
}

function turn(beat: Beat, doubt: Doubt, name: Doubt['name'], at: Moment): readonly [Beat, Pulse] {
  return [{ ...beat, doubt: { ...doubt, name, until: at.now } }, 'nothing'];
}

function ping(beat: Beat, at: Moment, policy: HeartbeatPolicy, lessons: Lessons): readonly [Beat, Pulse] {
  const asks = !beat.doubt && expectsReply(beat, policy, lessons); // the oldest unanswered ping is the one that counts
  const doubt = asks ? { name: 'pinged' as const, received: at.received, until: at.now + policy.timeout } : beat.doubt;
  return [{ ...pinged(beat, at, policy), doubt }, 'ping'];
}

function probe(beat: Beat, at: Moment, policy: HeartbeatPolicy, lessons: Lessons): readonly [Beat, Pulse] {
  const doubt = expectsReply(beat, policy, lessons) ? probing(at.received, at, policy) : undefined;
  return [{ ...pinged(beat, at, policy), doubt }, 'ping'];
}

function probing(received: number, at: Moment, policy: HeartbeatPolicy): Doubt {
  return { name: 'probed', received, until: at.now + Math.min(LONGEST_PROBE, policy.timeout) };
}

/** The cadence stays on its grid, unless it has fallen behind: then it starts anew, without a burst. */
function pinged(beat: Beat, at: Moment, policy: HeartbeatPolicy): Beat {
  const next = at.now < beat.pingAt ? beat.pingAt : beat.pingAt + policy.interval;
  return {
    ...beat,
    pingAt: next > at.now ? next : at.now + policy.interval,
    proofAt: Infinity,
    firstPingAt: Math.min(beat.firstPingAt, at.now),
    lastPingAt: at.now,
  };
}
