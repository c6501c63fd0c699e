import type { ModelPackageManifest } from '#core/contracts/model-package.ts';
import { type PackageClaim, type PackageRules, verifyPackage } from '#core/inference/verify-package.ts';
import { digestBytes, digestOf } from '#core/lineage/digest.ts';
import { signatureCheck } from '../../../greengrass-components/runtime/package-store.ts';
import { MODEL_LINE, makePackage, newSigner, type PackageOptions } from '../../support/model-package.ts';

const signer = newSigner();
const claimOf = (options: PackageOptions = {}, by = signer): PackageClaim => {
  const p = makePackage(by, options);
  const json = (name: string) => JSON.parse(Buffer.from(p.files.get(name) as Uint8Array).toString()) as unknown;
  return {
    digest: p.digest,
    manifest: json('manifest.json'),
    signature: json('signature.json'),
    files: new Map([...p.files].map(([name, bytes]) => [name, digestBytes(bytes)])),
  };
};
const rules = (over: Partial<PackageRules> = {}): PackageRules => ({
  modelLine: MODEL_LINE,
  now: '2026-06-01T00:00:00.000Z',
  verifySignature: signatureCheck({ [signer.keyId]: signer.publicPem }),
  serving: null,
  highestRelease: 0,
  revertTo: '',
  ...over,
});
const reasonOf = (claim: PackageClaim, r = rules()): string => {
  const verdict = verifyPackage(claim, r);
  return verdict.ok ? 'ok' : verdict.reason;
};

describe('a package', () => {
  it('is accepted when everything it names is there and signed by a trusted key', () => {
    expect(reasonOf(claimOf())).toBe('ok');
  });

  it('is refused when it does not keep its contract', () => {
    expect(reasonOf({ ...claimOf(), manifest: null })).toContain('manifest.json does not match its contract');
    expect(reasonOf({ ...claimOf(), signature: {} })).toContain('signature.json does not match its contract');
  });

  it('is refused when the manifest is not the one that the deployment names', () => {
    const claim = claimOf();
    const manifest = { ...(claim.manifest as ModelPackageManifest), owner: 'somebody else' };
    expect(reasonOf({ ...claim, manifest })).toContain('the deployment names');
  });

  it('is refused when the signature is for another package', () => {
    expect(reasonOf({ ...claimOf(), signature: claimOf({ bias: 1 }).signature })).toContain('signature.json signs');
  });

  it('is refused when the signature is of an untrusted key, or wrong', () => {
    expect(reasonOf(claimOf({}, newSigner('stranger')))).toContain('not trusted');
    // Same key id, another key.
    expect(reasonOf(claimOf({}, newSigner()))).toContain('wrong');
  });

  it.each([
    ['feature', { feature: 'mean' }],
    ['signal', { signal: 'load' }],
    ['window', { window: 2 }],
    ['parameter', { params: { decay: 0.5 } }],
    ['version of the code', { version: 2 }],
  ])('is refused when the definition of a feature has another %s than it learnt from', (_, change) => {
    const claim = claimOf({
      change: (manifest) => {
        const [first, ...rest] = manifest.featureSet.features as [(typeof manifest.featureSet.features)[0]];
        return { ...manifest, featureSet: { ...manifest.featureSet, features: [{ ...first, ...change }, ...rest] } };
      },
    });
    expect(reasonOf(claim)).toContain('the feature set does not have the digest that the manifest names');
  });

  it('is refused when it learnt from another version of the code of a feature than this device has', () => {
    const claim = claimOf({
      change: (manifest) => {
        const [first, ...rest] = manifest.featureSet.features as [(typeof manifest.featureSet.features)[0]];
        const featureSet = { ...manifest.featureSet, features: [{ ...first, version: 7 }, ...rest] };
        return { ...manifest, featureSet, featureSetDigest: digestOf(featureSet) };
      },
    });
    expect(reasonOf(claim)).toMatch(/it is defined by version 7 of latest, this code computes version 1/);
  });

  it('is refused when the code here cannot compute one of its features', () => {
    const unknown = (manifest: ModelPackageManifest): ModelPackageManifest => {
      const [first, ...rest] = manifest.featureSet.features as [(typeof manifest.featureSet.features)[0]];
      const featureSet = { ...manifest.featureSet, features: [{ ...first, feature: 'cepstrum' }, ...rest] };
      return { ...manifest, featureSet, featureSetDigest: digestOf(featureSet) };
    };
    expect(reasonOf(claimOf({ change: unknown }))).toMatch(
      /wear_now: "cepstrum" is not known here.*update its runtime/,
    );
  });

  it('is refused when it is of another model line', () => {
    expect(reasonOf(claimOf(), rules({ modelLine: 'other/plant-a' }))).toContain('this device serves other/plant-a');
  });

  it('is refused after it expired, unless it serves already', () => {
    const claim = claimOf({ expiresAt: '2026-05-01T00:00:00.000Z' });
    expect(reasonOf(claim)).toContain('expired');
    expect(reasonOf(claim, rules({ now: null }))).toBe('ok');
  });

  it('is refused when it would go back, unless the ledger allows this very package', () => {
    const claim = claimOf({ releaseNumber: 3 });
    expect(reasonOf(claim, rules({ highestRelease: 3 }))).toContain('would go back');
    expect(reasonOf(claim, rules({ highestRelease: 5, revertTo: digestOf('other') }))).toContain('would go back');
    expect(reasonOf(claim, rules({ highestRelease: 5, revertTo: claim.digest }))).toBe('ok');
    expect(reasonOf(claim, rules({ withdrawn: digestOf('other') }))).toBe('ok');
    expect(reasonOf(claim, rules({ serving: { packageDigest: claim.digest }, withdrawn: claim.digest }))).toContain(
      'took this package back',
    );
    expect(reasonOf(claim, rules({ highestRelease: 3, serving: { packageDigest: claim.digest } }))).toBe('ok');
  });

  it.each(['golden.bin', 'baseline.json', 'model.fp32.onnx'])(
    'is refused when %s is missing or one byte off',
    (name) => {
      const claim = claimOf();
      const without = new Map(claim.files);
      without.delete(name);
      expect(reasonOf({ ...claim, files: without })).toContain(`${name} is missing`);
      const changed = new Map(claim.files).set(name, digestOf('changed'));
      expect(reasonOf({ ...claim, files: changed })).toContain(`the file ${name} has the digest`);
    },
  );

  it('is refused when it names a file outside its folder', () => {
    const claim = claimOf({
      change: (m) => ({ ...m, variants: m.variants.map((v) => ({ ...v, file: '../model.onnx' })) }),
    });
    expect(reasonOf(claim)).toContain('is not plain');
  });

  it('is refused when its parts do not fit each other', () => {
    expect(reasonOf(claimOf({ change: (m) => ({ ...m, featureSetDigest: digestOf('other') }) }))).toContain(
      'feature set',
    );
    expect(reasonOf(claimOf({ change: (m) => ({ ...m, inputEnvelope: [[0, 1]] }) }))).toContain('differ in width');
    expect(
      reasonOf(claimOf({ change: (m) => ({ ...m, variants: m.variants.map((v) => ({ ...v, admitted: false })) }) })),
    ).toContain('no variant');
  });
});
