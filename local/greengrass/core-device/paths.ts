import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_SOCKET_PATH_BYTES } from '../ipc/start-ipc.ts';

/** A unix socket in the device's root, or, when that path is too long, in the temporary folder under a name made from it. */
export const socketPathIn = (root: string, name: string): string => {
  const path = join(root, name);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return path;
  return join(tmpdir(), `mw-${createHash('sha256').update(path).digest('hex').slice(0, 16)}.sock`);
};

export const CONTROL_SOCKET = 'control.socket';
