// Is the value of one option sensible? Each check returns it, or throws INVALID_OPTION with the option's name.

import { invalidOption } from './errors.ts';

/** A length of time in milliseconds that a timer can hold; 2^31 - 1 is the longest. */
export function duration(name: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && value <= 2 ** 31 - 1) return value;
  throw invalidOption(name, 'a positive number of milliseconds', value);
}

export function positive(name: string, value: unknown): number {
  if (typeof value === 'number' && value > 0) return value;
  throw invalidOption(name, 'a positive number', value);
}

/** What ws reads as a signed 32-bit number, where 0 means no limit at all. */
export function size(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 2 ** 31) return value;
  throw invalidOption(name, 'a positive whole number of bytes below 2 GiB', value);
}

export function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw invalidOption(name, 'a text that is not empty', value);
}

export function aFunction<F>(name: string, value: F): F {
  if (value === undefined || typeof value === 'function') return value;
  throw invalidOption(name, 'a function', value);
}

/** A misspelt limit must not be a missing one. */
export function refuseUnknown(prefix: string, value: object, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null) {
    throw invalidOption(prefix.slice(0, -1) || 'options', 'an object', value);
  }
  for (const [name, given] of Object.entries(value)) {
    if (!known.includes(name)) {
      throw invalidOption(`${prefix}${name}`, `one of ${known.join(', ')}`, given);
    }
  }
}
