// In how many seconds does the server that refused us want to see us again?

/** The three forms of RFC 9110 §5.6.7: the one that everybody writes, and two that must still be understood. */
const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const RFC_850 = /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;

/**
 * `Retry-After` (RFC 9110 §10.2.3) in whole seconds, never negative; `undefined` if there is none, or none that can be
 * understood. A date is measured by the server's own clock where the response has a `Date`, so that a client whose
 * clock is wrong does not wait for a year; else by `now`, milliseconds of the wall clock.
 */
export function retryAfterOf(
  headers: { readonly 'retry-after'?: string | undefined; readonly date?: string | undefined },
  now: number,
): number | undefined {
  const value = headers['retry-after']?.trim() ?? '';
  if (/^\d+$/.test(value)) return Math.min(Number(value), Number.MAX_SAFE_INTEGER);
  const at = parseHttpDate(value);
  if (at === undefined) return undefined;
  const from = parseHttpDate(headers.date?.trim() ?? '') ?? now;
  return Math.max(0, Math.ceil((at - from) / 1000));
}

/** Milliseconds since 1970; `undefined` for what is not an HTTP-date, which `Date.parse` alone would be too kind to. */
function parseHttpDate(value: string): number | undefined {
  let at = NaN;
  if (IMF_FIXDATE.test(value) || RFC_850.test(value)) at = Date.parse(value);
  else if (ASCTIME.test(value)) at = Date.parse(`${value} GMT`); // has no zone, and is GMT all the same
  return Number.isNaN(at) ? undefined : at;
}
