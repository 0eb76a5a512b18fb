// What does an app do with a client, in every runtime alike? Each scenario returns what it saw, as plain data; whoever
// runs it knows what it should have seen.
//
// Written for the poorest realm: nothing of a browser, no `globalThis`, and no adapter given. The client finds
// `uni.connectSocket` by itself, as it has to when it is an installed dependency.

import { connect, isHoldfastError } from '@holdfast/uniapp';

/**
 * @param name of a scenario below
 * @param host `url(path)`, `refusedUrl`, `hide()`, `show()`, `pause(ms)`, and perhaps `connectSocket` where there is no
 *   uni-app
 */
export function run(name, host) {
  if (!Object.keys(scenarios).includes(name)) return Promise.reject(new Error(`no scenario is called ${name}`));
  return scenarios[name](host);
}

const QUICK = { initialDelay: 20, maxDelay: 50, stableAfter: 1000 };

const scenarios = {
  /** What was sent before there was a socket arrives once, and an empty text is a message. */
  text(host) {
    const visit = begin(host, '/echo?text');
    const sent = visit.client.send('before');
    return visit
      .next('message')
      .then(() => {
        visit.client.send('');
        return visit.next('message');
      })
      .then(() => visit.finish({ sent }));
  },

  binary(host) {
    const visit = begin(host, '/echo?binary');
    return visit
      .next('open')
      .then(() => {
        visit.client.send(Uint8Array.of(0, 1, 254, 255));
        visit.client.send(Uint8Array.of(7).buffer);
        visit.client.send(new Uint8Array(0));
        return visit.next('message', 3);
      })
      .then(() => visit.finish());
  },

  /** A slice sends the slice. */
  view(host) {
    const visit = begin(host, '/echo?view');
    const whole = Uint8Array.of(1, 2, 3, 4);
    return visit
      .next('open')
      .then(() => {
        visit.client.send(whole.subarray(1, 3));
        visit.client.send(new DataView(whole.buffer, 3, 1));
        whole.fill(9);
        return visit.next('message', 2);
      })
      .then(() => visit.finish());
  },

  /** The greeting comes right behind the upgrade's answer. */
  greeting(host) {
    const visit = begin(host, '/greet?greeting');
    return visit.next('message').then(() => visit.finish());
  },

  pingPong(host) {
    const visit = begin(host, '/echo?pingPong', { heartbeat: { interval: 50, timeout: 5000, reply: 'ping' } });
    return visit.next('pong', 3).then(() => visit.finish());
  },

  /** A peer that has answered and then falls silent is given up, and dialled again. */
  silence(host) {
    const visit = begin(host, '/silent?silence', {
      heartbeat: { interval: 100, timeout: 200, expectReply: true },
      reconnect: QUICK,
    });
    return visit.next('open', 2).then(() => visit.finish());
  },

  close4000(host) {
    const visit = begin(host, '/close/4000?reason=enough', { reconnect: false });
    return visit.next('end').then(() => visit.finish());
  },

  refused(host) {
    const visit = begin(host, host.refusedUrl, { reconnect: false });
    return visit.next('end').then(() => visit.finish());
  },

  forbidden(host) {
    const visit = begin(host, '/status/403', { reconnect: false });
    return visit.next('end').then(() => visit.finish());
  },

  /** The server takes the connection and never answers. */
  hang(host) {
    const visit = begin(host, '/hang?hang', { reconnect: false, connectTimeout: 300 });
    return visit.next('end').then(() => visit.finish());
  },

  /** A failed dial is one failed attempt, not two and not none. */
  refusedAgain(host) {
    const visit = begin(host, host.refusedUrl, {
      reconnect: { initialDelay: 20, maxDelay: 20, jitter: 'none', maxAttempts: 2 },
    });
    return visit.next('end').then(() => visit.finish());
  },

  closeConnecting(host) {
    const visit = begin(host, '/hang?closeConnecting');
    const closed = visit.client.close(4001, 'changed my mind');
    const { status } = visit.client;
    return closed.then(() => visit.finish({ status }));
  },

  closeWhileDialling(host) {
    const visit = begin(host, '/hang?closeWhileDialling');
    return host
      .pause(200)
      .then(() => visit.client.close(4001, 'changed my mind'))
      .then(() => visit.finish());
  },

  closeOurs(host) {
    const visit = begin(host, '/echo?closeOurs');
    return visit
      .next('open')
      .then(() => visit.client.close(4002, 'done'))
      .then(() => {
        const afterwards = visit.client.send('too late');
        return visit.finish({ afterwards });
      });
  },

  /** 41 characters of three bytes are 123 bytes; the 42nd has no room. */
  longReason(host) {
    const visit = begin(host, '/echo?longReason');
    return visit
      .next('open')
      .then(() => visit.client.close(4003, new Array(101).join('久')))
      .then(() => visit.finish());
  },

  badUrl(host) {
    const codes = ['', 'ws://', 'ftp://example.com/', 'ws://127.0.0.1:99999/', 'ws://127.0.0.1/#fragment'].map(
      (url) => {
        try {
          connect(url, optionsFor(host, {}));
          return 'taken';
        } catch (error) {
          return isHoldfastError(error) ? error.code : String(error);
        }
      },
    );
    return Promise.resolve({ codes });
  },

  badData(host) {
    const visit = begin(host, '/echo?badData');
    return visit.next('open').then(() => {
      const codes = [1, {}, null].map((data) => {
        try {
          visit.client.send(data);
          return 'taken';
        } catch (error) {
          return isHoldfastError(error) ? error.code : String(error);
        }
      });
      return visit.finish({ codes });
    });
  },

  /** The server destroys the connection at the first message. */
  kill(host) {
    const visit = begin(host, '/terminate?kill', { reconnect: QUICK });
    return visit
      .next('open')
      .then(() => {
        visit.client.send('now');
        return visit.next('open', 2);
      })
      .then(() => visit.finish());
  },

  hideAndShow(host) {
    const visit = begin(host, '/echo?hideAndShow', {
      heartbeat: { interval: 30000, timeout: 800, reply: 'ping', expectReply: true },
      reconnect: QUICK,
    });
    let hidden;
    return visit
      .next('open')
      .then(() => {
        host.hide();
        return host.pause(6000);
      })
      .then(() => {
        hidden = visit.client.status;
        const since = Date.now();
        host.show();
        return visit
          .until((count) => count('pong') > 0 || count('open') > 1, 'sign of life')
          .then(() => {
            visit.client.send('still here');
            return visit.next('message');
          })
          .then(() => visit.finish({ hidden, took: Date.now() - since }));
      });
  },

  /** Dialled in one millisecond, where uni-app's App takes the time for a socket's number. */
  two(host) {
    const first = begin(host, '/echo?two=1');
    const second = begin(host, '/echo?two=2');
    first.client.send('first');
    second.client.send('second');
    return Promise.all([first.next('message'), second.next('message')])
      .then(() => Promise.all([first.finish(), second.finish()]))
      .then(([one, other]) => ({ first: one, second: other }));
  },

  /** Ten forced redials, each while the one before is on its way. */
  storm(host) {
    const visit = begin(host, '/echo?storm', { reconnect: QUICK });
    let left = 10;
    const again = () => {
      left -= 1;
      if (left < 0) return Promise.resolve();
      visit.client.reconnect();
      return visit.client.opened().then(again);
    };
    return visit
      .next('open')
      .then(again)
      .then(() => {
        visit.client.send('still here');
        return visit.next('message');
      })
      .then(() => visit.finish());
  },

  /** One listener throws; the others, the state and the socket are none the worse. */
  thrower(host) {
    const visit = begin(host, '/echo?thrower');
    const { client } = visit;
    const throws = () => {
      throw new Error('from a listener');
    };
    client.on('open', throws).on('message', throws);
    client.send('one');
    client.send('two');
    return visit.next('message', 2).then(() => {
      client.off('open', throws).off('message', throws);
      return visit.finish();
    });
  },

  /** The app has an interceptor, and it takes its time: uni-app then returns a promise instead of a task. */
  interceptor(host) {
    uni.addInterceptor('connectSocket', { invoke: (options) => Promise.resolve(options) });
    const visit = begin(host, '/echo?interceptor');
    visit.client.send('through');
    return visit.next('message').then(
      () => (uni.removeInterceptor('connectSocket'), visit.finish()),
      (error) => {
        uni.removeInterceptor('connectSocket');
        throw error;
      },
    );
  },

  /** The app's interceptor says no: uni-app then calls nobody back. */
  veto(host) {
    uni.addInterceptor('connectSocket', { invoke: () => false });
    const visit = begin(host, '/echo?veto', { reconnect: false });
    return visit.next('end').then(
      () => (uni.removeInterceptor('connectSocket'), visit.finish()),
      (error) => {
        uni.removeInterceptor('connectSocket');
        throw error;
      },
    );
  },
};

function optionsFor(host, options) {
  return host.connectSocket ? Object.assign({ connectSocket: host.connectSocket }, options) : options;
}

/** Longer than anything here may take; what is awaited and does not come is told by name. */
const PATIENCE = 9000;

/** A client, and all that it tells, in order. */
function begin(host, path, options = {}) {
  const client = connect(path.charAt(0) === '/' ? host.url(path) : path, optionsFor(host, options));
  const told = [];
  const asked = {};
  let waiting = [];

  const tell = (event, value) => {
    told.push([event, value]);
    waiting = waiting.filter((look) => !look());
  };
  client.on('open', ({ reconnected }) => tell('open', reconnected));
  client.on('message', (data) => tell('message', describe(data)));
  client.on('pong', (roundTrip) => tell('pong', roundTrip >= 0));
  client.on('close', ({ code, reason, asked, opened, willReconnect, cause }) =>
    tell('close', { code, reason, asked, opened, willReconnect, cause: causeOf(cause) }),
  );
  client.on('drop', ({ reason }) => tell('drop', reason));
  client.on('error', ({ code }) => tell('error', code));
  client.on('end', ({ reason }) => tell('end', reason));

  const count = (event) => told.filter(([name]) => name === event).length;

  const until = (test, what) =>
    new Promise((resolve, reject) => {
      const look = () => {
        if (!test(count)) return false;
        clearTimeout(timer);
        resolve();
        return true;
      };
      const timer = setTimeout(() => reject(new Error(`no ${what}; told: ${JSON.stringify(told)}`)), PATIENCE);
      if (!look()) waiting.push(look);
    });

  return {
    client,
    until,
    /** Resolves once this event was told so many times; without a number, once more than the scenario has asked for. */
    next(event, times = (asked[event] || 0) + 1) {
      asked[event] = times;
      return until(() => count(event) >= times, `${event} number ${times}`);
    },
    /** Ends the client and gives all that was told, sorted by event. */
    finish(more) {
      return client.close().then(() => {
        const facts = { open: [], message: [], pong: [], close: [], drop: [], error: [], end: [] };
        told.forEach(([event, value]) => facts[event].push(value));
        return Object.assign(facts, more);
      });
    },
  };
}

/** Plain data, and the tag, since a value of another realm fails `instanceof`. */
function describe(data) {
  return typeof data === 'string' ? data : { tag: Object.prototype.toString.call(data), bytes: Array.from(data) };
}

function causeOf(cause) {
  if (cause === undefined || cause === null) return '';
  return String(cause.errMsg || cause.message || Object.prototype.toString.call(cause));
}
