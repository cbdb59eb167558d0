import { rmSync } from 'node:fs';

export default async function stopSharedS3() {
  if (!globalThis.mledgerTestS3) return;
  await globalThis.mledgerTestS3.server.stop();
  rmSync(globalThis.mledgerTestS3.dataFolder, { recursive: true, force: true });
}
