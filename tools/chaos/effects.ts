// Where do handlers leave what they did? In Redis: a list for each session, in the order in which it was done.

/** What a handler did once. The same `seq` of a session may come again: its node died before it could commit. */
export interface Effect {
  readonly seq: number;
  readonly n: number;
  readonly writer: string;
}

export const KEYS = {
  /** Of all sessions that there ever were. */
  sids: 'chaos:sids',
  effects: (sid: string) => `chaos:effects:${sid}`,
};

export const effectOf = ({ seq, n, writer }: Effect): string => `${seq} ${n} ${writer}`;

export function readEffect(text: string): Effect {
  const [seq, n, writer] = text.split(' ');
  return { seq: Number(seq), n: Number(n), writer: writer! };
}
