// When does the client hear that its messages are committed?
//
// At the first of: 32 messages, a quarter of the bytes that it keeps, 250 ms after the first; and with every answer to a
// heartbeat, which carries the same number. So a client that sends fast never stands still for want of an
// acknowledgement, and one that sends a message now and then does not get one frame for each.

import { encodeAck } from '@holdfast/session/wire';
import type { SessionPlatform, Transport } from './platform.ts';

const MAX_MESSAGES = 32;
const MAX_DELAY = 250;

export class Acks {
  private messages = 0;
  private bytes = 0;
  /** When the first of them was committed. */
  private owedSince = 0;
  private cancelWake: (() => void) | undefined;

  /** `window`: bytes that the client keeps until they are acknowledged. `committed`: what it knows already. */
  constructor(
    private readonly transport: Transport,
    private readonly platform: SessionPlatform,
    private readonly window: number,
    private committed: number,
  ) {}

  /** Everything up to `seq` is committed; `messages` and `bytes` are what that adds. */
  owe(seq: number, messages: number, bytes: number): void {
    this.committed = seq;
    if (this.messages === 0) this.owedSince = this.platform.now();
    this.messages += messages;
    this.bytes += bytes;
    if (this.messages >= MAX_MESSAGES || this.bytes * 4 >= this.window) this.flush();
    else this.cancelWake ??= this.wakeUp(this.owedSince + MAX_DELAY);
  }

  /** A message came that is committed already, so the client does not know. */
  repeat(): void {
    this.owe(this.committed, 1, 0);
  }

  /** The number, for a frame that carries it: nothing is owed afterwards. */
  take(): number {
    this.messages = 0;
    this.bytes = 0;
    return this.committed;
  }

  /** Says what is owed, now. */
  flush(): void {
    if (this.messages > 0) this.transport.send(encodeAck(this.take()));
  }

  stop(): void {
    this.cancelWake?.();
    this.cancelWake = undefined;
    this.messages = 0;
  }

  /** A wake is not cancelled when an acknowledgement went out early: at most one in 250 ms, however fast messages come. */
  private wakeUp(at: number): () => void {
    return this.platform.wake(at, () => {
      this.cancelWake = undefined;
      if (this.messages === 0) return;
      const due = this.owedSince + MAX_DELAY;
      if (this.platform.now() >= due) this.flush();
      else this.cancelWake = this.wakeUp(due);
    });
  }
}
