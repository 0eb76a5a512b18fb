// What do all tests in a page share: the addresses of the fault server, and its word that nothing was left open?

import { expect, inject } from 'vitest';

const { origin, refusedUrl, witness } = inject('faults');

export const addresses = { url: (path: string): string => origin + path, refusedUrl };

/** How many WebSockets the server has. */
export async function openAtServer(): Promise<number> {
  const answer = await fetch(`${witness}/open`);
  return Number(await answer.text());
}

/** Waits until the server has no TCP connection any more. */
export async function nothingOpen(): Promise<void> {
  const answer = await fetch(`${witness}/idle`);
  expect(answer.ok).toBe(true);
}
