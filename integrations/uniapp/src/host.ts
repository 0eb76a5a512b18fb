// What does every modelled host have in common?

import type { Dialler } from './dialler.ts';

export interface Host {
  /** What was asked of the host and should not have been. Must be empty at the end. */
  readonly complaints: string[];
  /** What each call of `connectSocket` was given. */
  readonly calls: Readonly<Record<string, unknown>>[];
  readonly dialler: Dialler;
  /** The user leaves the app. */
  hide(): void;
  /** The user comes back. */
  show(): void;
  /** How many functions listen to the host's events: shown, hidden, network. */
  listening(): number;
}
