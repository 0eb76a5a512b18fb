// How does a WebSocket behave on a network that breaks?
//
// A link has two ends and two lanes. When it breaks, what is on its way still arrives, up to seconds later, on a socket
// that its other end may have left long ago; and each end notices in its own time.

import type { Data, Socket, SocketEvents, SocketRequest } from '@holdfast/core';
import type { SessionLink, Transport } from '../../../server/src/sessions/half.ts';
import type { Process, Timeline } from './timeline.ts';

export interface Weather {
  /** Milliseconds that one frame takes. */
  latency(): number;
  /** Bytes on their way count as buffered. */
  readonly isSlow: boolean;
  /** The client's platform tells events of sockets that it was told to forget. */
  readonly isRude: boolean;
}

/** What the world does at a link's ends, and sees of it. */
export interface LinkWorld {
  /** The dial has arrived: who takes it, by which protocol; `undefined` refuses. */
  arrived(link: Link): { readonly process: Process; readonly protocol: string } | undefined;
  /** The node has it: makes whoever serves it. */
  accepted(link: Link, transport: Transport): SessionLink;
  clientWrote(link: Link, data: Data): void;
  nodeWrote(link: Link, data: Data): void;
  clientHeard(link: Link, data: Data): void;
}

type End = 'none' | 'open' | 'closing' | 'over';

/** How long either platform waits for the other's part of a closing handshake. */
const CLOSE_TIMEOUT = 3_000;

/** One way: in order, late, and not at all once it is broken. */
class Lane {
  bytes = 0;
  private last = 0;
  private lateBy: number | undefined;

  constructor(
    private readonly timeline: Timeline,
    private readonly weather: Weather,
    private readonly receiver: () => Process,
  ) {}

  carry(size: number, arrive: () => void): void {
    if (this.lateBy !== undefined) return;
    this.bytes += size;
    this.last = Math.max(this.last, this.timeline.now + this.weather.latency());
    this.travel(this.last, size, arrive, false);
  }

  private travel(at: number, size: number, arrive: () => void, isLate: boolean): void {
    this.timeline.at(at, this.receiver(), () => {
      if (this.lateBy !== undefined && !isLate) return this.travel(at + this.lateBy, size, arrive, true);
      this.bytes -= size;
      arrive();
    });
  }

  break(lateBy: number): void {
    this.lateBy ??= lateBy;
  }
}

export class Link {
  clientEnd: End = 'none';
  nodeEnd: End = 'none';
  /** The next message that way gets lost, as only a faulty platform does it. */
  loses: 'nothing' | 'up' | 'down' = 'nothing';
  /** The last messages that were written. */
  readonly last: { up?: Data; down?: Data } = {};
  /** Whether the client was greeted on it, whom it named as the one who asks, and which session is at its end. */
  greeted = false;
  holder = 0;
  /** Whether the client speaks plainly on it, to whomever. */
  isPlain = false;
  sid: string | undefined;
  node: Process | undefined;
  private readonly up: Lane;
  private readonly down: Lane;
  private session: SessionLink | undefined;
  private isRead = true;
  private held: Data[] = [];

  constructor(
    private readonly timeline: Timeline,
    private readonly weather: Weather,
    private readonly world: LinkWorld,
    readonly client: Process,
    readonly request: SocketRequest,
    private readonly events: SocketEvents,
  ) {
    this.up = new Lane(timeline, weather, () => this.node!);
    this.down = new Lane(timeline, weather, () => this.client);
    // the client's process stands for the network here: nobody else knows of it yet
    timeline.at(timeline.now + weather.latency(), { ...client, pausedUntil: 0 }, () => this.dialled());
  }

  get isLive(): boolean {
    return this.clientEnd === 'open' || this.nodeEnd === 'open';
  }

  // --- the client's end

  readonly socket: Socket = ((link: Link): Socket => ({
    send(data) {
      if (link.clientEnd !== 'open') return;
      link.world.clientWrote(link, data);
      if (link.isLost('up', data)) return;
      link.up.carry(data.length, () => link.arriveAtNode(data));
    },
    close(code, reason) {
      if (link.clientEnd === 'over' || link.clientEnd === 'closing') return;
      if (link.clientEnd === 'none') return void (link.clientEnd = 'over');
      link.clientEnd = 'closing';
      link.up.carry(0, () => link.closeAtNode(code, reason));
      link.timeline.at(link.timeline.now + CLOSE_TIMEOUT, link.client, () => link.closeAtClient(1006, '', false));
    },
    terminate() {
      if (link.clientEnd === 'over') return;
      link.clientEnd = 'over';
      if (link.node) link.up.carry(0, () => link.goneAtNode());
    },
    get bufferedAmount() {
      return link.weather.isSlow ? link.up.bytes : 0;
    },
  }))(this);

  private arriveAtClient(data: Data): void {
    if (this.clientEnd !== 'open' && this.clientEnd !== 'closing' && !this.weather.isRude) return;
    this.world.clientHeard(this, data);
    this.events.message(data);
  }

  private closeAtClient(code: number, reason: string, wasClean: boolean): void {
    if (this.clientEnd === 'over') return;
    this.clientEnd = 'over';
    this.events.closed({ code, reason, wasClean });
    if (wasClean && this.node) this.up.carry(0, () => this.goneAtNode());
  }

  // --- the node's end

  private dialled(): void {
    const taken = this.world.arrived(this);
    if (!taken) {
      this.timeline.at(this.timeline.now + this.weather.latency(), this.client, () =>
        this.closeAtClient(1006, '', false),
      );
      return;
    }
    this.node = taken.process;
    this.timeline.at(this.timeline.now, taken.process, () => {
      if (this.clientEnd === 'over') return; // given up meanwhile
      this.nodeEnd = 'open';
      this.down.carry(0, () => {
        if (this.clientEnd !== 'none') return;
        this.clientEnd = 'open';
        this.events.opened({ protocol: taken.protocol });
      });
      this.session = this.world.accepted(this, this.transport);
    });
  }

  private readonly transport: Transport = ((link: Link): Transport => ({
    send(data) {
      if (link.nodeEnd !== 'open') return;
      link.world.nodeWrote(link, data);
      if (link.isLost('down', data)) return;
      link.down.carry(data.length, () => link.arriveAtClient(data));
    },
    close(code, reason) {
      if (link.nodeEnd !== 'open') return;
      link.nodeEnd = 'closing';
      link.down.carry(0, () => link.closeAtClient(code, reason, true));
      link.timeline.at(link.timeline.now + CLOSE_TIMEOUT, link.node!, () => link.goneAtNode());
    },
    pause() {
      link.isRead = false;
    },
    resume() {
      if (link.isRead) return;
      link.isRead = true;
      link.timeline.at(link.timeline.now, link.node!, () => link.readHeld());
    },
    get bufferedAmount() {
      return link.weather.isSlow ? link.down.bytes : 0;
    },
  }))(this);

  private arriveAtNode(data: Data): void {
    if (this.nodeEnd !== 'open' && this.nodeEnd !== 'closing') return;
    if (this.isRead && this.held.length === 0) this.session?.received(data);
    else this.held.push(data);
  }

  private readHeld(): void {
    while (this.isRead && this.held.length > 0 && this.nodeEnd !== 'over') this.session?.received(this.held.shift()!);
  }

  private closeAtNode(code: number, reason: string): void {
    if (this.nodeEnd === 'over') return;
    this.down.carry(0, () => this.closeAtClient(code, reason, true));
    this.goneAtNode();
  }

  private goneAtNode(): void {
    if (this.nodeEnd === 'over') return;
    this.nodeEnd = 'over';
    this.held = [];
    this.session?.closed();
  }

  // --- what happens to it

  private isLost(way: 'up' | 'down', data: Data): boolean {
    if (data[0] !== 'd' && data[0] !== 0x64) return false;
    this.last[way] = data;
    if (this.loses !== way) return false;
    this.loses = 'nothing';
    return true;
  }

  /** A frame that nobody wrote arrives. */
  inject(way: 'up' | 'down', data: Data): void {
    if (way === 'down') this.down.carry(data.length, () => this.arriveAtClient(data));
    else if (this.node) this.up.carry(data.length, () => this.arriveAtNode(data));
  }

  /** Nothing new passes; what is on its way arrives late; each end notices after so long, or not at all. */
  break(lateBy: { readonly up: number; readonly down: number }, noticed: { client: number; node: number }): void {
    this.up.break(lateBy.up);
    this.down.break(lateBy.down);
    const { now } = this.timeline;
    if (noticed.client < Infinity) {
      this.timeline.at(now + noticed.client, this.client, () => this.closeAtClient(1006, '', false));
    }
    if (this.node && noticed.node < Infinity) {
      this.timeline.at(now + noticed.node, this.node, () => this.goneAtNode());
    }
  }

  /** The node's end is gone, and the client is told so behind what is on its way. */
  reset(): void {
    this.down.carry(0, () => this.closeAtClient(1006, '', false));
  }

  /** The client's end is gone, and the node is told so behind what is on its way. */
  abandon(): void {
    if (this.node) this.up.carry(0, () => this.goneAtNode());
  }
}
