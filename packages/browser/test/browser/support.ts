// What do all tests in a page share: the addresses of the fault server, and its word that nothing was left open?

import { expect, inject, vi } from 'vitest';
import { addressesOf } from './addresses.ts';

const faults = inject('faults');

export const addresses = addressesOf(faults);

/** How many WebSockets the server has. */
export async function openAtServer(): Promise<number> {
  const answer = await fetch(faults.witness);
  return Number(await answer.text());
}

/**
 * Waits until the server has no WebSocket any more. TCP connections are not asked about: Firefox holds on to that of a
 * dial that was given up.
 */
export async function nothingOpen(): Promise<void> {
  await vi.waitFor(async () => expect(await openAtServer()).toBe(0), { timeout: 10_000 });
}
