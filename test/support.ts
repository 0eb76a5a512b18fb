// What do tests of the documents read, and how?

import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

export const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

/** Files that are part of the project: tracked, or new and not ignored. */
export function projectFiles(): readonly string[] {
  return (known ??= listFiles());
}

let known: readonly string[] | undefined;

function listFiles(): readonly string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const files = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).split('\0');
  return [...new Set(files)].filter((file) => statSync(ROOT + file, { throwIfNoEntry: false })?.isFile());
}

/** The text between a heading and the next one that is not below it. */
export function sectionOf(markdown: string, heading: string): string {
  const level = /^#+/.exec(heading)![0].length;
  const lines = withoutCode(markdown).split('\n');
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`there is no heading "${heading}"`);
  const length = lines.slice(start + 1).findIndex((line) => new RegExp(`^#{1,${level}} `).test(line));
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n');
}

/** The rows of all tables in a text, without their heads. */
export function rowsOf(markdown: string): readonly (readonly string[])[] {
  const lines = markdown.split('\n');
  return lines
    .filter(
      (line, i) => line.startsWith('|') && !/^\|[ :|-]+\|$/.test(line) && !/^\|[ :|-]+\|$/.test(lines[i + 1] ?? ''),
    )
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

export function headingsOf(markdown: string): readonly string[] {
  return [...withoutCode(markdown).matchAll(/^#+ .+$/gm)].map(([heading]) => heading);
}

/** As GitHub makes them. */
export function anchorsOf(markdown: string): readonly string[] {
  return headingsOf(markdown).map((heading) =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

export interface CodeBlock {
  readonly language: string;
  readonly code: string;
}

export function codeBlocksOf(markdown: string): readonly CodeBlock[] {
  return [...markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({ language, code }));
}

/** Where the links of a text lead. */
export function linksOf(markdown: string): readonly string[] {
  return [...withoutCode(markdown).matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target);
}

/** All that stands in backticks. */
export function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

/** The strings of `export type Name = 'a' | 'b';` in a source. */
export function membersOf(source: string, type: string): readonly string[] {
  const code = source.replace(/^ *(?:\/\*.*?\*\/|\/\/.*?$)/gms, '');
  const body = new RegExp(`^export type ${type} =(.*?);`, 'ms').exec(code)?.[1];
  if (body === undefined) throw new Error(`there is no type ${type}`);
  return [...body.matchAll(/'([^']+)'/g)].map(([, member = '']) => member);
}

/** The names of an interface's own properties. */
export function propertiesOf(source: string, type: string): readonly string[] {
  const body = new RegExp(`^export interface ${type}(?:<.*?>)? .*?\\{\\n(.*?)^\\}`, 'ms').exec(source)?.[1];
  if (body === undefined) throw new Error(`there is no interface ${type}`);
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, name = '']) => name);
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^```.*?^```$/gms, '');
}
