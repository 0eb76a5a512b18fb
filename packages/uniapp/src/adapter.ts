// How does a SocketTask become one of our sockets?
//
// Hosts differ in what they tell of one and the same end: an error, a close, both, or nothing; a failure after a success;
// an opening long after we have gone. Here each becomes one story, and every task that was made is closed.

import {
  HoldfastError,
  isClosable,
  trimReason,
  type Adapter,
  type Clock,
  type CloseInfo,
  type Data,
  type Socket,
  type SocketEvents,
  type SocketRequest,
} from '@holdfast/core';
import { connectSocket, hostClock, isPage, resolveUrl } from './host.ts';
import { contentOf, fromHost, isWrapped, toHost } from './payload.ts';
import { dialGate, type Place } from './dial-gate.ts';
import { hostError, isGone, isTask, isThenable, protocolOf, toOptions } from './task.ts';
import { watchHost } from './host-events.ts';
import type { CloseOptions, ConnectSocket, SendOptions, SocketTask } from './task.ts';

export interface UniappOptions {
  /**
   * What makes a socket, for instance `(options) => wx.connectSocket(options)`. It is called with `success`, `fail` and
   * `complete`, and returns a task or a promise of one.
   * @default `uni.connectSocket`, read at each dial
   */
  readonly connectSocket?: ConnectSocket | undefined;
}

/**
 * Sockets of `uni.connectSocket` and its kin, with the host's signals: hidden and shown, network gone and back. Made
 * where there is none, it only fails when it has to dial.
 * @throws `INVALID_OPTION`
 */
export function uniappAdapter(options: UniappOptions = {}): Adapter {
  const { connectSocket: given } = options;
  if (given !== undefined && typeof given !== 'function') {
    const rule = 'connectSocket must be a function, for instance (options) => uni.connectSocket(options)';
    const why =
      'the object uni is empty in an H5 production build, where only the text uni.connectSocket has a meaning';
    throw new HoldfastError('INVALID_OPTION', `${rule}, got ${typeof given}; ${why}`, { value: given });
  }
  const clock = hostClock();
  const owner = {};
  const host: Host = {
    connect: given ?? connectSocket,
    enter: (dial) => dialGate.enter(owner, dial),
    now: clock.now,
    after: (ms, act) => clock.wake(clock.now() + ms, act),
  };
  return {
    name: 'uniapp',
    capabilities: { headers: !isPage(), bufferedAmount: false, pingFrames: false },
    ...(isPage() && { resolveUrl }),
    openSocket: (request, events) => openSocket(request, events, host),
    ...clock,
    random: () => Math.random(),
    watch: watchHost,
  };
}

/** What one socket needs of the runtime. */
interface Host extends Pick<Clock, 'now'> {
  readonly connect: ConnectSocket;
  enter(dial: () => void): Place;
  after(ms: number, act: () => void): () => void;
}

/**
 * - `dialling`: waiting for the gate, or for the host
 * - `open`, `closing`: the host has said so; we have asked for its end
 * - `leaving`: closed while it was dialling, which is about to be told
 * - `over`: told, or terminated; what the host still says is not heard
 */
type Phase = 'dialling' | 'open' | 'closing' | 'leaving' | 'over';

/** How long one half of a story waits for the other, in milliseconds: an error for its close, no task for its `fail`. */
const GRACE = 100;
/** How often a task that goes on talking after its end is told again to close, in milliseconds. */
const CLOSE_AGAIN = 1_000;

const NO_TASK = { errMsg: 'connectSocket gave no SocketTask, and no reason; is there an interceptor on it?' };

const nothing = (): void => {};

function openSocket(request: SocketRequest, events: SocketEvents, host: Host): Socket {
  let phase: Phase = 'dialling';
  let task: SocketTask | undefined;
  let wrapped = false; // Alipay
  let closedAt = -Infinity;
  let trouble: Error | undefined;
  let cancelWait = nothing;
  /** Some hosts tell a greeting before the opening that it came with. */
  const early: unknown[] = [];

  // the gate calls later, so nothing is told before this function has returned, also where a host fails at once
  const place = host.enter(() => {
    const wanted = toOptions(request, failed);
    let made: unknown;
    try {
      made = host.connect(wanted);
    } catch (thrown) {
      return failed(thrown);
    }
    if (isTask(made)) bind(made);
    else if (isThenable(made)) made.then((late) => (isTask(late) ? bind(late) : failed(NO_TASK)), failed);
    else if (phase === 'dialling') wait(GRACE, () => failed(NO_TASK)); // `fail` may be about to say why
  });

  /** All at once, and each once: some hosts add to what is registered, and some put it in its place. */
  function bind(made: SocketTask): void {
    task = made;
    try {
      made.onOpen(opened);
      made.onMessage(received);
      made.onError(erred);
      made.onClose(closed);
    } catch (thrown) {
      failed(thrown);
    }
    if (phase === 'leaving' || phase === 'over') closeTask();
  }

  // ---- what the host tells

  function opened(event: unknown): void {
    if (phase === 'leaving' || phase === 'over') return closeTask(); // we had gone before it was there
    if (phase !== 'dialling') return;
    phase = 'open';
    wrapped = isWrapped(event);
    events.opened({ protocol: protocolOf(event) });
    early.splice(0).forEach(received);
  }

  function received(event: unknown): void {
    if (phase === 'over' && host.now() - closedAt >= CLOSE_AGAIN) closeTask(); // back from the dead
    if (phase === 'dialling') early.push(event);
    if (phase !== 'open' && phase !== 'closing') return;
    wrapped = wrapped || isWrapped(event);
    const data = fromHost(event);
    if (data !== undefined) events.message(data);
    else lose(new Error('a message came that is neither text nor binary'));
  }

  /** On some hosts `closed` follows with a better reason; while dialling there is none that is better. */
  function erred(event: unknown): void {
    if (phase === 'open' || phase === 'closing') loseSoon(hostError(contentOf(event)));
    else ended(abnormal(hostError(contentOf(event))));
  }

  function closed(event: unknown): void {
    const { code, reason } = contentOf(event);
    const isKnown = typeof code === 'number';
    ended({
      code: isKnown ? code : phase === 'dialling' ? 1006 : 1005,
      reason: typeof reason === 'string' ? reason : '',
      // no host says whether the closing handshake was completed; 0, 1006 and 1015 say that it was not
      wasClean: phase !== 'dialling' && (!isKnown || (code >= 1000 && code !== 1006 && code !== 1015)),
      cause: trouble,
    });
  }

  /** No task came of it: `fail`, a throw, a rejection. Also after `success`, but not once the socket is open. */
  function failed(reason: unknown): void {
    if (phase !== 'open' && phase !== 'closing') ended(abnormal(hostError(reason)));
  }

  // ---- how it ends

  /** The host is done with the task. */
  function ended(close: CloseInfo): void {
    place.leave();
    finish(phase === 'leaving' ? abnormal() : close);
  }

  /** We are done with the task, and the host may not be. */
  function lose(cause?: Error): void {
    if (phase === 'over') return;
    letGo();
    finish(abnormal(cause));
  }

  /** The close that is perhaps on its way has the better story. */
  function loseSoon(cause: Error): void {
    if (phase === 'over' || trouble) return;
    trouble = cause;
    wait(GRACE, () => lose(cause));
  }

  function finish(close: CloseInfo): void {
    if (phase === 'over') return;
    phase = 'over';
    cancelWait();
    events.closed(close);
  }

  function letGo(code?: number, reason?: string): void {
    place.abandon();
    closeTask(code, reason);
  }

  /** A code or a reason that a host does not like leaves its socket open. */
  function closeTask(code = 1000, reason = '', fail: (said: unknown) => void = nothing): void {
    closedAt = host.now();
    const options: CloseOptions = {
      code: isClosable(code) ? code : 1000,
      reason: trimReason(reason),
      success: nothing,
      fail,
      complete: nothing,
    };
    try {
      task?.close(options as never);
    } catch (thrown) {
      fail(thrown);
    }
  }

  function wait(ms: number, act: () => void): void {
    cancelWait();
    cancelWait = host.after(ms, act);
  }

  return {
    send,
    close(code, reason) {
      if (phase === 'open') {
        phase = 'closing';
        closeTask(code, reason, (said) => loseSoon(hostError(said)));
      } else if (phase === 'dialling') {
        phase = 'leaving';
        letGo(code, reason);
        wait(0, () => finish(abnormal()));
      }
    },
    terminate() {
      if (phase === 'over') return;
      phase = 'over';
      cancelWait();
      letGo();
    },
  };

  /**
   * The first verdict counts: hosts fail twice, or take a failure back by a success, or never say a word. A success means
   * no more than that the host has it.
   */
  function send(data: Data): void {
    if (phase !== 'open') return;
    const verdict: Verdict = { stage: 'in the call' };
    const payload = toHost(data, wrapped);
    const options: SendOptions = {
      ...payload,
      success() {
        verdict.stage = 'settled';
      },
      fail(said) {
        if (verdict.stage === 'settled') return;
        const cause = hostError(said);
        const tell = (): void => void (phase !== 'over' && events.rejected?.(fromHost(payload)!, cause));
        if (isGone(cause)) {
          // a verdict on the socket and not on the message, which the next one may take; unless its close comes first
          loseSoon(cause);
          host.after(GRACE - 1, tell);
        } else if (verdict.stage === 'in the call') verdict.refusal = cause;
        else tell();
        verdict.stage = 'settled';
      },
      complete: nothing,
    };
    task!.send(options as never);
    if (verdict.refusal) throw verdict.refusal;
    if (verdict.stage === 'in the call') verdict.stage = 'later';
  }
}

/** What a host made of one message. */
interface Verdict {
  stage: 'in the call' | 'later' | 'settled';
  refusal?: Error;
}

const abnormal = (cause?: Error): CloseInfo => ({ code: 1006, reason: '', wasClean: false, cause });
