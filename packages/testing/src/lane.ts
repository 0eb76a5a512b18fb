// How does one way of a link carry bytes late, slowly or not at all, and always in order?

import type { Socket } from 'node:net';

/** How the way is at the moment. */
export type Weather =
  | { readonly name: 'pass' }
  | { readonly name: 'delay'; readonly ms: number }
  | { readonly name: 'throttle'; readonly bytesPerSecond: number }
  | { readonly name: 'blackhole' };

export interface Lane {
  /** Bytes that are under way or held back. */
  readonly held: number;
  /** How the way is from now on. A lane that a blackhole has swallowed does not hear of it. */
  change(weather: Weather): void;
  /** The same, for a swallowed lane too: what it has held back sets out. */
  release(weather: Weather): void;
  /** Forgets what is under way, and carries nothing any more. */
  stop(): void;
}

/** What one end says: bytes, the end of its stream, or that it is gone. All three travel in one queue. */
type Cargo = Buffer | 'fin' | 'reset';

/** As a network does, a lane takes in only so much; then the sender feels that nobody takes its bytes away. */
const CAPACITY = 1024 * 1024;

/** A throttled lane hands over a small piece this often, in milliseconds, instead of a large one now and then. */
const THROTTLE_TICK = 50;

/** Carries what `from` says to `to`. `changed` is called whenever bytes have come or gone. */
export function createLane(from: Socket, to: Socket, first: Weather, changed: () => void): Lane {
  const queue: { readonly cargo: Cargo; readonly due: number }[] = [];
  let state: 'carrying' | 'stopped' = 'carrying';
  let weather = first;
  let held = 0;
  let latest = 0; // when the last of the queue is due: nothing overtakes it
  let timer: NodeJS.Timeout | undefined;

  from.on('data', take);
  from.on('end', () => take('fin'));
  from.on('error', () => take('reset'));
  to.on('drain', pump);
  to.on('close', stop);

  function take(cargo: Cargo): void {
    if (state === 'stopped') return;
    for (const piece of piecesOf(cargo, weather)) {
      latest = dueOf(piece, weather, latest);
      queue.push({ cargo: piece, due: latest });
      held += lengthOf(piece);
    }
    pump();
  }

  function pump(): void {
    clearTimeout(timer);
    for (let next = queue[0]; next && isMoving(); next = queue[0]) {
      const wait = next.due - performance.now();
      if (wait > 0) {
        timer = setTimeout(pump, wait);
        break;
      }
      queue.shift();
      held -= lengthOf(next.cargo);
      deliver(next.cargo);
    }
    if (held > CAPACITY) from.pause();
    else if (from.isPaused()) from.resume();
    changed();
  }

  function isMoving(): boolean {
    return weather.name !== 'blackhole' && !to.writableNeedDrain;
  }

  function deliver(cargo: Cargo): void {
    if (cargo === 'reset') reset(to);
    else if (cargo === 'fin') to.end();
    else to.write(cargo);
  }

  function stop(): void {
    state = 'stopped';
    clearTimeout(timer);
    queue.length = 0;
    held = 0;
    from.resume(); // whatever still comes is taken in and forgotten
    changed();
  }

  return {
    get held() {
      return held;
    },
    change(next) {
      if (weather.name !== 'blackhole') weather = next;
    },
    release(next) {
      weather = next;
      pump();
    },
    stop,
  };
}

/** Sends RST. A socket that is still dialling has nobody to send it to, and would wait until it has. */
export function reset(socket: Socket): void {
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}

const lengthOf = (cargo: Cargo): number => (typeof cargo === 'string' ? 0 : cargo.length);

function piecesOf(cargo: Cargo, weather: Weather): Cargo[] {
  if (typeof cargo === 'string' || weather.name !== 'throttle') return [cargo];
  const size = Math.max(1, Math.floor((weather.bytesPerSecond * THROTTLE_TICK) / 1000));
  const pieces: Buffer[] = [];
  for (let i = 0; i < cargo.length; i += size) pieces.push(cargo.subarray(i, i + size));
  return pieces;
}

/** When `cargo` arrives if it sets out now, behind what is due at `latest`. */
function dueOf(cargo: Cargo, weather: Weather, latest: number): number {
  const now = performance.now();
  switch (weather.name) {
    case 'delay':
      return Math.max(latest, now + weather.ms);
    case 'throttle':
      return Math.max(latest, now) + (lengthOf(cargo) / weather.bytesPerSecond) * 1000;
    case 'pass':
    case 'blackhole':
      return Math.max(latest, now);
  }
}
