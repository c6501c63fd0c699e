import { parseAs } from '../contracts/errors.ts';
import { ModelPackageManifest, PackageSignature } from '../contracts/model-package.ts';
import { checkFeatureSet } from '../features/engine/check-feature-set.ts';
import { digestOf } from '../lineage/digest.ts';

export interface PackageClaim {
  /** Digest that the deployment names. */
  readonly digest: string;
  /** Parsed JSON of manifest.json and signature.json. */
  readonly manifest: unknown;
  readonly signature: unknown;
  /** Digest of every file found beside the manifest, by name. */
  readonly files: ReadonlyMap<string, string>;
}

export interface PackageRules {
  readonly modelLine: string;
  /** UTC instant to judge expiry by; null for a package that already serves: its decisions say that it expired. */
  readonly now: string | null;
  /** ECDSA P-256 over SHA-256 of the digest's UTF-8 bytes; false also when the key is not trusted. */
  readonly verifySignature: (keyId: string, message: string, signatureBase64: string) => boolean;
  readonly serving: { readonly packageDigest: string } | null;
  /** Highest release number that was ever adopted here; 0 = none. */
  readonly highestRelease: number;
  /** Digest that the ledger allows to go back to; empty = none. */
  readonly revertTo: string;
  /** Digest that its release took back; empty or absent = none. */
  readonly withdrawn?: string;
}

export type PackageVerdict =
  | { readonly ok: true; readonly manifest: ModelPackageManifest }
  | { readonly ok: false; readonly reason: string };

/** Files a manifest names, each with its digest. */
export const namedFiles = (manifest: ModelPackageManifest): ReadonlyMap<string, string> =>
  new Map([
    ...manifest.variants.map((v) => [v.file, v.digest] as const),
    [manifest.golden.file, manifest.golden.digest],
    [manifest.baseline.file, manifest.baseline.digest],
  ]);

/**
 * May this package be loaded at all? Every check that needs no model: contract, digest, signature, line, expiry, no way
 * back, every file's bytes, and whether the code here can compute its features. Says no with a reason a person can act on; never throws.
 */
export const verifyPackage = (claim: PackageClaim, rules: PackageRules): PackageVerdict => {
  const no = (reason: string): PackageVerdict => ({ ok: false, reason });
  let manifest: ModelPackageManifest;
  let signature: PackageSignature;
  try {
    manifest = parseAs(ModelPackageManifest, claim.manifest, 'manifest.json');
    signature = parseAs(PackageSignature, claim.signature, 'signature.json');
  } catch (error) {
    return no((error as Error).message);
  }
  // Over the JSON as it came: defaults that parsing fills in are no part of what was signed.
  const digest = digestOf(claim.manifest);
  if (digest !== claim.digest)
    return no(
      `manifest.json has the digest ${digest}; the deployment names ${claim.digest}: publish the package again`,
    );
  if (digest === rules.withdrawn)
    return no('its release took this package back on this device; release it anew if it is to serve after all');
  if (signature.packageDigest !== digest) return no(`signature.json signs ${signature.packageDigest}, not ${digest}`);
  if (!rules.verifySignature(signature.keyId, digest, signature.signature))
    return no(`the signature by key ${signature.keyId} is wrong or the key is not trusted on this device`);
  if (manifest.modelLine !== rules.modelLine)
    return no(`the package is of model line ${manifest.modelLine}; this device serves ${rules.modelLine}`);
  if (rules.now !== null && rules.now > manifest.expiresAt)
    return no(`the package expired at ${manifest.expiresAt}: retrain`);
  const known = digest === rules.serving?.packageDigest || digest === rules.revertTo;
  if (manifest.releaseNumber <= rules.highestRelease && !known)
    return no(
      `release ${manifest.releaseNumber} would go back from ${rules.highestRelease}; only a revert that the ledger allows may`,
    );
  for (const [name, expected] of namedFiles(manifest)) {
    if (name.includes('/') || name.startsWith('.')) return no(`the file name ${JSON.stringify(name)} is not plain`);
    const found = claim.files.get(name);
    if (found === undefined) return no(`the file ${name} is missing`);
    if (found !== expected) return no(`the file ${name} has the digest ${found}; the manifest says ${expected}`);
  }
  const width = manifest.featureSet.features.length;
  if (digestOf(manifest.featureSet) !== manifest.featureSetDigest)
    return no('the feature set does not have the digest that the manifest names');
  if (manifest.golden.features !== width || manifest.inputEnvelope.length !== width)
    return no(`golden samples, envelope and feature set differ in width (${width} features)`);
  const problems = checkFeatureSet(manifest.featureSet, manifest.signals);
  if (problems.length > 0)
    return no(
      `this device cannot compute the package's features: ${problems.slice(0, 3).join('; ')}; update its runtime`,
    );
  if (!manifest.variants.some((v) => v.admitted)) return no('no variant of the package was admitted by evaluation');
  return { ok: true, manifest };
};
