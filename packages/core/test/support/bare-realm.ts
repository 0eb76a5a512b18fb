// A JavaScript realm with nothing but ES2015 and timers, in which strings are never code.

import { createContext, runInContext, type Context } from 'node:vm';

/** ECMA-262, 6th edition: what the global object holds, and what of it has later members. Everything else goes. */
const ES2015_GLOBALS =
  'Object Function Array String Number Boolean Symbol Date Math RegExp Error EvalError RangeError ReferenceError ' +
  'SyntaxError TypeError URIError JSON Promise Proxy Reflect Map Set WeakMap WeakSet ArrayBuffer DataView Int8Array ' +
  'Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array parseInt ' +
  'parseFloat isNaN isFinite decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval Infinity ' +
  'NaN undefined setTimeout clearTimeout';
const ES2015_MEMBERS: Readonly<Record<string, string>> = {
  Object:
    'assign create defineProperties defineProperty freeze getOwnPropertyDescriptor getOwnPropertyNames ' +
    'getOwnPropertySymbols getPrototypeOf is isExtensible isFrozen isSealed keys preventExtensions seal setPrototypeOf',
  'Object.prototype': 'hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf __proto__',
  'Function.prototype': 'apply bind call toString arguments caller',
  Array: 'from isArray of',
  'Array.prototype':
    'concat copyWithin entries every fill filter find findIndex forEach indexOf join keys lastIndexOf map pop push ' +
    'reduce reduceRight reverse shift slice some sort splice toLocaleString toString unshift values',
  String: 'fromCharCode fromCodePoint raw',
  'String.prototype':
    'charAt charCodeAt codePointAt concat endsWith includes indexOf lastIndexOf localeCompare match normalize repeat ' +
    'replace search slice split startsWith substr substring toLocaleLowerCase toLocaleUpperCase toLowerCase toString ' +
    'toUpperCase trim valueOf',
  Symbol:
    'for keyFor hasInstance isConcatSpreadable iterator match replace search species split toPrimitive toStringTag ' +
    'unscopables',
  'Symbol.prototype': 'toString valueOf',
  Promise: 'all race reject resolve',
  'Promise.prototype': 'then catch',
  Error: 'captureStackTrace stackTraceLimit',
  'RegExp.prototype': 'exec test toString flags global ignoreCase multiline source sticky unicode compile',
  ArrayBuffer: 'isView',
  'ArrayBuffer.prototype': 'byteLength slice',
  'Object.getPrototypeOf(Uint8Array.prototype)':
    'buffer byteLength byteOffset copyWithin entries every fill filter find findIndex forEach indexOf join keys ' +
    'lastIndexOf map reduce reduceRight reverse set slice some sort subarray toLocaleString toString values',
  Reflect:
    'apply construct defineProperty deleteProperty get getOwnPropertyDescriptor getPrototypeOf has isExtensible ownKeys ' +
    'preventExtensions set setPrototypeOf',
  Math: Object.getOwnPropertyNames(Math)
    .filter((name) => name !== 'f16round' && name !== 'sumPrecise')
    .join(' '),
};

const DELETE_THE_REST = `(function (globals, members) {
  var all = Object.getOwnPropertyNames(this), self = this;
  Object.keys(members).forEach(function (path) {
    var holder = members[path].holder, kept = members[path].kept.concat('constructor', 'prototype', 'length', 'name');
    Object.getOwnPropertyNames(holder).forEach(function (name) { if (kept.indexOf(name) < 0) delete holder[name]; });
  });
  all.forEach(function (name) { if (globals.indexOf(name) < 0) delete self[name]; });
  // its members cannot be deleted, so another one stands in for it
  var Real = self.Symbol, Bare = function Symbol(words) { return Real(words); };
  members.Symbol.kept.concat('prototype').forEach(function (name) { Bare[name] = Real[name]; });
  self.Symbol = Bare;
})`;

export interface BareRealm {
  /** Runs a script in it; the value is the script's last. */
  run(script: string): unknown;
  /** Lets time pass there. */
  pass(ms: number): Promise<void>;
  readonly timers: number;
}

export function createBareRealm(): BareRealm {
  let now = 0;
  let handles = 0;
  const timers = new Map<number, { readonly at: number; readonly fn: () => void }>();
  const context: Context = createContext(
    {
      setTimeout: (fn: () => void, ms: number): number => {
        timers.set(++handles, { at: now + ms, fn });
        return handles;
      },
      clearTimeout: (handle: number) => void timers.delete(handle),
    },
    { codeGeneration: { strings: false, wasm: false } },
  );
  const run = (script: string): unknown => runInContext(script, context) as unknown;
  const lists = Object.entries(ES2015_MEMBERS).map(
    ([path, names]) => `${JSON.stringify(path)}: { holder: ${path}, kept: ${JSON.stringify(names.split(' '))} }`,
  );
  (run('(function (now) { Date.now = now; })') as (now: () => number) => void)(() => now);
  run(`${DELETE_THE_REST}.call(this, ${JSON.stringify(ES2015_GLOBALS.split(' '))}, { ${lists.join(', ')} })`);

  return {
    run,
    get timers() {
      return timers.size;
    },
    async pass(ms) {
      const end = now + ms;
      await settle();
      for (;;) {
        const next = [...timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
        if (!next) break;
        const [handle, { at, fn }] = next;
        timers.delete(handle);
        now = Math.max(now, at);
        fn();
        await settle();
      }
      now = end;
    },
  };
}

/** Whatever promises there are in the realm get their turn. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
