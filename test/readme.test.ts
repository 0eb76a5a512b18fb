// Do the READMEs say the same in both languages, and does what they show run?

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { ROOT, codeBlocksOf, headingsOf, linksOf, read, rowsOf } from './support.ts';

const english = read('README.md');
const chinese = read('README.zh-CN.md');
const LANGUAGES = ['./README.md', './README.zh-CN.md'];

describe('README.md and README.zh-CN.md', () => {
  it('have as many headings, of the same levels', () => {
    const levels = (text: string) => headingsOf(text).map((heading) => /^#+/.exec(heading)![0]);
    expect(levels(chinese)).toEqual(levels(english));
  });

  it('show the same code', () => {
    expect(codeBlocksOf(chinese)).toEqual(codeBlocksOf(english));
  });

  it('lead to the same places', () => {
    const links = (text: string) => linksOf(text).filter((link) => !LANGUAGES.includes(link));
    expect(links(chinese)).toEqual(links(english));
    expect([english, chinese].map((text) => linksOf(text).filter((link) => LANGUAGES.includes(link)))).toEqual([
      ['./README.zh-CN.md'],
      ['./README.md'],
    ]);
  });

  it('have tables of the same shape, and the same figures', () => {
    const shape = (text: string) => rowsOf(text).map((row) => row.length);
    expect(shape(chinese)).toEqual(shape(english));
    const figures = (text: string) => [...text.replace(/^```.*?^```$/gms, '').matchAll(/\d[\d.,]*\d|\d/g)].map(String);
    expect(figures(chinese).toSorted()).toEqual(figures(english).toSorted());
  });

  it('tell the size that tools/size.mjs measures', () => {
    const measured = Number(/^core \(es2015\): .*? (\d+) B gzip/m.exec(outputOf('tools/size.mjs'))?.[1]) / 1_000;
    const told = [english, chinese].map((text) => Number(/`@holdfast\/core`.*?([\d.]+) kB/s.exec(text)?.[1]));
    expect(told.map((size) => Math.abs(size / measured - 1) < 0.05)).toEqual([true, true]);
  });

  it('hold the snippets word for word', () => {
    const shown = codeBlocksOf(english).flatMap(({ language, code }) => (language === 'ts' ? [code] : []));
    expect(shown).toEqual(['page', 'client', 'uniapp', 'server'].map((name) => read(`test/snippets/${name}.ts`)));
  });
});

describe('the snippets', () => {
  const children: ChildProcess[] = [];
  afterEach(async () => {
    await Promise.all(
      children.splice(0).map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }),
    );
  });

  it('run against each other: an answer, a deploy, and the same client back', { timeout: 60_000 }, async () => {
    const server = run('server', '0');
    const [, port = ''] = await server.said(/listening on (\d+)/);
    const client = run('client', `ws://localhost:${port}`);
    await client.said(/queued\n/);
    await client.said(/ada: hello/);

    server.child.kill('SIGTERM');
    await client.said(/lost with 1012, next dial in \d/);
    expect(await server.exited).toBe(0);

    const next = run('server', port);
    await next.said(/listening/);
    next.child.kill('SIGTERM');
    expect(await next.exited).toBe(0);
  });

  /** Runs one on the sources, in a process of its own. */
  function run(snippet: string, ...args: readonly string[]) {
    const child = spawn(process.execPath, ['--import', 'tsx', `test/snippets/${snippet}.ts`, ...args], {
      cwd: ROOT,
      env: { ...process.env, TSX_TSCONFIG_PATH: 'tsconfig.tests.json' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let output = '';
    const changed = new Set<() => void>();
    const heard = (text: unknown) => {
      output += String(text);
      for (const tell of changed) tell();
    };
    child.stdout.on('data', heard);
    child.stderr.on('data', heard);
    const exited = once(child, 'close').then(([code]) => code as number | null);
    return {
      child,
      exited,
      /** Resolves when the output holds it; rejects when the process ends without. */
      async said(what: RegExp): Promise<RegExpExecArray> {
        const found = new Promise<RegExpExecArray>((resolve) => {
          const look = (): void => {
            const match = what.exec(output);
            if (!match) return;
            changed.delete(look);
            resolve(match);
          };
          changed.add(look);
          look();
        });
        const ended = exited.then((code) => expect.unreachable(`${snippet} ended with ${code}: ${output}`));
        return Promise.race([found, ended]);
      },
    };
  }
});

/** What a script of Node prints, whatever its exit code. */
function outputOf(script: string): string {
  try {
    return execFileSync(process.execPath, [script], { cwd: ROOT, encoding: 'utf8' });
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout);
  }
}
