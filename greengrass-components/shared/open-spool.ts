import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail } from './component.ts';
import { Spool } from './spool.ts';

/** The spool of the device. The runtime makes its folder; on a new device it may come up a moment later. */
export const openSpool = async (stateDir: string): Promise<Spool> => {
  const path = join(stateDir, 'spool.db');
  for (let i = 0; !existsSync(path); i++) {
    if (i === 120) fail(`${path} did not appear within 60 s: is the runtime component deployed?`);
    await sleep(500);
  }
  return new Spool(path);
};
