/** Puts an object that never ends, and says so when a good part of it must have reached the disk. */
const { Readable } = require('node:stream');
const { openObjectStore } = require('@mledger/object-store');

async function* endless() {
  for (let sentMiB = 0; ; sentMiB += 1) {
    yield Buffer.alloc(1024 * 1024, 1);
    if (sentMiB === 16) console.log('under way');
  }
}

async function main() {
  const config = { kind: 'disk', root: process.env.ROOT, presignSecret: Buffer.alloc(32, 1) };
  const store = await openObjectStore(config);
  await store.put('acme/crash/whole', Buffer.from('whole'));
  await store.put(process.env.KEY, Readable.from(endless(), { objectMode: false }));
}

main();
