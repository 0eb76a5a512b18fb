// How does a test start the playground as its users do, and read what the page says?

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import type { Locator, Page } from 'playwright';

const path = (url: string): string => fileURLToPath(new URL(url, import.meta.url));

export interface RunningPlayground {
  readonly url: string;
  /** Ctrl+C. Resolves with its exit code. */
  stop(): Promise<number | null>;
}

export async function runPlayground(): Promise<RunningPlayground> {
  const start = path('../src/stage/start.ts');
  const child: ChildProcess = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), start], {
    env: { ...process.env, PORT: '0', TSX_TSCONFIG_PATH: path('../../../tsconfig.tests.json') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit') as Promise<[number | null]>;
  let url = '';
  for await (const line of createInterface({ input: child.stdout! })) {
    url = /http:\S+/.exec(line)?.[0] ?? '';
    if (url) break;
  }
  child.stdout!.resume();
  return {
    url,
    async stop() {
      child.kill('SIGINT');
      return (await exit)[0];
    },
  };
}

export function button(page: Page, name: string): Locator {
  // its small print is part of its name
  return page.getByRole('button', { name: new RegExp(`^${name}\\b`) });
}

/** Resolves when the timeline's last state is this one. */
export async function timelineSays(page: Page, status: string): Promise<void> {
  await page.locator('#spans li:last-child', { hasText: new RegExp(`^${status} `) }).waitFor({ state: 'attached' });
}

/** All states that the timeline shows, oldest first. */
export function timeline(page: Page): Promise<string[]> {
  return page.locator('#spans li b').allTextContents();
}

/** Resolves when the timeline has come to show so many states. A short one may have been the last for less than a frame. */
export async function timelineShows(page: Page, count: number): Promise<void> {
  await page
    .locator('#spans li')
    .nth(count - 1)
    .waitFor({ state: 'attached' });
}

/** Resolves when the log has such a line. */
export async function logSays(page: Page, text: RegExp): Promise<void> {
  await page.locator('#log p', { hasText: text }).last().waitFor({ state: 'attached' });
}
