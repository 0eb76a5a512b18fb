// `node try.mjs URL CERTIFICATE [ORIGIN]`: one visit to the server of this folder.

import { readFileSync } from 'node:fs';
import { connect } from '@holdfast/node';

const [url, certificate, origin] = process.argv.slice(2);
if (!url || !certificate) throw new Error('usage: node try.mjs URL CERTIFICATE [ORIGIN]');

const client = connect(url, {
  tls: { ca: readFileSync(certificate) },
  ...(origin && { headers: { Origin: origin } }),
});
client.on('open', () => console.log('open'));
client.on('message', (data) => {
  console.log(`echo: ${String(data)}`);
  void client.close();
});
client.on('close', ({ code, status }) => console.log(status ? `refused with HTTP ${status}` : `closed with ${code}`));
client.on('end', ({ reason }) => console.log(`ended: ${reason}`));
client.send('hello');
