// Who may come in? The order of the questions, cheap ones first, all before the upgrade.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { isHoldfastError } from '@holdfast/core';
import { inTime, isDenial } from './authorize.ts';
import { serverError, type ServerError, type ServerErrorCode } from './errors.ts';
import { judgeHandshake, originFactsOf } from './handshake.ts';
import { judgeOrigin } from './origin.ts';
import { refuse, retryAfterHeader, type Refusal } from './refusal.ts';
import type { Seats } from './seats.ts';
import type { Settings } from './settings.ts';

/** What the gate needs of the server. */
export interface GateOwner<Identity> {
  /** A refusal for everybody, while draining and from `close()` on. */
  closed(): Refusal | undefined;
  /** Everything is well: upgrade now. */
  welcome(request: IncomingMessage, socket: Duplex, head: Buffer, visitor: Visitor<Identity>): void;
  refused(refusal: Refusal, request: IncomingMessage, address: string): void;
  failed(error: ServerError): void;
}

/** What was found out about a client at the gate. */
export interface Visitor<Identity> {
  readonly address: string;
  readonly identity: Identity;
}

export interface Gate {
  /** Ends in a welcome, in a refusal, or, if the client went away meanwhile, in nothing. Never throws. */
  enter(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Refuses those who still wait. */
  clear(refusal: Refusal): void;
}

export function createGate<Identity>(settings: Settings<Identity>, seats: Seats, owner: GateOwner<Identity>): Gate {
  const waiting = new Map<Duplex, (refusal: Refusal) => void>();

  function enter(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (socket.destroyed) return;
    // without a listener a client that resets now would end the process
    socket.on('error', clientWentAway);
    const address = addressOf(request);
    const turnAway = (refusal: Refusal) => {
      waiting.delete(socket);
      if (socket.destroyed) return;
      refuse(socket, refusal);
      owner.refused(refusal, request, address);
    };

    const refusal = judgeHandshake(request) ?? owner.closed();
    if (refusal) return turnAway(refusal);
    const seat = seats.take(address);
    if (seat === 'full' || seat === 'address-full') return turnAway(noRoom(seat));
    // the seat belongs to the TCP connection, whatever becomes of it
    socket.once('close', () => {
      seat.release();
      waiting.delete(socket);
    });
    waiting.set(socket, turnAway);

    void judge(request).then((verdict) => {
      if (!waiting.delete(socket)) return; // gone, or refused by `clear`
      if (isRefusal(verdict)) return turnAway(verdict);
      socket.off('error', clientWentAway);
      owner.welcome(request, socket, head, { address, identity: verdict.identity });
    });
  }

  function clear(refusal: Refusal): void {
    for (const turnAway of [...waiting.values()]) turnAway(refusal);
  }

  /** Never rejects: whatever goes wrong is a refusal. */
  async function judge(request: IncomingMessage): Promise<Refusal | { identity: Identity }> {
    if (!(await isOriginWelcome(request))) return { status: 403, reason: 'origin' };
    // any page may come in, so no cookie may count; see the option
    if (settings.originPolicy.allowed === '*') delete request.headers.cookie;
    return authorize(request);
  }

  async function isOriginWelcome(request: IncomingMessage): Promise<boolean> {
    const facts = originFactsOf(request);
    const verdict = judgeOrigin(facts, settings.originPolicy);
    const ask = settings.originFunction;
    if (verdict !== 'ask' || !ask) return verdict === 'accepted';
    try {
      const answer: unknown = await inTime('origins', settings.admissionTimeout, () => ask(facts.origins[0]!, request));
      return answer === true;
    } catch (cause) {
      owner.failed(failure('ORIGIN_CHECK_FAILED', 'origins threw, so the page was refused', cause));
      return false;
    }
  }

  async function authorize(request: IncomingMessage): Promise<Refusal | { identity: Identity }> {
    const { authorize: ask, admissionTimeout, retryAfter } = settings;
    // without the option `Identity` is undefined
    if (!ask) return { identity: undefined as Identity };
    try {
      const answer = await inTime('authorize', admissionTimeout, () => ask(request));
      if (isDenial(answer)) return { status: answer.denied, reason: 'unauthorized' };
      if (answer === false || answer === null || answer === undefined) {
        return { status: 401, reason: 'unauthorized' };
      }
      return { identity: answer };
    } catch (cause) {
      owner.failed(failure('AUTHORIZE_FAILED', 'authorize threw, so the client was refused', cause));
      return { status: 503, reason: 'authorize-failed', headers: retryAfterHeader(retryAfter) };
    }
  }

  function addressOf(request: IncomingMessage): string {
    try {
      return settings.addressOf(request);
    } catch (cause) {
      // counted together, so that the cap still holds
      owner.failed(failure('AUTHORIZE_FAILED', 'addressOf threw', cause));
      return '';
    }
  }

  function noRoom(reason: 'full' | 'address-full'): Refusal {
    const headers = retryAfterHeader(settings.retryAfter);
    return { status: reason === 'full' ? 503 : 429, reason, headers };
  }

  return { enter, clear };
}

function clientWentAway(): void {}

function isRefusal(verdict: object): verdict is Refusal {
  return 'reason' in verdict;
}

/** A time limit of ours keeps its own code. */
function failure(code: ServerErrorCode, message: string, cause: unknown): ServerError {
  return isOurs(cause) ? cause : serverError(code, message, { cause });
}

function isOurs(cause: unknown): cause is ServerError {
  return isHoldfastError(cause) && (cause as { code: string }).code === 'ADMISSION_TIMEOUT';
}
