// What does the server hold of one client, and when does it let go of it?

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { retryAfterReason, trimReason, viewOf, type Binary, type CloseInfo } from '@holdfast/core';
import { WebSocket, type RawData } from 'ws';
import { createBudget, noBudget, type Budget } from './budget.ts';
import { Emitter } from './emitter.ts';
import { serverError, shown, type ServerError } from './errors.ts';
import type { Visitor } from './gate.ts';
import { firstPulse, nextPulse, type Pulse, type Rhythm } from './pulse.ts';
import type { Settings } from './settings.ts';

/** What a peer tells. */
export interface PeerEvents {
  /** One message. Binary is a `Uint8Array` over memory of its own, which the listener may keep. */
  message: [data: string | Uint8Array];
  /** Once, and last. 1006 when the peer said nothing, also when we terminated it. */
  close: [close: CloseInfo];
  /** Why this peer is being let go of. With no listener here the server's `error` hears it. */
  error: [error: ServerError];
}

/** One client, from its upgrade to its `close`. */
export interface Peer<Identity = undefined> extends Emitter<PeerEvents> {
  /** The request that was upgraded: URL, headers, address. */
  readonly request: IncomingMessage;
  /** What `authorize` returned. */
  readonly identity: Identity;
  /** The address that it is counted under; see `addressOf`. */
  readonly address: string;
  /** The subprotocol agreed on, or empty. */
  readonly protocol: string;
  /** It can be sent to: neither closed nor closing. */
  readonly isOpen: boolean;
  /** Bytes handed over that the operating system has not taken yet. */
  readonly bufferedAmount: number;
  /**
   * Sends one message. Binary is not copied, so leave it unchanged afterwards. Returns false if the peer is not open, or
   * has more than `maxBufferedBytes` waiting: then it is a slow reader and is terminated, with the error `SLOW_READER`.
   * @throws INVALID_DATA for anything but text and binary
   */
  send(data: string | Binary): boolean;
  /**
   * Begins the closing handshake (RFC 6455 §7.1.2); terminated if the peer does not answer within `closeTimeout`. A
   * reason longer than 123 bytes is cut.
   * @default 1000, ''
   * @throws INVALID_CLOSE for a code that an endpoint may not send (RFC 6455 §7.4)
   */
  close(code?: number, reason?: string): void;
  /** Ends it now, without the closing handshake; nothing more is heard of it but `close`. */
  terminate(): void;
}

/** What all peers of one server have in common. */
export interface PeerContext<Identity> {
  readonly settings: Settings<Identity>;
  readonly rhythm: Rhythm;
  /** In [0, 1). */
  random(): number;
  /** Hears it before the peer's own listeners do. */
  closed(peer: SocketPeer<Identity>): void;
  failed(error: ServerError, peer: SocketPeer<Identity>): void;
}

/**
 * `paused`: over budget, or whoever hears it has enough, so nothing is read until nobody minds. `stopped`: it has been told
 * to go or was terminated, and whatever it still sends does not count.
 */
type Reading = 'flowing' | 'paused' | 'stopped';

/** Why a peer is not read: until a beat says that it is within its budget, or until its receiver says so. */
type Brake = 'budget' | 'receiver';

/** Whoever takes a peer's frames in place of its `message` listeners. */
export interface FrameReceiver {
  received(data: string | Uint8Array): void;
  /** The socket is gone. */
  closed(): void;
}

/**
 * Bytes of a session's frames that are written at once: as much as a socket reads at once, but so little of what may pile up
 * that nobody takes what we hold ourselves for what the peer does not read.
 */
const GATHERED = 65_536;
const GATHERED_SHARE = 1 / 4;

const ABNORMAL = 1006;
const TOO_MANY_REQUESTS = 4429;

export class SocketPeer<Identity> extends Emitter<PeerEvents> implements Peer<Identity> {
  readonly identity: Identity;
  readonly address: string;
  private reading: Reading = 'flowing';
  private readonly brakes = new Set<Brake>();
  private receiver: FrameReceiver | undefined;
  private isGathering = false;
  private readonly gathered: number;
  private readonly budget: Budget;
  private pulse: Pulse;
  /** Frames received; they and the bytes read are the signs of life. */
  private frames = 0;
  /** A ping that came over budget. RFC 6455 §5.5.3: only the most recent one has to be answered. */
  private owedPong: Buffer | undefined;

  constructor(
    private readonly ws: WebSocket,
    private readonly socket: Duplex,
    readonly request: IncomingMessage,
    visitor: Visitor<Identity>,
    beat: number,
    private readonly context: PeerContext<Identity>,
  ) {
    super();
    this.identity = visitor.identity;
    this.address = visitor.address;
    this.gathered = Math.min(GATHERED, context.settings.maxBufferedBytes * GATHERED_SHARE);
    this.budget = context.settings.budget ? createBudget(context.settings.budget) : noBudget;
    this.pulse = firstPulse(beat, context.rhythm, context.random());
    this.listenerThrew = (event, cause) =>
      context.failed(serverError('LISTENER_THREW', `a listener of a peer's '${event}' threw`, { cause }), this);
    ws.binaryType = 'arraybuffer'; // in memory of its own, not a slice of what the socket read
    ws.on('message', (data, isBinary) => this.messageReceived(data, isBinary));
    ws.on('ping', (payload) => this.pingReceived(payload));
    ws.on('pong', () => this.controlFrameReceived());
    ws.on('error', (cause) => this.protocolViolated(cause));
    ws.on('close', (code, reason) => this.socketClosed(code, reason.toString()));
  }

  /** From here on its frames go to `receiver` alone, a text `ping` too, and nothing is told by `message`. */
  divert(receiver: FrameReceiver): void {
    this.receiver = receiver;
  }

  get protocol(): string {
    return this.ws.protocol;
  }

  get isOpen(): boolean {
    return this.ws.readyState === WebSocket.OPEN;
  }

  get bufferedAmount(): number {
    return this.ws.bufferedAmount;
  }

  send(data: string | Binary): boolean {
    const message = typeof data === 'string' ? data : viewOf(data);
    if (message === undefined) {
      throw serverError('INVALID_DATA', `send takes text and binary, got ${shown(data)}`, {
        value: data,
      });
    }
    if (!this.isOpen || !this.reads()) return false;
    if (this.receiver) this.gather();
    this.ws.send(message);
    if (this.isGathering && this.socket.writableLength >= this.gathered) this.socket.uncork();
    return true;
  }

  close(code = 1000, reason = ''): void {
    if (!isSendable(code)) {
      throw serverError('INVALID_CLOSE', `an endpoint may not close with ${shown(code)}`, {
        value: code,
      });
    }
    this.release('receiver'); // or its answer would not be seen
    this.ws.close(code, trimReason(reason));
  }

  terminate(): void {
    this.reading = 'stopped';
    this.ws.terminate();
  }

  /** For a receiver that has enough. What ws has read already, at most 64 KiB, is still told. */
  pause(): void {
    this.brake('receiver');
  }

  resume(): void {
    this.release('receiver');
  }

  /** One beat of the server's timer, `ms` after the last. */
  beat(beat: number, ms: number): void {
    if (!this.isOpen) return;
    this.fillBudget(ms);
    // no pulse while it is not read; and what got it paused came after the last ping, so it is not silent afterwards
    if (this.reading === 'flowing' && this.context.settings.heartbeat) this.takePulse(beat);
  }

  private fillBudget(ms: number): void {
    switch (this.budget.beat(ms)) {
      case 'over':
        return;
      case 'persists':
        return this.dismiss();
      case 'within':
        this.release('budget');
        if (this.owedPong && this.reading === 'flowing') this.pong(this.owedPong);
        if (this.reading === 'flowing') this.owedPong = undefined;
    }
  }

  private takePulse(beat: number): void {
    const [pulse, effect] = nextPulse(this.pulse, beat, this.signsOfLife(), this.context.rhythm);
    this.pulse = pulse;
    switch (effect) {
      case 'nothing':
        return;
      case 'ping':
        return this.ws.ping();
      case 'terminate':
        this.terminate();
        this.tell(serverError('HEARTBEAT_TIMEOUT', 'a peer was silent after a ping and was terminated'));
    }
  }

  /** Bytes count too: a large message on a slow line is a sign of life long before its frame is complete. */
  private signsOfLife(): number {
    const { bytesRead } = this.socket as { bytesRead?: unknown };
    return this.frames + (typeof bytesRead === 'number' ? bytesRead : 0);
  }

  private messageReceived(data: RawData, isBinary: boolean): void {
    this.frames++;
    if (this.reading === 'stopped') return;
    // with this binaryType binary is an ArrayBuffer, and text is a Buffer as ever
    const bytes = data as ArrayBuffer | Buffer;
    if (!this.budget.message(bytes.byteLength)) this.brake('budget');
    if (this.receiver) {
      this.receiver.received(isBinary ? new Uint8Array(bytes as ArrayBuffer) : bytes.toString());
      return;
    }
    if (isBinary) {
      this.emit('message', new Uint8Array(bytes as ArrayBuffer));
      return;
    }
    const text = bytes.toString();
    const { heartbeat } = this.context.settings;
    if (heartbeat && text === heartbeat.message) this.send(heartbeat.reply);
    else this.emit('message', text);
  }

  /** By hand, not by ws's autoPong, which knows no rate and ends a peer that sends 61 pings in one segment. */
  private pingReceived(payload: Buffer): void {
    if (this.controlFrameReceived()) this.pong(payload);
    else this.owedPong = payload;
  }

  private controlFrameReceived(): boolean {
    this.frames++;
    if (this.reading === 'stopped') return false;
    const isWithin = this.budget.controlFrame();
    if (!isWithin) this.brake('budget');
    return isWithin && this.reading === 'flowing';
  }

  private protocolViolated(cause: Error): void {
    this.reading = 'stopped';
    this.tell(serverError('PROTOCOL_VIOLATION', `a peer broke the protocol: ${cause.message}`, { cause }));
  }

  private socketClosed(code: number, reason: string): void {
    this.reading = 'stopped';
    this.context.closed(this);
    this.receiver?.closed();
    this.emit('close', { code, reason, wasClean: code !== ABNORMAL });
  }

  /** What ws has read already, at most 64 KiB, is still told: nothing that was received is lost. */
  private brake(brake: Brake): void {
    if (this.reading === 'stopped') return;
    this.brakes.add(brake);
    this.reading = 'paused';
    this.ws.pause();
  }

  private release(brake: Brake): void {
    if (!this.brakes.delete(brake) || this.brakes.size > 0 || this.reading !== 'paused') return;
    this.reading = 'flowing';
    this.ws.resume();
  }

  /** It stays unread, so its answer to the close is not seen and `closeTimeout` ends it. */
  private dismiss(): void {
    const { budget } = this.context.settings;
    if (!budget) return;
    this.reading = 'stopped';
    this.ws.pause();
    const away = budget.retryAfter * (1 + this.context.random());
    this.close(TOO_MANY_REQUESTS, retryAfterReason(away));
    this.tell(
      serverError('BUDGET_EXCEEDED', 'a peer kept sending more than its budget and was closed', {
        closeCode: TOO_MANY_REQUESTS,
      }),
    );
  }

  /**
   * A session's frames come in bursts, when there is room again and when it resumes. Those of one turn of the loop go to the
   * operating system together, since what it does for each is dearer than all that a session does; but no more than a few at
   * once, so that what is waiting is what the system has not taken.
   */
  private gather(): void {
    if (this.socket.writableCorked === 0) this.socket.cork();
    if (this.isGathering) return;
    this.isGathering = true;
    process.nextTick(handOver, this);
  }

  /** The turn is over. */
  handOver(): void {
    this.isGathering = false;
    this.socket.uncork();
  }

  private pong(payload: Buffer): void {
    if (this.isOpen && this.reads()) this.ws.pong(payload);
  }

  /** False once for a peer that lets too much pile up, which ends it. */
  private reads(): boolean {
    const { maxBufferedBytes } = this.context.settings;
    const waiting = this.ws.bufferedAmount;
    if (waiting <= maxBufferedBytes) return true;
    this.terminate();
    this.tell(
      serverError('SLOW_READER', `a peer with ${waiting} unread bytes was terminated`, {
        value: waiting,
      }),
    );
    return false;
  }

  private tell(error: ServerError): void {
    if (this.listenerCount('error') > 0) this.emit('error', error);
    else this.context.failed(error, this);
  }
}

/** One function for all peers, so that a burst makes none of its own. */
function handOver(peer: { handOver(): void }): void {
  peer.handOver();
}

/** RFC 6455 §7.4, and 1012 to 1014 of the IANA registry. 1004 to 1006 and 1015 are never on the wire. */
function isSendable(code: unknown): boolean {
  if (typeof code !== 'number' || !Number.isInteger(code)) return false;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}
