import { describe, expect, it } from 'vitest';
import { DEFAULTS, type CloseInfo } from '@holdfast/core';
import { verdictOn, type Loss, type RetryPolicy } from '../src/retry.ts';

const { initialDelay, maxDelay, factor, jitter } = DEFAULTS.reconnect;
const POLICY: RetryPolicy = { initialDelay, maxDelay, factor, jitter, maxAttempts: Infinity, canHeal: false };
const HALF = 0.5;
const USUAL = HALF * initialDelay;
const LONGEST = HALF * maxDelay;

const byCode = (code: number, reason = ''): CloseInfo => ({ code, reason, wasClean: true });
const byStatus = (status: number, retryAfter?: number): CloseInfo => ({
  code: 1006,
  reason: '',
  wasClean: false,
  status,
  retryAfter,
});
const loss = (close: CloseInfo, more: Partial<Loss> = {}): Loss => ({
  close,
  attempt: 1,
  atOnce: false,
  forgiven: false,
  healed: false,
  ...more,
});
const judge = (close: CloseInfo, more: Partial<Loss> = {}, policy: Partial<RetryPolicy> = {}) =>
  verdictOn(loss(close, more), { ...POLICY, ...policy }, HALF);

const END = { name: 'end', why: 'refused' };
const redial = (delay: number, more: object = {}) => ({
  name: 'redial',
  delay,
  askedByServer: false,
  healed: false,
  ...more,
});

describe('what a close code means', () => {
  const USUALLY = [
    1000, 1001, 1004, 1005, 1006, 1011, 1012, 1013, 1014, 1015, 3000, 3999, 4000, 4399, 4408, 4425, 4429,
  ];
  const LATE = [1002, 1003, 1007, 1009, 1010, 4804];
  const NEVER = Array.from({ length: 100 }, (_, i) => 4400 + i).filter((code) => ![4408, 4425, 4429].includes(code));

  it.each([...USUALLY, 4500, 4803, 4805, 4999, 0])('T20: %i is dialled again after the usual wait', (code) => {
    expect(judge(byCode(code))).toEqual(redial(USUAL));
  });

  it.each(LATE)('T20: %i is dialled again after the longest wait at once', (code) => {
    expect(judge(byCode(code))).toEqual(redial(LONGEST));
  });

  it.each([1008, ...NEVER])('T20: %i ends the client as refused', (code) => {
    expect(judge(byCode(code))).toEqual(END);
  });

  it.each([1008, 4401, 4403])('T21: %i with fresh credentials at hand gets one more attempt, and no second', (code) => {
    expect(judge(byCode(code), {}, { canHeal: true })).toEqual(redial(USUAL, { healed: true }));
    expect(judge(byCode(code), { healed: true, attempt: 2 }, { canHeal: true })).toEqual(END);
  });

  it.each(NEVER.filter((code) => code !== 4401 && code !== 4403))('T21: %i is not healed by credentials', (code) => {
    expect(judge(byCode(code), {}, { canHeal: true })).toEqual(END);
  });

  it('T21: a healing that was used up is remembered through other failures', () => {
    expect(judge(byCode(1006), { healed: true })).toEqual(redial(USUAL, { healed: true }));
  });
});

describe('what an HTTP status means', () => {
  it.each([401, 403])('T20: %i ends the client, or is healed once', (status) => {
    expect(judge(byStatus(status))).toEqual(END);
    expect(judge(byStatus(status), {}, { canHeal: true })).toEqual(redial(USUAL, { healed: true }));
    expect(judge(byStatus(status), { healed: true }, { canHeal: true })).toEqual(END);
  });

  it.each([400, 404, 410, 426])('T20: %i is dialled again after the longest wait at once', (status) => {
    expect(judge(byStatus(status))).toEqual(redial(LONGEST));
  });

  it.each([200, 301, 307, 402, 405, 408, 418, 425, 429, 500, 502, 503, 504])(
    'T20: %i is dialled again after the usual wait',
    (status) => {
      expect(judge(byStatus(status))).toEqual(redial(USUAL));
    },
  );

  it('the status has the word, not the code that the platform made of it', () => {
    expect(judge({ ...byStatus(503), code: 4400 })).toEqual(redial(USUAL));
  });
});

describe('what the server asks for', () => {
  it.each([1012, 1013, 4429])('on %i, whole seconds are spread over one more', (code) => {
    const asked = { askedByServer: true };
    expect(judge(byCode(code, 'retry-after=7'))).toEqual(redial(7_500, asked));
    expect(judge(byCode(code, 'retry-after=0'))).toEqual(redial(500, asked));
  });

  it.each([1012, 1013, 4429])('on %i, a decimal slot is kept exactly', (code) => {
    const asked = { askedByServer: true };
    expect(judge(byCode(code, 'retry-after=7.250'))).toEqual(redial(7_250, asked));
    expect(judge(byCode(code, 'retry-after=0.001'))).toEqual(redial(1, asked));
    expect(judge(byCode(code, 'retry-after=3.0'))).toEqual(redial(3_000, asked));
  });

  it.each([
    '',
    'retry-after',
    'retry-after=',
    'retry-after=-1',
    'retry-after=+1',
    'retry-after= 1',
    'retry-after=1 ',
    'retry-after=1e3',
    'retry-after=0x10',
    'retry-after=1.',
    'retry-after=.5',
    'retry-after=1.2345',
    'retry-after=1,5',
    'retry-after=1.5.5',
    'retry-after=NaN',
    'retry-after=Infinity',
    'retry-after=9999999999',
    'Retry-After=5',
    'retry-after: 5',
    'please retry-after=5',
    'retry-after=5\n',
    'retry-after=٥',
  ])('%j is not such a wish, and the usual wait holds', (reason) => {
    expect(judge(byCode(1013, reason))).toEqual(redial(USUAL));
  });

  it.each([1000, 1001, 1006, 4000, 4408])('on %i nothing is asked for', (code) => {
    expect(judge(byCode(code, 'retry-after=7'))).toEqual(redial(USUAL));
  });

  it('Retry-After of a refused upgrade is obeyed and spread, and capped at one hour', () => {
    expect(judge(byStatus(503, 20))).toEqual(redial(20_500, { askedByServer: true }));
    expect(judge(byStatus(404, 0))).toEqual(redial(500, { askedByServer: true }));
    expect(judge(byStatus(503, 86_400))).toEqual(redial(3_600_000, { askedByServer: true }));
    expect(judge(byCode(1013, 'retry-after=999999999.999'))).toEqual(redial(3_600_000, { askedByServer: true }));
  });

  it('who is refused does not come back, whatever else was asked', () => {
    expect(judge(byStatus(401, 5))).toEqual(END);
  });
});

describe('shouldReconnect has the last word', () => {
  const answers = (answer: boolean | number | undefined): Partial<RetryPolicy> => ({ shouldReconnect: () => answer });

  it.each([
    ['false ends what would be dialled again', 1006, false, END],
    ['true dials again what would end', 4400, true, redial(USUAL)],
    ['true changes nothing about the wait', 1009, true, redial(LONGEST)],
    ['a number is the wait', 1006, 42, redial(42)],
    ['a number dials again what would end', 1008, 0, redial(0)],
    ['undefined leaves it to the rules: redial', 1006, undefined, redial(USUAL)],
    ['undefined leaves it to the rules: end', 4404, undefined, END],
  ] as const)('T20: %s', (_name, code, answer, verdict) => {
    expect(judge(byCode(code), {}, answers(answer))).toEqual(verdict);
  });

  it('a number also replaces what the server asked for', () => {
    expect(judge(byCode(1013, 'retry-after=60'), {}, answers(42))).toEqual(redial(42));
  });

  it('true keeps what the server asked for', () => {
    expect(judge(byCode(1013, 'retry-after=60.000'), {}, answers(true))).toEqual(
      redial(60_000, { askedByServer: true }),
    );
  });

  it('sees the close and the number of the redial', () => {
    const seen: unknown[] = [];
    const shouldReconnect = (...args: unknown[]): undefined => void seen.push(args);
    judge(byCode(1006), { attempt: 4 }, { shouldReconnect });
    expect(seen).toEqual([[byCode(1006), 4]]);
  });

  it('T22: maxAttempts holds also against true', () => {
    const policy = { maxAttempts: 2, ...answers(true) };
    expect(judge(byCode(1006), { attempt: 2 }, policy)).toMatchObject({ name: 'redial' });
    expect(judge(byCode(1006), { attempt: 3 }, policy)).toEqual({ name: 'end', why: 'exhausted' });
  });
});

describe('the wait', () => {
  it('T1: there is none after the verdict of a heartbeat on a stable socket', () => {
    expect(judge(byCode(1006), { atOnce: true })).toEqual(redial(0));
  });

  it('a dislike of our ping says nothing about the client', () => {
    expect(judge(byCode(4400), { forgiven: true })).toEqual(redial(USUAL));
    expect(judge(byCode(4401), { forgiven: true }, { canHeal: true })).toEqual(redial(USUAL));
  });

  it('T22: no redial is left when reconnecting is turned off', () => {
    expect(judge(byCode(1006), {}, { maxAttempts: 0 })).toEqual({ name: 'end', why: 'exhausted' });
  });
});
