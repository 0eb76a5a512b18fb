// What must an option be, and how is it refused?

import { HoldfastError, show } from './errors.ts';
import { viewOf } from './bytes.ts';

/** In words that follow "must be", and as a test. */
export type Rule = readonly [words: string, fits: (value: unknown) => boolean];

export const isFunction = (value: unknown): boolean => typeof value === 'function';
export const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
export const isNotNegative = (value: unknown): value is number => typeof value === 'number' && value >= 0;
export const isFinite = (value: unknown): value is number => isNotNegative(value) && value < Infinity;
export const isWhole = (value: unknown): boolean => isNotNegative(value) && (value === Infinity || value % 1 === 0);
export const has = (value: unknown, ...methods: readonly string[]): boolean =>
  typeof value === 'object' && value !== null && methods.every((name) => isFunction((value as never)[name]));

export const anything: Rule = ['', () => true]; // checked where it is used
export const positive: Rule = ['a positive number of milliseconds', (value) => isNotNegative(value) && value > 0];
export const notNegative: Rule = ['a number, not negative', isNotNegative];
export const whole: Rule = ['a whole number, not negative', isWhole];
export const aFunction: Rule = ['a function', isFunction];
export const group: Rule = ['an object or false', (value) => value === false || has(value)];
export const oneOf = (...allowed: readonly unknown[]): Rule => [
  `one of ${allowed.map(show).join(', ')}`,
  (value) => allowed.indexOf(value) >= 0,
];
/** A frame that would be empty is no ping, and nothing to tell a reply by. */
export const frame: Rule = [
  'a string or binary, not empty',
  (value) => !!(typeof value === 'string' ? value : viewOf(value)?.length),
];

/** What was given over the defaults, in an object of our own; `undefined` is as good as not given. */
export function readGroup<Defaults extends object>(
  prefix: string,
  given: object | false | undefined,
  defaults: Defaults,
  rules: Readonly<Record<string, Rule>>,
): Defaults {
  const values = Object.assign({}, defaults) as Record<string, unknown>;
  Object.keys(given || {}).forEach((name) => {
    const value = (given as Record<string, unknown>)[name];
    const names = Object.keys(rules);
    if (names.indexOf(name) < 0) {
      throw new HoldfastError('INVALID_OPTION', `${prefix}${name} is not an option; there are ${names.join(', ')}`, {
        value,
      });
    }
    const rule = rules[name]!;
    if (value === undefined) return;
    if (!rule[1](value)) throw bad(prefix + name, rule[0], value);
    if (name in defaults) values[name] = value;
  });
  return values as Defaults;
}

export function bad(name: string, words: string, value: unknown): HoldfastError {
  return new HoldfastError('INVALID_OPTION', `${name} must be ${words}, got ${show(value)}`, { value });
}
