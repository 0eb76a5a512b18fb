// How long does a page sit on a link that has gone silent, before it dials again?
//
// The link is a TCP proxy that swallows everything from one moment on, as a network does that was left: no byte, no FIN,
// no RST. Told is the time from that moment until the proxy sees the next dial, so nothing in the page is measured by
// the page itself.

import { fileURLToPath } from 'node:url';
import { createFaultProxy, createFaultServer, type FaultProxy, type FaultServer } from '@holdfast/testing';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright';
import { launchChromium } from './chromium.ts';
import { machine, machineLine } from './machine.ts';
import { spreadOf } from './statistics.ts';
import { table } from './table.ts';

const CONTENDERS = [
  { name: 'holdfast', version: 'this', heartbeat: '200/200 ms' },
  { name: 'partysocket', version: '1.3.0', heartbeat: 'has none' },
  { name: 'vueuse', version: '14.4.0', heartbeat: '200/200 ms' },
] as const;

const ROUNDS = 9;
/** Milliseconds; a link that has been open for longer than `stableAfter` (5 s) is stable. */
const STABLE = 5_500;
/** Between the silences of two rounds: no multiple of the heartbeat's interval, so each finds it in another phase. */
const APART = 223;
/** Longer than Chromium waits for the answer to a close frame. */
const LONGEST_WAIT = 90_000;
/** Interval and timeout, and 50 ms for the timer, the page and the machine. */
const BOUND = 450;

interface Figure {
  readonly contender: string;
  /** Milliseconds from silence to the next dial, by round; `null`: none within the longest wait. */
  readonly rounds: readonly (number | null)[];
}

const server = await createFaultServer();
const browser = await launchChromium();
const figures: Figure[] = [];
try {
  const script = await bundle();
  // the one with a promise to keep has the machine for itself
  const [own, ...others] = CONTENDERS;
  figures.push(await measure(own.name, browser, script, server));
  figures.push(...(await Promise.all(others.map(({ name }) => measure(name, browser, script, server)))));
} finally {
  await browser.close();
  await server.close();
}

const worst = Math.max(...figures[0]!.rounds.map((round) => round ?? Infinity));
const isKept = worst <= BOUND;
if (process.argv.includes('--json')) {
  const verdicts = [{ what: `holdfast: at most ${BOUND} ms in every round`, isKept }];
  console.log(JSON.stringify({ benchmark: 'silent-link', machine: machine(), verdicts, figures }, undefined, 2));
} else print();
process.exitCode = isKept ? 0 : 1;

/** As a page gets it: the built packages, in one script. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./silent-link/contenders.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    define: { 'process.env.NODE_ENV': '"production"', __VUE_PROD_DEVTOOLS__: 'false' },
    tsconfigRaw: {}, // the workspace's paths lead to the sources, and not to what is built
  });
  return outputFiles[0]!.text;
}

/** One page, with a client and a link of its own for each round. */
async function measure(contender: string, browser: Browser, script: string, server: FaultServer): Promise<Figure> {
  const page = await browser.newPage();
  const proxies = await Promise.all(Array.from({ length: ROUNDS }, () => createFaultProxy({ port: server.port })));
  try {
    await page.addScriptTag({ content: script });
    await Promise.all(proxies.map((proxy) => dial(page, contender, proxy)));
    await pause(STABLE);
    const rounds = await Promise.all(proxies.map((proxy, i) => pause(i * APART).then(() => silence(proxy))));
    return { contender, rounds };
  } finally {
    await page.close();
    await Promise.all(proxies.map((proxy) => proxy.close()));
  }
}

async function dial(page: Page, contender: string, proxy: FaultProxy): Promise<void> {
  const call = `dial(${JSON.stringify(contender)}, ${JSON.stringify(proxy.url('/echo'))}), undefined`;
  await page.evaluate(call);
  await proxy.connected();
}

async function silence(proxy: FaultProxy): Promise<number | null> {
  const at = performance.now();
  proxy.blackhole();
  const patience = new AbortController();
  const dialled = proxy.connected(2).then(
    () => performance.now() - at,
    () => null,
  );
  const gaveUp = pause(LONGEST_WAIT, patience.signal).then(() => null);
  return Promise.race([dialled, gaveUp]).finally(() => patience.abort());
}

/** The measurement is of elapsed time, so elapse it must. */
function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => clearTimeout(timer));
  });
}

function print(): void {
  console.log(`${machineLine(machine())}, Chromium ${browser.version()}; ${ROUNDS} rounds each\n`);
  const rows = CONTENDERS.map(({ name, version, heartbeat }) => {
    const { rounds } = figures.find(({ contender }) => contender === name)!;
    const known = rounds.filter((round) => round !== null);
    if (known.length < rounds.length) {
      const never = `none in ${LONGEST_WAIT / 1_000} s`;
      return [
        name,
        version,
        heartbeat,
        known.length === 0 ? never : `${rounds.length - known.length} × ${never}`,
        '',
        '',
      ];
    }
    const values = [spreadOf(known).median, Math.min(...known), Math.max(...known)];
    return [name, version, heartbeat, ...values.map(shown)];
  });
  console.log(table(['client', 'version', 'heartbeat', 'median', 'least', 'most'], rows, new Set([3, 4, 5])));
  console.log(`\n${isKept ? 'kept' : 'BROKEN'}  holdfast: at most ${BOUND} ms in every round`);
}

function shown(ms: number): string {
  return ms < 10_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
