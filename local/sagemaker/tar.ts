import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

const BLOCK = 512;

/** Files below a folder, paths relative to it with `/`, in one fixed order. Links are followed. */
export const filesBelow = async (folder: string, below = ''): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const name of (await readdir(join(folder, below))).sort()) {
    const path = below === '' ? name : `${below}/${name}`;
    const info = await stat(join(folder, path));
    if (info.isDirectory()) found.push(...(await filesBelow(folder, path)));
    else if (info.isFile()) found.push(path);
  }
  return found;
};

const header = (name: string, size: number, type: '0' | 'x'): Buffer => {
  const block = Buffer.alloc(BLOCK);
  const put = (text: string, at: number): void => void block.write(text, at, 'utf8');
  const octal = (value: number, width: number): string => value.toString(8).padStart(width - 1, '0');
  put(name, 0);
  put(octal(0o644, 8), 100);
  put(octal(0, 8), 108);
  put(octal(0, 8), 116);
  put(octal(size, 12), 124);
  put(octal(0, 12), 136);
  put('        ', 148);
  put(type, 156);
  put('ustar', 257);
  put('00', 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${octal(sum, 7)}\0 `, 148);
  return block;
};

const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

/** A pax record counts its own length, digits of the count included. */
const paxRecord = (path: string): Buffer => {
  const rest = ` path=${path}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + 1;
  while (`${length}`.length + bytes !== length) length = `${length}`.length + bytes;
  return Buffer.from(`${length}${rest}`);
};

async function* entries(folder: string, files: readonly string[]): AsyncGenerator<Buffer> {
  for (const file of files) {
    const { size } = await stat(join(folder, file));
    if (Buffer.byteLength(file) > 100) {
      const record = paxRecord(file);
      yield header('pax', record.length, 'x');
      yield record;
      yield padding(record.length);
    }
    yield header(file.slice(-100), size, '0');
    let sent = 0;
    for await (const chunk of createReadStream(join(folder, file))) {
      sent += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
    if (sent !== size) throw new Error(`${file} changed from ${size} to ${sent} bytes while it was packed`);
    yield padding(size);
  }
  yield Buffer.alloc(BLOCK * 2);
}

/** Packs the files below a folder as tar.gz; the same files give the same bytes (no times, no owners, sorted). */
export const packTarGz = async (folder: string, target: string): Promise<void> => {
  const files = await filesBelow(folder);
  await pipeline(Readable.from(entries(folder, files)), createGzip(), createWriteStream(target));
};
