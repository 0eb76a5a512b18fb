// What is asked of the two ends of a link, whoever they are?

/** `plain`: the default delivery, at most once. `session`: numbered, stored, acknowledged. */
export type Contender = 'plain' | 'session';

export interface Payload {
  readonly name: string;
  /** One after the other, and again. */
  readonly messages: readonly (string | Uint8Array)[];
  /** Of one message. */
  readonly bytes: number;
}

/** One turn of one end. */
export interface Order {
  readonly payload: string;
  readonly send: number;
  readonly receive: number;
}

/**
 * An order is answered `prepared`; `go` begins it, and is answered `received` when everything that was to come has; then
 * `how was it` gets the answer.
 */
export type Signal = 'go' | 'how was it';

/** Times are of the machine's own clock, which all its processes share, in milliseconds. */
export interface Answer {
  /** Just before the first message was sent. */
  readonly began: number;
  /** When the last one had come in; 0 if none was to come. */
  readonly ended: number;
  /** Processor time of this end, in milliseconds. */
  readonly cpu: number;
}

/** An end that can be driven. */
export interface End {
  /** Hands over as many messages as may be, now and whenever there is room, until all are. */
  send(payload: Payload, count: number): void;
}

const DIFFERENT = 64;

export const PAYLOADS: readonly Payload[] = [text(1_024), binary(1_024), text(100)];

/** What one end may have under way at most. It is the default of a session's windows, so the plain one keeps to it as well. */
export const WINDOW = { messages: 1_000, bytes: 1_048_576 };

export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Answers orders of the parent process; `received` is to be called for each message that comes. */
export function serveOrders(end: End): { received(length: number): void } {
  let missing = 0;
  let lengths = 0;
  let order: Order = { payload: '', send: 0, receive: 0 };
  let began = 0;
  let ended = 0;
  let cpu = process.cpuUsage();

  process.on('message', (given: Order | Signal) => {
    switch (given) {
      case 'go':
        return go();
      case 'how was it':
        return answer();
      default:
        prepare(given);
    }
  });
  process.on('disconnect', () => process.exit()); // also when the one who asks is gone

  function prepare(given: Order): void {
    order = given;
    missing = order.receive;
    lengths = order.receive * payloadOf(order).bytes;
    process.send!('prepared');
  }

  function go(): void {
    cpu = process.cpuUsage();
    began = now();
    ended = 0;
    if (order.send > 0) end.send(payloadOf(order), order.send);
    if (order.receive === 0) process.send!('received');
  }

  function answer(): void {
    const { user, system } = process.cpuUsage(cpu);
    process.send!({ began, ended, cpu: (user + system) / 1e3 } satisfies Answer);
  }

  return {
    received(length) {
      lengths -= length;
      if (--missing > 0) return;
      if (missing < 0 || lengths !== 0)
        throw new Error(`not what was sent: ${JSON.stringify({ order, missing, lengths })}`);
      ended = now();
      process.send!('received');
    },
  };
}

function payloadOf({ payload }: Order): Payload {
  return PAYLOADS.find(({ name }) => name === payload)!;
}

function text(bytes: number): Payload {
  return {
    name: `${sizeOf(bytes)} text`,
    bytes,
    messages: rotation((i) => `${i}:`.padEnd(bytes, 'the quick brown fox ')),
  };
}

function binary(bytes: number): Payload {
  return { name: `${sizeOf(bytes)} binary`, bytes, messages: rotation((i) => new Uint8Array(bytes).fill(i)) };
}

function rotation<T>(make: (i: number) => T): T[] {
  return Array.from({ length: DIFFERENT }, (_, i) => make(i));
}

function sizeOf(bytes: number): string {
  return bytes < 1_000 ? `${bytes} B` : `${bytes / 1_024} kB`;
}
