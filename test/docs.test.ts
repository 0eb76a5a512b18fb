// Do the documents say what the code does?

import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { DEFAULTS as CLIENT } from '../packages/core/src/options.ts';
import { DEFAULTS as NODE } from '../packages/node/src/options.ts';
import { DEFAULTS as SERVER } from '../packages/server/src/options.ts';
import { DEFAULTS as SESSION } from '../packages/session/src/options.ts';
import { DEFAULTS as REDIS } from '../packages/redis/src/options.ts';
import { MEMORY_DEFAULTS as MEMORY } from '../packages/server/src/sessions/memory-store.ts';
import { backoffDelay } from '../packages/core/src/backoff.ts';
import { meaningOf, retryAfterOf, type Meaning } from '../packages/core/src/close-codes.ts';
import { verdictOn } from '../packages/core/src/retry.ts';
import type { CloseInfo } from '../packages/core/src/adapter.ts';
import {
  ROOT,
  anchorsOf,
  codeBlocksOf,
  headingsOf,
  linksOf,
  membersOf,
  namesIn,
  projectFiles,
  propertiesOf,
  read,
  rowsOf,
  sectionOf,
} from './support.ts';

const documents = projectFiles().filter((file) => file.endsWith('.md'));
const cells = (page: string, heading: string, column = 0) =>
  rowsOf(sectionOf(read(page), heading)).flatMap((row) => namesIn(row[column]!));

describe('docs/errors.md', () => {
  const codes = [
    ...membersOf(read('packages/core/src/errors.ts'), 'ErrorCode'),
    ...membersOf(read('packages/server/src/errors.ts'), 'ServerErrorCode'),
  ];
  const headings = headingsOf(read('docs/errors.md')).filter((heading) => heading.startsWith('## '));

  it('has one heading for each error code, and none for a code that is not there', () => {
    expect(headings.toSorted()).toEqual([...new Set(codes)].map((code) => `## \`${code}\``).toSorted());
  });

  it.each(headings)('says of %s whose fault it is', (heading) => {
    expect(sectionOf(read('docs/errors.md'), heading)).toMatch(/\*\*|Kept for/);
  });
});

describe('docs/important-defaults.md', () => {
  const client = read('packages/core/src/options.ts');
  const server = read('packages/server/src/options.ts');
  const inGroup = (group: string, names: readonly string[]) => names.map((name) => `${group}.${name}`);

  it.each([
    {
      heading: '## Client',
      defaults: CLIENT,
      options: [
        ...propertiesOf(client, 'ClientOptions'),
        ...inGroup('heartbeat', propertiesOf(client, 'HeartbeatOptions')),
        ...inGroup('reconnect', propertiesOf(client, 'ReconnectOptions')),
        ...inGroup('queue', propertiesOf(client, 'QueueOptions')),
      ],
    },
    {
      heading: '## Session',
      defaults: SESSION,
      options: propertiesOf(read('packages/session/src/options.ts'), 'SessionOptions'),
    },
    {
      heading: '## Node',
      defaults: NODE,
      options: propertiesOf(read('packages/node/src/options.ts'), 'NodeOptions'),
    },
    {
      heading: '## Browser',
      defaults: {},
      options: propertiesOf(read('packages/browser/src/adapter.ts'), 'BrowserOptions'),
    },
    {
      heading: '## Server',
      defaults: SERVER,
      options: [
        ...['PlaceOptions', 'AdmissionOptions', 'PeerOptions', 'ServerOptions'].flatMap((type) =>
          propertiesOf(server, type),
        ),
        ...inGroup('heartbeat', propertiesOf(server, 'HeartbeatOptions')),
        ...inGroup('budget', propertiesOf(server, 'BudgetOptions')),
        ...inGroup('sessions', propertiesOf(read('packages/server/src/sessions/options.ts'), 'SessionOptions')),
      ],
    },
    {
      heading: '## Stores',
      defaults: { memoryStore: MEMORY, redisStore: REDIS },
      options: [
        ...inGroup(
          'memoryStore',
          propertiesOf(read('packages/server/src/sessions/memory-store.ts'), 'MemoryStoreOptions'),
        ),
        ...inGroup('redisStore', propertiesOf(read('packages/redis/src/options.ts'), 'RedisStoreSettings')),
        'redisStore.url',
        'redisStore.client',
      ],
    },
  ])('names every option under $heading, and its default as it is', ({ heading, options, defaults }) => {
    const rows = rowsOf(sectionOf(read('docs/important-defaults.md'), heading));
    const told = new Map(rows.map(([option = '', value = '']) => [option.replaceAll('`', ''), value]));
    const isNamed = (option: string) =>
      [...told.keys()].some((name) => name === option || name.startsWith(`${option}.`));
    expect(options.filter((option) => !isNamed(option))).toEqual([]);
    const leaves = leavesOf(defaults);
    expect([...told.keys()].filter((name) => !options.includes(name) && !(name in leaves))).toEqual([]);
    expect(Object.fromEntries(Object.keys(leaves).map((name) => [name, told.get(name)]))).toEqual(leaves);
  });

  /** `{ a: { b: 1_000 } }` as `{ 'a.b': '`1_000`' }`; what is neither said nor simple is left out. */
  function leavesOf(value: object, prefix = ''): Record<string, string> {
    const entries = Object.entries(value).flatMap(([name, each]: [string, unknown]): [string, string][] => {
      if (Array.isArray(each)) return [[prefix + name, `\`${JSON.stringify(each)}\``]];
      if (typeof each === 'object' && each !== null) return Object.entries(leavesOf(each, `${prefix}${name}.`));
      return each === undefined ? [] : [[prefix + name, `\`${literal(each)}\``]];
    });
    return Object.fromEntries(entries);
  }

  function literal(value: unknown): string {
    if (typeof value === 'number') return String(value).replace(/\B(?=(\d{3})+$)/g, '_');
    return typeof value === 'string' ? `'${value}'` : String(value);
  }
});

describe('docs/reconnecting.md', () => {
  const page = read('docs/reconnecting.md');
  const closeOf = (code: number) => ({ code, reason: '', wasClean: true });
  const span = (cell: string): readonly [number, number] => {
    const [from, to = from] = cell.split('–').map(Number);
    return [from!, to!];
  };
  const each = (cell: string) => {
    const [from, to] = span(cell);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  };
  const meaningsOf = (closes: readonly CloseInfo[]) => [...new Set(closes.map((close) => `\`${meaningOf(close)}\``))];

  it.each(rowsOf(sectionOf(page, '## Close codes')))('T20: code %s means %s', (codes, meaning) => {
    expect(meaningsOf(each(codes!).map(closeOf))).toEqual([meaning]);
  });

  it.each(rowsOf(sectionOf(page, '## HTTP statuses')))('T20: status %s means %s', (statuses, meaning) => {
    expect(meaningsOf(each(statuses!).map((status) => ({ ...closeOf(1006), status })))).toEqual([meaning]);
  });

  it('T20: leaves out no code between 3000 and 4999 and no status from 200 on, and names none twice', () => {
    const told = (heading: string) => rowsOf(sectionOf(page, heading)).flatMap(([cell]) => each(cell!));
    expect(told('## Close codes').filter((code) => code >= 3000)).toEqual(each('3000–4999'));
    expect(told('## HTTP statuses')).toEqual(each('200–599'));
  });

  const policy = { ...CLIENT.reconnect, canHeal: false };
  const loss = { attempt: 1, atOnce: false, forgiven: false, healed: false };
  const REFUSED = { name: 'end', why: 'refused' };
  const after = (delay: number, healed = false) => ({ name: 'redial', delay, askedByServer: false, healed });
  /** With nothing fresh to offer, with something, and with something that was refused already. */
  const VERDICTS: Record<Meaning, { readonly code: number; readonly verdicts: readonly object[] }> = {
    retry: { code: 1006, verdicts: [after(2_500), after(2_500), after(2_500, true)] },
    'retry-late': { code: 1009, verdicts: [after(30_000), after(30_000), after(30_000, true)] },
    refused: { code: 4400, verdicts: [REFUSED, REFUSED, REFUSED] },
    unauthorized: { code: 4401, verdicts: [REFUSED, after(2_500, true), REFUSED] },
  };

  it.each(rowsOf(sectionOf(page, '## What happens then')))('T20, T21: %s: %s', (cell) => {
    const { code, verdicts } = VERDICTS[namesIn(cell!)[0] as Meaning];
    const close = closeOf(code);
    expect([
      verdictOn({ ...loss, close }, policy, 1),
      verdictOn({ ...loss, close }, { ...policy, canHeal: true }, 1),
      verdictOn({ ...loss, close, healed: true }, { ...policy, canHeal: true }, 1),
    ]).toEqual(verdicts);
  });

  it.each([
    ['a refusal', 4400, false, { name: 'end', why: 'refused' }],
    ['a refusal', 4400, true, { name: 'redial', delay: 2_500 }],
    ['a wait that the server asked for', 1013, 7, { name: 'redial', delay: 7 }],
    ['a refusal', 4400, undefined, { name: 'end', why: 'refused' }],
  ])('T20: shouldReconnect has the last word on %s: %i, %s', (_, code, answer, verdict) => {
    const close = { ...closeOf(code), reason: code === 1013 ? 'retry-after=2' : '' };
    const rules = { ...policy, shouldReconnect: () => answer };
    expect(verdictOn({ ...loss, close }, rules, 1)).toMatchObject(verdict);
  });

  it.each(rowsOf(sectionOf(page, '## How long the wait is')))(
    'T18: redial %s waits at most %s, on average %s',
    (n, most, mean) => {
      const wait = (random: number) => `${backoffDelay(CLIENT.reconnect, Number(n) - 1, random) / 1_000} s`;
      expect([wait(1), wait(0.5)]).toEqual([most, mean]);
    },
  );

  it('spreads a wait in whole seconds over one more, and keeps a decimal slot exactly', () => {
    const asked = (code: number, reason: string) => retryAfterOf({ code, reason, wasClean: true }, 0.5);
    expect([1012, 1013, 4429].map((code) => asked(code, 'retry-after=2'))).toEqual([2_500, 2_500, 2_500]);
    expect(asked(1012, 'retry-after=2.375')).toBe(2_375);
    expect(asked(1013, 'retry-after=86400.0')).toBe(3_600_000);
    expect([asked(1001, 'retry-after=2'), asked(1012, ' retry-after=2'), asked(1012, 'soon')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('the tables of names', () => {
  const core = (file: string) => read(`packages/core/src/${file}.ts`);

  it('docs/events.md has every event, every status and every member of a client', () => {
    const client = core('client');
    expect(cells('docs/events.md', '## Events')).toEqual(
      expect.arrayContaining([...propertiesOf(client, 'ClientEvents')]),
    );
    const told = cells('docs/events.md', '## Events', 1);
    expect(membersOf(client, 'Status').filter((status) => !told.includes(status))).toEqual([]);
    const members = /^export interface Client<.*?\{\n(.*?)^\}/ms.exec(client)![1]!;
    const names = [...members.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map(([, name = '']) => name);
    const named = cells('docs/events.md', '## Methods and properties').map((name) => name.replace(/\(.*/, ''));
    expect(names.filter((name) => !named.includes(name))).toEqual([]);
  });

  it('docs/events.md has every field of a close and every reason of an end', () => {
    const fields = [...propertiesOf(core('client'), 'CloseEvent'), ...propertiesOf(core('adapter'), 'CloseInfo')];
    expect(cells('docs/events.md', '### `close`').toSorted()).toEqual(fields.toSorted());
    const reasons = [...membersOf(core('states'), 'EndReason'), ...membersOf(core('states'), 'CallerReason')];
    expect(cells('docs/events.md', '### `end`').toSorted()).toEqual(reasons.toSorted());
  });

  it('docs/delivery.md has every reason of a drop', () => {
    const told = cells('docs/delivery.md', '## Why a message was dropped');
    expect(told.toSorted()).toEqual(membersOf(core('fates'), 'DropReason').toSorted());
  });

  it('docs/server.md has every reason of a refusal', () => {
    const told = cells('docs/server.md', '## Who is refused, and how', 1);
    const source = read('packages/server/src/refusal.ts');
    expect(told.toSorted()).toEqual(membersOf(source, 'RefusalReason').toSorted());
  });
});

describe('docs/scaling.md', () => {
  it.each([
    ['nginx', 'nginx.conf'],
    ['haproxy', 'haproxy.cfg'],
  ])('shows the configuration of %s that the example runs', (language, file) => {
    const shown = codeBlocksOf(read('docs/scaling.md')).filter((block) => block.language === language);
    expect(shown.map(({ code }) => code)).toEqual([read(`examples/scaling/${file}`)]);
  });
});

describe('CONTRIBUTING.md', () => {
  it('says what each script of package.json does, and names none that is not there', () => {
    const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
    const told = rowsOf(sectionOf(read('CONTRIBUTING.md'), '## Set-up')).map(([cell]) => namesIn(cell!)[0]);
    expect(told.toSorted()).toEqual(
      Object.keys(scripts)
        .map((name) => `pnpm ${name}`)
        .toSorted(),
    );
  });
});

describe('every document', () => {
  it.each(documents)('%s: each link within the repository leads somewhere', (file) => {
    const base = new URL(file, 'file:///');
    const broken = linksOf(read(file))
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const { pathname, hash } = new URL(link, base);
        const target = decodeURIComponent(pathname).slice(1);
        if (projectFiles().some((other) => other.startsWith(`${target.replace(/\/$/, '')}/`))) return false; // a folder
        if (!projectFiles().includes(target)) return true;
        return hash !== '' && !anchorsOf(read(target)).includes(decodeURIComponent(hash.slice(1)));
      });
    expect(broken).toEqual([]);
  });

  it('holds TypeScript that compiles', { timeout: 60_000 }, () => {
    const blocks = new Map(
      documents.flatMap((file) =>
        codeBlocksOf(read(file))
          .filter(({ language }) => language === 'ts')
          .map(({ code }, i) => [`${ROOT}test/${file.replaceAll('/', '.')}.${i + 1}.ts`, code] as const),
      ),
    );
    expect(blocks.size).toBeGreaterThan(10);
    expect(compile(blocks)).toEqual([]);
  });

  /** Files that exist in memory alone, with the options of our own tests. */
  function compile(files: ReadonlyMap<string, string>): readonly string[] {
    const config = ts.getParsedCommandLineOfConfigFile(`${ROOT}tsconfig.tests.json`, undefined, {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (fault) => expect.unreachable(String(fault.messageText)),
    })!;
    const host = ts.createCompilerHost(config.options);
    const onDisk = { ...host };
    host.fileExists = (name) => files.has(name) || onDisk.fileExists(name);
    host.readFile = (name) => files.get(name) ?? onDisk.readFile(name);
    host.getSourceFile = (name, version, ...rest) => {
      const code = files.get(name);
      return code === undefined
        ? onDisk.getSourceFile(name, version, ...rest)
        : ts.createSourceFile(name, code, version);
    };
    const program = ts.createProgram([...files.keys()], config.options, host);
    return [...files.keys()].flatMap((name) => {
      const source = program.getSourceFile(name);
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
        ({ messageText }) => `${name.slice(ROOT.length)}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
      );
    });
  }
});

describe('every file', () => {
  const MACHINE =
    /(?:^|[\s"'`(=:/])\/(?:work|home|root|Users)\/\w|[A-Z]:\\\\?Users|registry\.(?:npmjs|yarnpkg)|npm(?:mirror)/m;

  it('names no path of a machine and no registry host', () => {
    const texts = projectFiles().map((file) => [file, read(file)] as const);
    expect(texts.filter(([, text]) => !text.includes('\0') && MACHINE.test(text)).map(([file]) => file)).toEqual([]);
  });
});
