// Is a socket that was terminated silent, whatever the platform still delivers?
//
// That nothing is told afterwards is checked at the end of every case; here terminate() comes at every bad moment.

import { conformanceCase, type ConformanceCase } from './stage.ts';

export const silenceCases: readonly ConformanceCase[] = [
  ...['/echo', '/hang', '/drop', '/status/403', '/greet', '/close/4000'].map((path) =>
    conformanceCase(`T10: terminate() in the tick of the dial is silence (${path})`, async (stage) => {
      const subject = stage.dial(path);
      subject.terminate();
      await stage.after(60);
      stage.equal(subject.told.length, 1, 'nothing but our own call');
    }),
  ),

  conformanceCase('T13: terminate() before a failed start is told is silence', async (stage) => {
    const subject = stage.dial({ url: stage.url('/echo'), protocols: ['not a token'] });
    subject.terminate();
    await stage.quiet();
    stage.equal(subject.told.length, 1, 'nothing but our own call');
  }),

  conformanceCase('terminate() of a refused dial is silence', async (stage) => {
    const subject = stage.dial({ url: stage.refusedUrl, protocols: [] });
    subject.terminate();
    await stage.after(60);
    stage.equal(subject.told.length, 1, 'nothing but our own call');
  }),

  conformanceCase('T10: terminate() of a dial that hangs is silence', async (stage) => {
    const subject = stage.dial('/hang');
    await stage.after(60); // the request has been sent, and nothing else happens
    subject.terminate();
    await stage.after(60);
    stage.equal(subject.told.length, 1, 'nothing but our own call');
  }),

  conformanceCase('T2: terminate() is silence though the server goes on sending', async (stage) => {
    const subject = stage.dial('/ticker');
    await subject.messages(3);
    subject.terminate();
    const told = subject.told.length;
    await stage.after(60); // 30 ticks
    stage.equal(subject.told.length, told, 'not a tick more');
  }),

  conformanceCase('terminate() from inside opened is silence, though a greeting is there already', async (stage) => {
    const subject = stage.dial('/greet/5', { opened: (self) => self.terminate() });
    await subject.opened();
    await stage.after(60);
    stage.equal(subject.count('message'), 0, 'no greeting');
  }),

  conformanceCase('terminate() from inside message is silence, though more has arrived already', async (stage) => {
    const subject = stage.dial('/greet/10', { message: (self) => self.terminate() });
    await subject.messages(1);
    await stage.after(60);
    stage.equal(subject.count('message'), 1, 'one greeting of ten');
  }),

  conformanceCase('terminate() in the middle of the closing handshake is silence', async (stage) => {
    const subject = await stage.open('/echo');
    subject.socket.close(1000, '');
    subject.terminate();
    await stage.after(60);
    stage.equal(subject.count('closed'), 0, 'not even a close');
  }),

  conformanceCase('T27: terminate() ends a closing handshake that the server does not answer', async (stage) => {
    const subject = await stage.open('/frozen?for=100');
    subject.socket.close(1000, '');
    await stage.quiet();
    subject.terminate();
    await stage.after(150); // by then the server has answered
    stage.equal(subject.count('closed'), 0, 'not even a close');
  }),

  conformanceCase('terminate() twice is once', async (stage) => {
    const subject = await stage.open('/echo');
    subject.terminate();
    subject.terminate();
    await stage.quiet();
    stage.equal(subject.told.length, 2, 'opened, and our own call');
  }),

  conformanceCase('close() and ping() after terminate() do nothing, and throw nothing', async (stage) => {
    const subject = await stage.open('/echo');
    subject.terminate();
    subject.socket.close(1000, '');
    subject.socket.ping?.(Uint8Array.of(1));
    await stage.quiet();
    stage.equal(subject.told.length, 2, 'opened, and our own call');
  }),

  conformanceCase('T1: after terminate() the next socket opens at once', async (stage) => {
    const old = await stage.open('/ticker');
    old.terminate();
    const next = await stage.open('/echo');
    next.socket.send('hello');
    stage.equal(await next.messages(1), ['hello'], 'the echo, and no tick');
  }),

  conformanceCase(
    'T15: ten sockets that are terminated one after the other leave the eleventh alone',
    async (stage) => {
      for (let i = 0; i < 10; i++) stage.dial('/greet').terminate();
      const last = await stage.open('/echo');
      last.socket.send('hello');
      stage.equal(await last.messages(1), ['hello'], 'the echo');
    },
  ),
];
