import { createHash, verify } from 'node:crypto';
import {
  closeSync,
  cpSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { BenchResult } from '#core/contracts/device.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { Digest, Instant, ModelLineId } from '#core/contracts/primitives.ts';
import type { PackageClaim } from '#core/inference/verify-package.ts';

/** What serves, durable: a device that starts without a network goes on with it. */
export const Serving = z.strictObject({
  packageDigest: Digest,
  variant: z.enum(['fp32', 'int8']),
  releaseNumber: z.int().positive(),
  adoptedAt: Instant,
  bench: z.array(BenchResult),
  /** Folder it was adopted from: artifacts of its weights component, which the nucleus keeps. Unknown to older stores. */
  source: z.string().default(''),
});
export type Serving = z.infer<typeof Serving>;

export const StoreState = z.strictObject({
  serving: Serving.nullable(),
  /** The last good one before it. */
  previous: Serving.nullable(),
  /** Of each model line: a device may be given to another line, whose numbers are its own. */
  highestRelease: z.record(ModelLineId, z.int().nonnegative()),
});
export type StoreState = z.infer<typeof StoreState>;

const NOTHING: StoreState = { serving: null, previous: null, highestRelease: {} };
/** A package is a handful of small files; more is a mistake or an attack. */
const MAX_FILES = 32;
const FOLDER = /^[0-9a-f]{64}$/;

const syncPath = (path: string): void => {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
};

/** Files of packages on the device, and which of them serves. Nothing here is changed in place. */
export class PackageStore {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
    // Left by a process that was killed while it copied.
    for (const name of readdirSync(dir)) if (name.startsWith('tmp-')) rmSync(join(dir, name), { recursive: true });
  }

  path(digest: string): string {
    return join(this.#dir, digest.replace('sha256:', ''));
  }

  #read(): { readonly state: StoreState; readonly problem: string | null } {
    const path = join(this.#dir, 'serving.json');
    if (!existsSync(path)) return { state: NOTHING, problem: null };
    try {
      return { state: parseAs(StoreState, JSON.parse(readFileSync(path, 'utf8')), 'serving.json'), problem: null };
    } catch (error) {
      return { state: NOTHING, problem: (error as Error).message };
    }
  }

  /** @returns what serves; nothing when that is not on record. */
  state(): StoreState {
    return this.#read().state;
  }

  /** Why the record of what serves cannot be read, for example because an older runtime wrote it; null when it can. */
  problem(): string | null {
    return this.#read().problem;
  }

  /** Packages that are here, by digest, the newest release first; what they are is still to be verified. */
  remains(): string[] {
    const releaseOf = (name: string): number => {
      const n = (json(join(this.#dir, name, 'manifest.json')) as { releaseNumber?: unknown } | null)?.releaseNumber;
      return typeof n === 'number' ? n : 0;
    };
    return readdirSync(this.#dir)
      .filter((name) => FOLDER.test(name))
      .sort((a, b) => releaseOf(b) - releaseOf(a))
      .map((name) => `sha256:${name}`);
  }

  setState(state: StoreState): void {
    const path = join(this.#dir, 'serving.json');
    writeFileSync(`${path}.new`, JSON.stringify(state), { flush: true });
    renameSync(`${path}.new`, path);
    syncPath(this.#dir);
    const wanted = new Set(
      [state.serving, state.previous].flatMap((s) => (s === null ? [] : [this.path(s.packageDigest)])),
    );
    for (const name of readdirSync(this.#dir)) {
      const found = join(this.#dir, name);
      if (FOLDER.test(name) && !wanted.has(found)) rmSync(found, { recursive: true });
    }
  }

  /**
   * Copies a package in, under a temporary name: what is verified afterwards is the copy.
   * @throws {Error} when the folder cannot be read, or has too many files.
   */
  stage(from: string, chance: string): string {
    const names = readdirSync(from);
    if (names.length > MAX_FILES)
      throw new Error(`${from} has ${names.length} entries; a package has at most ${MAX_FILES} files`);
    const to = join(this.#dir, `tmp-${chance}`);
    mkdirSync(to);
    for (const name of names) {
      cpSync(join(from, name), join(to, name), { dereference: true });
      syncPath(join(to, name));
    }
    return to;
  }

  /** Gives a staged package its name for good. */
  commit(staged: string, digest: string): void {
    syncPath(staged);
    const to = this.path(digest);
    rmSync(to, { recursive: true, force: true });
    renameSync(staged, to);
    syncPath(this.#dir);
  }

  discard(staged: string): void {
    rmSync(staged, { recursive: true, force: true });
  }
}

const json = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // Whatever it is, it does not match the contract, and verification says so.
    return null;
  }
};

/** What a folder claims to be; to be verified. */
export const readClaim = (dir: string, digest: string): PackageClaim => ({
  digest,
  manifest: json(join(dir, 'manifest.json')),
  signature: json(join(dir, 'signature.json')),
  files: new Map(
    (existsSync(dir) ? readdirSync(dir) : []).map((name) => [
      name,
      `sha256:${createHash('sha256')
        .update(readFileSync(join(dir, name)))
        .digest('hex')}`,
    ]),
  ),
});

/** Checks ECDSA P-256 signatures against the keys a device trusts. */
export const signatureCheck =
  (trustedKeys: Readonly<Record<string, string>>) =>
  (keyId: string, message: string, signature: string): boolean => {
    const key = trustedKeys[keyId];
    if (key === undefined) return false;
    try {
      return verify('sha256', Buffer.from(message, 'utf8'), key, Buffer.from(signature, 'base64'));
    } catch {
      return false;
    }
  };
