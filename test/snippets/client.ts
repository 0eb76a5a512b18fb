import { connect } from '@holdfast/node';

const client = connect(process.argv[2] ?? 'ws://localhost:8080', {
  headers: () => ({ authorization: 'Bearer secret' }), // asked before every dial, so a token can be fresh
});
client.on('message', (data) => console.log(data));
client.on('close', ({ code, delay }) => console.log(`lost with ${code}, next dial in ${delay} ms`));
client.on('drop', ({ data, reason }) => console.log(`will not arrive: ${String(data)}, ${reason}`));

console.log(client.send('hello')); // 'sent', 'queued' or false
await client.flush(); // the server has it: proven by the reply to a ping behind it
