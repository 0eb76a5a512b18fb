// What goes wrong, and when? A list that a seed brings back.

import { createRandom } from '../../packages/testing/src/random.ts';

/** All durations are milliseconds. `for` is how long it lasts; then the opposite is done. */
export type Mishap =
  /** kill -9, and started again on the same port. */
  | { readonly name: 'kill server'; readonly server: number; readonly for: number }
  /** In order, as for a deploy: clients are asked to come back within `over`. */
  | { readonly name: 'drain server'; readonly server: number; readonly over: number; readonly for: number }
  /** It stands still, and knows nothing of it when it goes on. */
  | { readonly name: 'freeze server'; readonly server: number; readonly for: number }
  | { readonly name: 'kill redis' | 'freeze redis'; readonly for: number }
  /** RST on every link to a server. */
  | { readonly name: 'cut links'; readonly server: number }
  /**
   * Links stay open and nothing comes through. After that new ones are well; old ones stay dead, until, if `late`, all that was
   * held back arrives after all.
   */
  | {
      readonly name: 'silence links';
      readonly server: number;
      readonly way: 'both' | 'toServer' | 'toClient';
      readonly for: number;
      readonly late: number | undefined;
    }
  | { readonly name: 'slow links'; readonly server: number; readonly delay: number; readonly for: number }
  | { readonly name: 'thin links'; readonly server: number; readonly bytesPerSecond: number; readonly for: number }
  /** New links are reset at once. */
  | { readonly name: 'refuse links'; readonly server: number; readonly for: number }
  /** Of so many clients, by chance: each calls `reconnect()`. */
  | { readonly name: 'reconnect clients'; readonly chance: number; readonly lot: number }
  | { readonly name: 'reload page'; readonly page: number }
  /** kill -9 of the process of those whose sessions are in files; they go on from there. */
  | { readonly name: 'kill clients'; readonly for: number };

export type MishapName = Mishap['name'];

export interface Planned {
  /** From the beginning of the run. */
  readonly at: number;
  readonly mishap: Mishap;
}

export interface PlanOptions {
  readonly seed: number;
  /** How long things go wrong. */
  readonly length: number;
  readonly servers: number;
  readonly pages: number;
}

/** How often each comes in a deck of cards. */
const CARDS: Readonly<Record<MishapName, number>> = {
  'kill server': 4,
  'drain server': 2,
  'freeze server': 2,
  'kill redis': 2,
  'freeze redis': 1,
  'cut links': 4,
  'silence links': 4,
  'slow links': 2,
  'thin links': 1,
  'refuse links': 1,
  'reconnect clients': 4,
  'reload page': 3,
  'kill clients': 2,
};

/** Between one mishap and the next, on average; shorter in a short run, so that everything happens once. */
const GAP = 1_000;

export function planOf({ seed, length, servers, pages }: PlanOptions): readonly Planned[] {
  const random = createRandom(seed);
  const between = (least: number, most: number) => Math.round(least + random() * (most - least));
  const names = (Object.keys(CARDS) as MishapName[]).filter((name) => pages > 0 || name !== 'reload page');
  const gap = Math.min(GAP, length / (names.length + 1));

  function shuffled(cards: readonly MishapName[]): MishapName[] {
    return cards
      .map((name) => ({ name, place: random() }))
      .sort((a, b) => a.place - b.place)
      .map(({ name }) => name);
  }

  function draw(name: MishapName): Mishap {
    const server = between(0, servers - 1);
    switch (name) {
      case 'kill server':
        return { name, server, for: between(0, 1_500) };
      case 'drain server':
        return { name, server, over: between(0, 2_000), for: between(0, 1_000) };
      case 'freeze server':
        return { name, server, for: between(200, 4_000) };
      case 'kill redis':
        return { name, for: between(0, 2_000) };
      case 'freeze redis':
        return { name, for: between(100, 3_000) };
      case 'cut links':
        return { name, server };
      case 'silence links': {
        const way = (['both', 'both', 'toServer', 'toClient'] as const)[between(0, 3)]!;
        return { name, server, way, for: between(200, 4_000), late: random() < 0.6 ? between(0, 3_000) : undefined };
      }
      case 'slow links':
        return { name, server, delay: between(20, 800), for: between(500, 3_000) };
      case 'thin links':
        return { name, server, bytesPerSecond: between(200, 20_000), for: between(500, 3_000) };
      case 'refuse links':
        return { name, server, for: between(100, 1_500) };
      case 'reconnect clients':
        return { name, chance: random() * 0.3, lot: between(1, 1_000_000) };
      case 'reload page':
        return { name, page: between(0, pages - 1) };
      case 'kill clients':
        return { name, for: between(0, 1_500) };
    }
  }

  const deck = names.flatMap((name) => Array.from({ length: CARDS[name] }, () => name));
  const plan: Planned[] = [];
  let hand = shuffled(names); // one of each first
  for (let at = gap; at < length; at += gap * (0.5 + random())) {
    if (hand.length === 0) hand = shuffled(deck);
    plan.push({ at: Math.round(at), mishap: draw(hand.pop()!) });
  }
  return plan;
}
