import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BaselineSpec } from '#core/contracts/baseline.ts';
import type { BenchResult, RuntimeConfig } from '#core/contracts/device.ts';
import type { ModelPackageManifest } from '#core/contracts/model-package.ts';
import { checkFeatures, readBaseline } from '#core/drift/sketch/upgrade.ts';
import { fastestWithin, goldenMismatch, goldenRows } from '#core/inference/golden.ts';
import { type PackageVerdict, verifyPackage } from '#core/inference/verify-package.ts';
import { readClaim, type Serving, signatureCheck } from './package-store.ts';
import type { Runner, RuntimeDeps } from './runtime-deps.ts';
import { ServingUnit } from './serving-unit.ts';

const BENCH_RUNS = 300;

export type Trial =
  | { readonly ok: true; readonly runner: Runner; readonly bench: readonly BenchResult[]; readonly reason: string }
  | { readonly ok: false; readonly reason: string };

/** Checks packages, loads their models beside whatever serves, and tries them on the golden samples. */
export class PackageLoader {
  readonly #deps: Pick<RuntimeDeps, 'store' | 'loadModel' | 'log'>;

  constructor(deps: Pick<RuntimeDeps, 'store' | 'loadModel' | 'log'>) {
    this.#deps = deps;
  }

  /**
   * Every check that needs no model.
   * @param now UTC instant to judge expiry by; null for a package that served already.
   */
  verify(
    dir: string,
    digest: string,
    { config, now, serving }: { config: RuntimeConfig; now: string | null; serving: Serving | null },
  ): PackageVerdict {
    return verifyPackage(readClaim(dir, digest), {
      modelLine: config.modelLine,
      now,
      verifySignature: signatureCheck(config.trustedKeys),
      serving,
      highestRelease: this.#deps.store.state().highestRelease[config.modelLine] ?? 0,
      revertTo: config.revertTo,
      withdrawn: config.withdrawn,
    });
  }

  /** @throws {ContractError} when it is no baseline of the features that the model reads. */
  baseline(manifest: ModelPackageManifest, dir: string): BaselineSpec {
    const baseline = readBaseline(JSON.parse(readFileSync(join(dir, 'baseline.json'), 'utf8')), 'baseline.json');
    checkFeatures(
      baseline,
      manifest.featureSet.features.map((f) => f.name),
      'baseline.json',
    );
    return baseline;
  }

  /** Loads every admitted variant, compares golden samples, measures, and keeps the fastest. */
  async tryVariants(manifest: ModelPackageManifest, dir: string): Promise<Trial> {
    const rows = goldenRows(manifest.golden, readFileSync(join(dir, manifest.golden.file)));
    const runners: Runner[] = [];
    const bench: BenchResult[] = [];
    const left: string[] = [];
    try {
      for (const variant of manifest.variants.filter((v) => v.admitted)) {
        const runner = await this.#deps.loadModel(variant.name, join(dir, variant.file));
        runners.push(runner);
        const mismatch = await this.#golden(manifest, runner, rows);
        if (mismatch === null) bench.push(await runner.bench(rows, BENCH_RUNS));
        // fp32 is what evaluation judged; int8 may differ by processor, and then only it is left out.
        else if (variant.name === 'fp32') return { ok: false, reason: mismatch };
        else left.push(mismatch);
      }
      const best = fastestWithin(bench, manifest.latencyBudgetMs);
      const runner = runners.find((r) => r.variant === best);
      if (runner === undefined)
        return {
          ok: false,
          reason: [
            `no variant answers within ${manifest.latencyBudgetMs} ms here`,
            ...bench.map((b) => `${b.variant} p99 ${b.p99Ms.toFixed(2)} ms`),
            ...left,
          ].join('; '),
        };
      runners.splice(runners.indexOf(runner), 1);
      return {
        ok: true,
        runner,
        bench,
        reason: [`fastest of ${bench.map((b) => b.variant).join(', ')}`, ...left].join('; '),
      };
    } finally {
      for (const r of runners) r.close();
    }
  }

  async #golden(
    manifest: ModelPackageManifest,
    runner: Runner,
    rows: readonly (readonly number[])[],
  ): Promise<string | null> {
    const outputs: number[] = [];
    for (const row of rows) outputs.push(await runner.run(row));
    return goldenMismatch(manifest.golden, runner.variant, outputs);
  }

  /** Loads a package from the store in the variant it served with; null when it is no longer whole. */
  async resume(serving: Serving, config: RuntimeConfig): Promise<ServingUnit | null> {
    const { store, log } = this.#deps;
    const dir = store.path(serving.packageDigest);
    try {
      const verdict = this.verify(dir, serving.packageDigest, { config, now: null, serving });
      if (!verdict.ok) throw new Error(verdict.reason);
      const { manifest } = verdict;
      const variant = manifest.variants.find((v) => v.name === serving.variant);
      if (variant?.admitted !== true) throw new Error(`variant ${serving.variant} is not admitted`);
      const model = await this.#deps.loadModel(variant.name, join(dir, variant.file));
      const rows = goldenRows(manifest.golden, readFileSync(join(dir, manifest.golden.file)));
      const mismatch = await this.#golden(manifest, model, rows);
      if (mismatch !== null) {
        model.close();
        throw new Error(mismatch);
      }
      return new ServingUnit(manifest, serving, this.baseline(manifest, dir), model);
    } catch (error) {
      log('error', 'a stored package cannot serve', {
        packageDigest: serving.packageDigest,
        reason: (error as Error).message,
      });
      return null;
    }
  }
}
