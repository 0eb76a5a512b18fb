// How does an open socket end, and is that told as it was?

import { conformanceCase, type ConformanceCase } from './stage.ts';

/** RFC 6455 §5.5: what a reason can hold, in characters of one byte and of three. */
const LONGEST_REASON = 'x'.repeat(123);
const LONGEST_CHINESE = '汉'.repeat(41);

export const closingCases: readonly ConformanceCase[] = [
  ...[1000, 1001, 1003, 1008, 1011, 1012, 1013, 3000, 4000, 4401, 4999].map((code) =>
    serverCloses(`T26: the server's close ${code} is told with its code and reason, and is clean`, code, 'because'),
  ),
  serverCloses('T26: an empty reason stays empty', 4000, ''),
  serverCloses('T26: a reason of 123 bytes arrives whole', 4000, LONGEST_REASON),
  serverCloses('T26: a reason of 41 characters of three bytes arrives whole', 4000, LONGEST_CHINESE),
  serverCloses('T26: a reason that names a slot arrives to the letter', 1013, 'retry-after=12.345'),

  conformanceCase(
    'T26: a close without a code is 1005 and clean',
    async (stage) => {
      const close = await stage.dial('/close-nocode').closed();
      stage.equal([close.code, close.reason, close.wasClean], [1005, '', true], 'code, reason, clean');
    },
    ['close-details'],
  ),

  ...['/terminate', '/fin'].map((path) =>
    conformanceCase(
      `an end without a close frame is 1006 and not clean (${path})`,
      async (stage) => {
        const subject = await stage.open(path);
        subject.socket.send('go');
        const close = await subject.closed();
        stage.equal([close.code, close.reason, close.wasClean], [1006, '', false], 'code, reason, clean');
      },
      ['close-details'],
    ),
  ),

  weClose('close() completes the closing handshake', 1000, ''),
  weClose('close() with the lowest code of an application', 3000, 'done'),
  weClose('close() with the highest code of an application', 4999, 'done'),
  weClose('close() with a reason of 123 bytes', 4000, LONGEST_REASON),
  weClose('close() with a reason of 41 characters of three bytes', 4000, LONGEST_CHINESE),

  conformanceCase('close() twice is one close', async (stage) => {
    const subject = await stage.open('/echo');
    subject.socket.close(1000, '');
    subject.socket.close(1000, '');
    await subject.closed();
    await stage.quiet();
    stage.equal(subject.count('closed'), 1, 'closed once');
  }),

  conformanceCase('close() from inside opened is one close', async (stage) => {
    const subject = stage.dial('/echo', { opened: ({ socket }) => socket.close(1000, '') });
    await subject.closed();
    stage.equal(subject.count('opened'), 1, 'opened');
  }),

  conformanceCase('close() from inside message is one close', async (stage) => {
    const subject = stage.dial('/greet', { message: ({ socket }) => socket.close(1000, '') });
    await subject.closed();
    stage.equal(subject.count('message'), 1, 'the greeting');
  }),

  conformanceCase('close() while the server closes too is one close', async (stage) => {
    const subject = stage.dial('/close/4000?reason=first', { opened: ({ socket }) => socket.close(1000, '') });
    await subject.closed();
    await stage.quiet();
    stage.equal(subject.count('closed'), 1, 'closed once');
  }),

  ...['/echo', '/hang'].map((path) =>
    conformanceCase(`T24: close() while dialling is one abnormal close, never opened (${path})`, async (stage) => {
      const subject = stage.dial(path);
      subject.socket.close(1000, '');
      const close = await subject.closed();
      stage.equal([subject.count('opened'), close.wasClean], [0, false], 'never opened, not clean');
    }),
  ),

  conformanceCase('close() and terminate() after closed do nothing', async (stage) => {
    const subject = stage.dial('/close/4000');
    await subject.closed();
    subject.socket.close(1000, '');
    subject.socket.terminate();
    subject.socket.terminate();
    await stage.quiet();
    stage.equal(subject.count('closed'), 1, 'closed once');
  }),

  conformanceCase('close() and terminate() from inside closed do nothing', async (stage) => {
    const subject = stage.dial('/close/4000', {
      closed({ socket }) {
        socket.close(1000, '');
        socket.terminate();
      },
    });
    await subject.closed();
    await stage.quiet();
    stage.equal(subject.count('closed'), 1, 'closed once');
  }),

  conformanceCase('dialling anew from inside closed works', async (stage) => {
    const again = await new Promise<ReturnType<typeof stage.dial>>((resolve) => {
      stage.dial('/close/4000', { closed: () => resolve(stage.dial('/echo')) });
    });
    await again.opened();
    again.socket.send('hello');
    stage.equal(await again.messages(1), ['hello'], 'the echo');
  }),
];

function serverCloses(name: string, code: number, reason: string): ConformanceCase {
  return conformanceCase(
    name,
    async (stage) => {
      const subject = stage.dial(`/close/${code}?reason=${encodeURIComponent(reason)}`);
      const close = await subject.closed();
      stage.equal([close.code, close.reason, close.wasClean], [code, reason, true], 'code, reason, clean');
      stage.equal(subject.count('opened'), 1, 'it had been open');
    },
    ['close-details'],
  );
}

/** The fault server answers with the code and the reason that it was given, as RFC 6455 §5.5.1 suggests. */
function weClose(name: string, code: number, reason: string): ConformanceCase {
  return conformanceCase(
    name,
    async (stage) => {
      const subject = await stage.open('/echo');
      subject.socket.close(code, reason);
      const close = await subject.closed();
      stage.equal([close.code, close.reason, close.wasClean], [code, reason, true], 'code, reason, clean');
    },
    ['close-details'],
  );
}
