// A script of its own, whose end is what the test waits for: `life.ts <story> [url]`.

import { nodeAdapter } from '@holdfast/node';

const [story = '', url = ''] = process.argv.slice(2);
const adapter = nodeAdapter({ unref: story === 'waits unref' });
const dial = (events: { opened?(): void; closed?(): void } = {}) =>
  adapter.openSocket({ url, protocols: [] }, { opened() {}, message() {}, closed() {}, ...events });

switch (story) {
  case 'waits':
  case 'waits unref':
    adapter.wake(adapter.now() + 300, () => console.log('rung'));
    break;
  case 'closes': {
    const socket = dial({ opened: () => socket.close(1000, ''), closed: () => console.log('closed') });
    break;
  }
  case 'terminates in the closing handshake': {
    const socket = dial({
      opened() {
        socket.close(1000, ''); // which nobody answers, and ws would wait 30 s for it
        socket.terminate();
        console.log('terminated');
      },
    });
    break;
  }
  case 'gives up a dial': {
    const socket = dial();
    adapter.wake(adapter.now() + 50, () => {
      socket.terminate();
      console.log('given up');
    });
    break;
  }
}
