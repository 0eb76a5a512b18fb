import { connect } from '@holdfast/uniapp'; // on uni.connectSocket: H5, App and mini-programs

const client = connect('wss://example.com/live', {
  // the token goes first, since H5 loses headers and some hosts subprotocols
  handshake: async ({ send, next }) => {
    send(JSON.stringify({ token: await login() }));
    await next();
  },
});
client.on('status', (status) => console.log(status)); // 'suspended' while a mini-program is hidden
client.on('message', (data) => console.log(data));
client.send('hello'); // 'queued' until the handshake is done

declare function login(): Promise<string>; // yours
