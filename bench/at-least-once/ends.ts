// What do the ends of the benchmark have in common, and say to one another?

export const CONTENDERS = [
  'at most once',
  'at least once',
  'each ping five times',
  'held, proofs for nothing',
] as const;
export type Contender = (typeof CONTENDERS)[number];

export const SIZES = [100, 1_000] as const;
export type Size = (typeof SIZES)[number];

/** How many pings `each ping five times` writes for one. */
export const TIMES = 5;

/** Messages in one turn. The server says so when they have arrived. */
export const TURN = 5_000;
export const ALL_HERE = 'all here';

export type ServerOrder = 'usage';
export type ServerAnswer = { readonly fast: string; readonly strict: string } | Usage;

/** Of the server's process so far. */
export interface Usage {
  /** Processor time in microseconds. */
  readonly cpu: number;
  /** How often the server with the default budgets has stopped reading. */
  readonly pauses: number;
}

/** `steady`: 190 messages a second for so many seconds. */
export type ClientOrder = 'turn' | { readonly steady: number };
export type ClientAnswer = 'ready' | Turn;

export interface Turn {
  readonly ms: number;
  /** Processor time of the client in microseconds. */
  readonly cpu: number;
  readonly pings: number;
  readonly drops: number;
}

export function cpuSoFar(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
