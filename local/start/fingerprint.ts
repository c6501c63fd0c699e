import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What bundles of Lambdas and components are made of, and where it is written of which state of that they are. */
export const BUNDLE_SOURCES = ['core', 'lambdas', 'greengrass-components', 'package-lock.json', 'scripts'] as const;
export const BUNDLE_STAMP = '.build/bundles.stamp';

/**
 * Digest of names and bytes of all files below some paths, in a fixed order; what is absent counts as absent.
 * @param modules whether folders `node_modules` count too; they do not by default.
 */
export const fingerprint = (root: string, paths: readonly string[], { modules = false } = {}): string => {
  const hash = createHash('sha256');
  const visit = (path: string): void => {
    const whole = join(root, path);
    if (!existsSync(whole)) return void hash.update(`absent ${path}\0`);
    if (statSync(whole).isDirectory()) {
      for (const name of readdirSync(whole).sort()) if (modules || name !== 'node_modules') visit(join(path, name));
      return;
    }
    hash.update(`${path}\0`).update(readFileSync(whole)).update('\0');
  };
  for (const path of paths) visit(path);
  return hash.digest('hex');
};

/** A stamp is written when something is done, and says of which inputs it was. */
export const isStamped = (file: string, print: string): boolean =>
  existsSync(file) && readFileSync(file, 'utf8') === print;

export const stamp = (file: string, print: string): void => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, print);
};
