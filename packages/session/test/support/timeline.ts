// What happens when, in a time that passes only when it is told to?

/** Whoever acts: a page, a node. What a dead one had planned does not happen, and what a paused one had comes late. */
export interface Process {
  readonly name: string;
  isDead: boolean;
  pausedUntil: number;
}

export interface Timeline {
  readonly now: number;
  /** How much is still planned by those who live. */
  readonly planned: number;
  process(name: string): Process;
  /** Plans something. Of what is due at one moment the first planned comes first. Returns a cancel that may be called twice. */
  at(moment: number, process: Process, act: () => void): () => void;
  /** Lets time pass, event by event, until `end` or until it is so. `before` is asked after each event. */
  run(end: number, isSo?: () => boolean): Promise<void>;
}

interface Planned {
  at: number;
  readonly order: number;
  readonly process: Process;
  act: (() => void) | undefined;
}

/** `threw` hears of what an event threw, which nothing should. */
export function createTimeline(threw: (cause: unknown) => void): Timeline {
  const heap: Planned[] = [];
  let now = 0;
  let order = 0;

  const comesFirst = (a: Planned, b: Planned): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

  function push(event: Planned): void {
    let i = heap.length;
    heap.push(event);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!comesFirst(event, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = event;
  }

  function pop(): Planned {
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && comesFirst(heap[child + 1]!, heap[child]!)) child++;
      if (!comesFirst(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return first;
  }

  return {
    get now() {
      return now;
    },
    get planned() {
      return heap.filter(({ act, process }) => act !== undefined && !process.isDead).length;
    },
    process: (name) => ({ name, isDead: false, pausedUntil: 0 }),
    at(moment, process, act) {
      const event: Planned = { at: Math.max(now, moment), order: order++, process, act };
      push(event);
      return () => {
        event.act = undefined;
      };
    },
    async run(end, isSo = () => false) {
      await settled();
      while (!isSo() && heap.length > 0 && heap[0]!.at <= end) {
        const event = pop();
        const { process, act } = event;
        if (act === undefined || process.isDead) continue;
        now = Math.max(now, event.at);
        if (process.pausedUntil > now) {
          event.at = process.pausedUntil;
          push(event);
          continue;
        }
        event.act = undefined;
        try {
          act();
        } catch (cause) {
          threw(cause);
        }
        await settled();
      }
      if (!isSo()) now = Math.max(now, end);
    },
  };
}

/** Every promise that is settled has had its turn, and whatever followed from it. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
