import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { unzipSync } from 'fflate';
import { type ArtifactPlan, archiveFolder } from './recipe.ts';

/** An artifact that is not what the recipe says, or cannot be had at all. Trying again later does not help. */
export class ArtifactError extends Error {
  constructor(uri: string, detail: string, options?: ErrorOptions) {
    super(`artifact ${uri}: ${detail}`, options);
    this.name = 'ArtifactError';
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const sha256Of = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('base64');
};

/** The folders of one device that hold components' artifacts. */
export class ArtifactStore {
  private readonly root: string;
  constructor(root: string) {
    this.root = root;
  }

  artifactsPath(component: string, version: string): string {
    return join(this.root, 'packages', 'artifacts', component, version);
  }

  decompressedPath(component: string, version: string): string {
    return join(this.root, 'packages', 'artifacts-unarchived', component, version);
  }

  /**
   * Makes every artifact of a component version present, with the right bytes and file modes.
   * @throws {ArtifactError} wrong digest, refused or missing object, or an archive that cannot be opened.
   * @throws {Error} of the SDK when S3 cannot be reached; worth another try.
   */
  async ensure(component: string, version: string, plans: readonly ArtifactPlan[], s3: S3Client): Promise<void> {
    const folder = this.artifactsPath(component, version);
    await mkdir(folder, { recursive: true });
    for (const plan of plans) {
      const file = join(folder, plan.fileName);
      // Artifacts are without write permission, and may even be unreadable by what the recipe grants.
      if (await exists(file)) await chmod(file, 0o600);
      if (!(await exists(file)) || plan.digest === undefined || (await sha256Of(file)) !== plan.digest)
        await this.download(plan, file, s3);
      if (plan.unzip)
        await this.unzip(plan, file, join(this.decompressedPath(component, version), archiveFolder(plan.fileName)));
      await chmod(file, plan.mode);
    }
  }

  private async download(plan: ArtifactPlan, file: string, s3: S3Client): Promise<void> {
    const { hostname: bucket, pathname } = new URL(plan.uri);
    const part = `${file}.part`;
    try {
      const object = await s3.send(
        new GetObjectCommand({ Bucket: bucket, Key: decodeURIComponent(pathname.slice(1)) }),
      );
      await pipeline(object.Body as Readable, createWriteStream(part));
    } catch (error) {
      await rm(part, { force: true });
      const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
      if (status !== undefined && status >= 400 && status < 500)
        throw new ArtifactError(
          plan.uri,
          `S3 answered ${(error as Error).name} (${status}); the device's role must be allowed to read it and it must exist`,
          { cause: error },
        );
      throw error;
    }
    const digest = await sha256Of(part);
    if (plan.digest !== undefined && digest !== plan.digest) {
      await rm(part, { force: true });
      throw new ArtifactError(plan.uri, `its SHA-256 is ${digest}, the recipe says ${plan.digest}`);
    }
    await rename(part, file);
  }

  private async unzip(plan: ArtifactPlan, file: string, folder: string): Promise<void> {
    let entries: Record<string, Uint8Array>;
    try {
      entries = unzipSync(await readFile(file));
    } catch (error) {
      throw new ArtifactError(plan.uri, `it is no ZIP that can be opened: ${(error as Error).message}`, {
        cause: error,
      });
    }
    await removeTree(folder);
    for (const [name, bytes] of Object.entries(entries)) {
      const path = normalize(name);
      if (path.startsWith('..') || path.startsWith('/'))
        throw new ArtifactError(plan.uri, `the entry ${name} would be written outside its folder`);
      const target = join(folder, path);
      if (name.endsWith('/')) {
        await mkdir(target, { recursive: true });
        continue;
      }
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, bytes);
      // The recipe's permission holds for every file of the archive; the archive's own bits do not.
      await chmod(target, plan.mode);
    }
  }

  /** Deletes every stored version that is not in `keep` (`name version`). */
  async prune(keep: ReadonlySet<string>): Promise<void> {
    for (const kind of ['artifacts', 'artifacts-unarchived']) {
      const base = join(this.root, 'packages', kind);
      for (const component of await readdir(base).catch(() => []))
        for (const version of await readdir(join(base, component)).catch(() => []))
          if (!keep.has(`${component} ${version}`)) await removeTree(join(base, component, version));
    }
  }
}

const removeTree = (path: string): Promise<void> => rm(path, { recursive: true, force: true });
