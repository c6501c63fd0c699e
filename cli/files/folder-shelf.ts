import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';

/** Objects of a folder, as a copy of a bucket has them: `aws s3 sync s3://bucket/drift ./drift`. */
export const folderShelf = (dir: string) => ({
  async list(prefix: string): Promise<readonly string[]> {
    const top = join(dir, prefix.slice(0, prefix.lastIndexOf('/') + 1));
    if (!existsSync(top)) return [];
    return readdirSync(top, { recursive: true, withFileTypes: true })
      .filter((f) => f.isFile())
      .map((f) => join(f.parentPath, f.name).slice(join(dir, sep).length).replaceAll(sep, '/'))
      .filter((key) => key.startsWith(prefix))
      .sort();
  },
  async find(key: string): Promise<Uint8Array | null> {
    const file = join(dir, key);
    return existsSync(file) ? readFileSync(file) : null;
  },
});
