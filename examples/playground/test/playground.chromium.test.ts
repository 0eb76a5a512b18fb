// Does each button break what it says, and does the timeline tell the truth about it? In a real browser.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchChromium } from '../../../bench/chromium.ts';
import {
  button,
  logSays,
  runPlayground,
  timeline,
  timelineSays,
  timelineShows,
  type RunningPlayground,
} from './support.ts';

const PHONE = { width: 360, height: 740 };
const TABLET = { width: 820, height: 1100 };
const DESKTOP = { width: 1280, height: 800 };
const BUTTONS = ['Kill', 'Restart', 'Drain', 'Silence', 'Delay', 'Refuse', 'Hide', 'Keep sending', 'Dial now', 'Close'];

let playground: RunningPlayground;
let browser: Browser;
let page: Page;
let faults: string[];

beforeAll(async () => {
  [playground, browser] = await Promise.all([runPlayground(), launchChromium()]);
}, 60_000);

afterAll(async () => {
  await browser.close();
  const code = await playground.stop();
  if (code !== 0) throw new Error(`the playground ended with ${code}`);
});

beforeEach(async () => {
  page = await browser.newPage({ viewport: DESKTOP });
  faults = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  await page.goto(playground.url);
  await timelineSays(page, 'open');
}, 30_000);

afterEach(async () => {
  await button(page, 'Mend everything').click();
  await timelineSays(page, 'open');
  await page.close();
  if (faults.length > 0) throw new Error(faults.join('\n'));
}, 30_000);

const number = async (id: string): Promise<number> => parseFloat((await page.locator(`#${id}`).textContent())!);

const isPressed = (name: string): Promise<string | null> => button(page, name).getAttribute('aria-pressed');

test('a killed server is lost with 1006 and dialled until it is back', { timeout: 30_000 }, async () => {
  await button(page, 'Kill').click();
  await timelineSays(page, 'reconnecting');
  await logSays(page, /Lost: 1006/);
  await logSays(page, /Dial failed: 1006/);
  await page.waitForFunction(() => Number(document.querySelector('#queued')!.textContent) > 0);

  await button(page, 'Restart').click();
  await timelineSays(page, 'open');
  expect(await timeline(page)).toEqual(['connecting', 'open', 'reconnecting', 'open']);
  await page.waitForFunction(() => document.querySelector('#queued')!.textContent === '0');
  expect(await page.locator('#marks li').allTextContents()).toEqual(['Kill', 'Restart']);
});

test('a restart is one loss, and one return', { timeout: 30_000 }, async () => {
  await button(page, 'Restart').click();
  await timelineShows(page, 4);
  await timelineSays(page, 'open');
  await logSays(page, /Open again/);
  expect(await timeline(page)).toEqual(['connecting', 'open', 'reconnecting', 'open']);
});

test('a drained server says when to come back, and its successor is found then', { timeout: 30_000 }, async () => {
  await button(page, 'Drain').click();
  await timelineSays(page, 'reconnecting');
  await logSays(page, /Lost: 1012 “retry-after=2\.5\d*”.*next dial in 2\.[5-9] s/);
  await timelineSays(page, 'open');
  await expect(page.locator('#log p', { hasText: 'Dial failed' }).count()).resolves.toBe(0);
});

test(
  'a silent link is noticed though nothing ends it, and is open again once it can be',
  { timeout: 30_000 },
  async () => {
    await page.waitForFunction(() => document.querySelector('#latency')!.textContent!.endsWith('ms')); // this server replies
    await button(page, 'Silence').click();
    await timelineSays(page, 'reconnecting');
    await logSays(page, /Lost: 1006/);
    expect(await isPressed('Silence')).toBe('true');

    await button(page, 'Silence').click();
    await timelineSays(page, 'open');
    expect(await isPressed('Silence')).toBe('false');
  },
);

test('a slow link stays open, and its round trips are measured', { timeout: 30_000 }, async () => {
  await button(page, 'Delay').click();
  await page.waitForFunction(() => parseFloat(document.querySelector('#latency')!.textContent!) >= 600);
  expect(await timeline(page)).toEqual(['connecting', 'open']);
  await page.locator('#latency-chart[aria-label*="6"]').waitFor();

  await button(page, 'Delay').click();
  await page.waitForFunction(() => parseFloat(document.querySelector('#latency')!.textContent!) < 600);
});

test('refused dials are tried again until they come through', { timeout: 30_000 }, async () => {
  await button(page, 'Refuse').click();
  await timelineSays(page, 'reconnecting');
  await logSays(page, /Dial failed: 1006/);
  expect(await isPressed('Refuse')).toBe('true');
  await button(page, 'Refuse').click();
  await timelineSays(page, 'open');
  expect(await timeline(page)).toEqual(['connecting', 'open', 'reconnecting', 'open']);
});

test(
  'a hidden page whose link dies is suspended and makes no dial; shown again, it does',
  { timeout: 30_000 },
  async () => {
    await button(page, 'Hide').click();
    expect(await isPressed('Hide')).toBe('true');
    await button(page, 'Kill').click();
    await timelineSays(page, 'suspended');
    await Promise.all([page.waitForResponse(/restart/), button(page, 'Restart').click()]);
    await timelineSays(page, 'suspended');

    await button(page, 'Hide').click();
    await timelineSays(page, 'open');
    expect(await page.locator('#log p', { hasText: 'Dial failed' }).count()).toBe(0);
  },
);

test('messages go on being sent until told otherwise, and each of them comes back', { timeout: 30_000 }, async () => {
  await page.waitForFunction(() => Number(document.querySelector('#echoed')!.textContent) >= 2);
  await button(page, 'Keep sending').click();
  expect(await isPressed('Keep sending')).toBe('false');
  await page.waitForFunction(
    () => document.querySelector('#echoed')!.textContent === document.querySelector('#sent')!.textContent,
  );
  expect(await number('dropped')).toBe(0);
  await button(page, 'Keep sending').click();
  expect(await isPressed('Keep sending')).toBe('true');
});

test('dial now drops the socket and dials without a wait', { timeout: 30_000 }, async () => {
  await button(page, 'Dial now').click();
  await logSays(page, /Closed: 1006.*next dial now/);
  await logSays(page, /Open again/);
  await timelineShows(page, 4);
  expect(await timeline(page)).toEqual(['connecting', 'open', 'reconnecting', 'open']);
});

test('close ends the life, and connect begins the next', { timeout: 30_000 }, async () => {
  await button(page, 'Close').click();
  await timelineSays(page, 'closed');
  await logSays(page, /Ended: caller/);
  await button(page, 'Connect').click();
  await timelineSays(page, 'open');
  const [, , ...rest] = await timeline(page);
  expect(rest.filter((status) => status !== 'closing')).toEqual(['closed', 'connecting', 'open']);
});

test('mend everything mends everything at once', { timeout: 30_000 }, async () => {
  await button(page, 'Hide').click();
  await button(page, 'Silence').click();
  await Promise.all([page.waitForResponse(/kill/), button(page, 'Kill').click()]);
  await button(page, 'Mend everything').click();
  await timelineSays(page, 'open');
  await page.locator('#hide[aria-pressed=false]').waitFor();
  expect(await page.locator('#log p', { hasText: 'Dial failed' }).count()).toBe(0);
  await page.locator('[data-link=silence][aria-pressed=false]').waitFor();
});

test(
  'every button is reached and pressed by keyboard alone, with its focus in sight',
  { timeout: 30_000 },
  async () => {
    const reached: string[] = [];
    for (let i = 0; i < BUTTONS.length + 1; i++) {
      await page.keyboard.press('Tab');
      reached.push(
        await page.evaluate(() => {
          const focused = document.activeElement!;
          const name = (focused.querySelector('span') ?? focused).textContent;
          return `${name} ${getComputedStyle(focused).outlineStyle}`;
        }),
      );
    }
    expect(reached).toEqual([...BUTTONS, 'Mend everything'].map((name) => `${name} solid`));

    await button(page, 'Close').focus();
    await page.keyboard.press('Enter');
    await timelineSays(page, 'closed');
    await page.keyboard.press('Space');
    await timelineSays(page, 'open');
  },
);

for (const [screen, viewport] of Object.entries({ phone: PHONE, tablet: TABLET, desktop: DESKTOP })) {
  test(`on a ${screen} nothing is cut off, and every button is large enough to hit`, { timeout: 30_000 }, async () => {
    await page.setViewportSize(viewport);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width);
    for (const each of await page.getByRole('button').all()) {
      const box = (await each.boundingBox())!;
      expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(44);
    }
    const cutOff = await page
      .locator('button, button *, dt, dd, h1, h2')
      .evaluateAll((all) =>
        all
          .filter((each) => each.scrollWidth > each.clientWidth && each.clientWidth > 0)
          .map((each) => each.textContent),
      );
    expect(cutOff).toEqual([]);
  });
}

test('nothing moves while the connection comes and goes', { timeout: 30_000 }, async () => {
  const shifts = page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0;
        const observer = new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) sum += (entry as PerformanceEntry & { value: number }).value;
        });
        observer.observe({ type: 'layout-shift', buffered: false });
        addEventListener('told', () => resolve(sum));
      }),
  );
  await button(page, 'Restart').click();
  await timelineShows(page, 4);
  await timelineSays(page, 'open');
  await page.evaluate(() => dispatchEvent(new Event('told')));
  expect(await shifts).toBeLessThan(0.01);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(
    `axe finds nothing in the way of a screen reader or a weak eye, in ${colorScheme}`,
    { timeout: 30_000 },
    async () => {
      const { resolve } = createRequire(import.meta.url);
      await page.emulateMedia({ colorScheme });
      await button(page, 'Kill').click();
      await timelineSays(page, 'reconnecting');
      await page.addScriptTag({ content: readFileSync(resolve('axe-core'), 'utf8') });
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
        const found = await axe.run();
        return found.violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
        );
      });
      expect(violations).toEqual([]);
    },
  );
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: readonly string[] }[];
}

test('another page may not break anything here', { timeout: 30_000 }, async () => {
  const headers = { origin: 'https://evil.example' };
  const response = await page.request.post(`${playground.url}control/kill`, { headers });
  expect(response.status()).toBe(403);
  await timelineSays(page, 'open');
});
