import { statfsSync } from 'node:fs';
import { StartError } from './errors.ts';

const DISK_GIB = 3;
/** Below this the plant stops while it can still save itself whole. */
const FULL_MIB = 256;

const freeBytesOf = (folder: string): number => {
  const s = statfsSync(folder);
  return s.bavail * s.bsize;
};

/** @throws {StartError} when the disk under a running plant is all but full. */
export const checkDiskLeft = (folder: string, freeBytes = freeBytesOf(folder)): void => {
  if (freeBytes < FULL_MIB * 2 ** 20)
    throw new StartError(
      `the disk is full: ${(freeBytes / 2 ** 20).toFixed(0)} MiB are left on the disk of ${folder}`,
      'free some space, then start again: the plant goes on where it was',
    );
};

/** @throws {StartError} when less than 3 GiB are free where state is kept. */
export const checkDisk = (folder: string, freeBytes = freeBytesOf(folder)): void => {
  if (freeBytes < DISK_GIB * 2 ** 30)
    throw new StartError(
      `only ${(freeBytes / 2 ** 30).toFixed(1)} GiB are free on the disk of ${folder}; the local plant needs ${DISK_GIB}`,
      'free some space, or choose another disk with --state-dir',
    );
};
