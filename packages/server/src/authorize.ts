// How does `authorize` say no, and how long may it think?

import { serverError } from './errors.ts';

/** A refusal by `authorize`; made by {@link deny}. */
export interface Denial {
  readonly denied: 401 | 403;
}

const denials = {
  401: Object.freeze<Denial>({ denied: 401 }),
  403: Object.freeze<Denial>({ denied: 403 }),
};

/**
 * For `authorize` to return: refuses the upgrade with 401 (who are you?) or 403 (I know you, and no).
 * A Holdfast client in Node takes both for final unless it has fresh credentials to offer; a browser cannot see them.
 */
export function deny(status: 401 | 403 = 401): Denial {
  return denials[status];
}

/** By identity, so that no object of the caller's can pass for one, nor be taken for one. */
export function isDenial(value: unknown): value is Denial {
  return value === denials[401] || value === denials[403];
}

/** The answer of a caller's function, or a rejection with ADMISSION_TIMEOUT if it takes longer than `ms`. */
export async function inTime<T>(name: string, ms: number, ask: () => T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(serverError('ADMISSION_TIMEOUT', `${name} gave no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([ask(), late]);
  } finally {
    clearTimeout(timer);
  }
}
