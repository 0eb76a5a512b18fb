// How bare is the place where a mini-program's code runs?
//
// A realm with what the language has, timers and a console, where `eval` and `new Function` throw. WeChat wraps each
// file in a function whose parameters hide the names of a page, so that they are undefined even where the engine has
// them.

import { createContext, runInContext, Script, type Context } from 'node:vm';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';

export interface Realm {
  readonly context: Context;
  /** Evaluates an expression inside. */
  evaluate(code: string): unknown;
  /** A function of this realm that makes an ArrayBuffer of it, as a host makes its own. */
  toArrayBuffer(bytes: Uint8Array): ArrayBuffer;
  /** Whatever was printed with `console.warn` or `console.error`. */
  readonly complaints: string[];
}

/** @param globals beyond the language, timers and console */
export function createRealm(globals: Readonly<Record<string, unknown>>): Realm {
  const complaints: string[] = [];
  const complain = (...parts: unknown[]): void => void complaints.push(parts.map(String).join(' '));
  const quiet = (): void => {};
  // a host prints what a timer throws, and goes on
  const guarded = (call: () => void) => (): void => {
    try {
      call();
    } catch (error) {
      complain('thrown from a timer:', error);
    }
  };
  const context = createContext(
    {
      console: { log: quiet, info: quiet, debug: quiet, warn: complain, error: complain },
      setTimeout: (call: () => void, ms: number) => setTimeout(guarded(call), ms),
      clearTimeout: (timer: NodeJS.Timeout) => clearTimeout(timer),
      setInterval: (call: () => void, ms: number) => setInterval(guarded(call), ms),
      clearInterval: (timer: NodeJS.Timeout) => clearInterval(timer),
      ...globals,
    },
    { codeGeneration: { strings: false, wasm: false } },
  );
  const evaluate = (code: string): unknown => runInContext(code, context);
  const copy = evaluate('(bytes) => Uint8Array.from(bytes).buffer') as (bytes: number[]) => ArrayBuffer;
  return { context, evaluate, toArrayBuffer: (bytes) => copy([...bytes]), complaints };
}

/** Names that WeChat's wrapper takes away. */
const HIDDEN =
  'window document frames self location navigator localStorage history Caches screen alert confirm prompt ' +
  'XMLHttpRequest WebSocket Reporter webkit WeixinJSCore';

/**
 * CommonJS inside a realm, from a folder of built files.
 * @param packages folder, relative to `folder`, of what is required by a package's name; none if not given
 */
export function createLoader(realm: Realm, folder: string, packages?: string): (path: string) => unknown {
  const loaded = new Map<string, { exports: unknown }>();
  const parameters = ['require', 'module', 'exports', ...HIDDEN.split(' ')].join(', ');

  function load(file: string): unknown {
    const known = loaded.get(file);
    if (known) return known.exports;
    const module = { exports: realm.evaluate('({})') };
    loaded.set(file, module);
    const code = `(function (${parameters}) {${readFileSync(file, 'utf8')}\n})`;
    const wrapped = new Script(code, { filename: relative(folder, file) }).runInContext(realm.context) as (
      ...values: unknown[]
    ) => void;
    const requireFrom = (path: string): unknown => load(find(path, dirname(file)));
    wrapped(requireFrom, module, module.exports);
    return module.exports;
  }

  function find(path: string, from: string): string {
    const isRelative = path.startsWith('.') || path.startsWith('/');
    if (!isRelative && packages === undefined) throw new Error(`module '${path}' is not defined`);
    const base = isRelative ? resolve(from, path) : join(folder, packages!, ...path.split(posix.sep));
    const candidates = [base, `${base}.js`, join(base, 'index.js')];
    const file = candidates.find((candidate) => existsSync(candidate) && statSync(candidate).isFile());
    if (file === undefined || !file.startsWith(folder + sep)) throw new Error(`module '${path}' is not defined`);
    return file;
  }

  return (path) => load(find(path, folder));
}
