import type { BaselineSpec } from '#core/contracts/baseline.ts';
import type { Frame } from '#core/contracts/frame.ts';
import type { ModelPackageManifest } from '#core/contracts/model-package.ts';
import { OpenWindows } from '#core/drift/sketch/open-windows.ts';
import { type CompiledFeatureSet, compileFeatureSet } from '#core/features/engine/compile.ts';
import type { FeatureWindow } from '#core/features/engine/feature-window.ts';
import { windowLength } from '#core/features/engine/plan.ts';
import type { FeatureVector } from '#core/features/engine/vector.ts';
import type { Attempt } from '#core/inference/decide.ts';
import type { Serving } from './package-store.ts';
import type { Runner } from './runtime-deps.ts';

/** The model's input, or why there is none. */
export type Vector = FeatureVector | { readonly ok: false; readonly why: string };

/** A model that needs this long is not late but hung. */
const HUNG_MS = 5000;

/** A verified package with its loaded model and its own windows over the frames of each asset. */
export class ServingUnit {
  readonly manifest: ModelPackageManifest;
  readonly serving: Serving;
  /** What is counted of the vectors that its model saw. */
  readonly counted: OpenWindows;
  readonly #baseline: BaselineSpec;
  readonly #windows = new Map<string, FeatureWindow>();
  #features: CompiledFeatureSet | undefined;
  #model: Runner | null;
  #underWay = 0;
  #retired = false;

  constructor(manifest: ModelPackageManifest, serving: Serving, baseline: BaselineSpec, model: Runner) {
    this.manifest = manifest;
    this.serving = serving;
    this.counted = new OpenWindows(baseline);
    this.#baseline = baseline;
    this.#model = model;
  }

  get packageDigest(): string {
    return this.serving.packageDigest;
  }

  /** Whether its model is loaded: not while it is being started again. */
  get isLoaded(): boolean {
    return this.#model !== null;
  }

  /** Frames of an asset that its windows need. */
  get windowLength(): number {
    return windowLength(this.manifest.featureSet);
  }

  /**
   * Features of a frame and the ones before it, which it remembers. Never throws: whatever is wrong with features or
   * frames, the line gets an answer.
   */
  vector(frame: Frame): Vector {
    try {
      return this.#windowOf(frame.asset).push(frame);
    } catch (error) {
      return { ok: false, why: `the features could not be computed: ${(error as Error).message}` };
    }
  }

  #windowOf(asset: string): FeatureWindow {
    let window = this.#windows.get(asset);
    if (window === undefined) {
      this.#features ??= compileFeatureSet(this.manifest.featureSet, this.manifest.signals);
      window = this.#features.open();
      this.#windows.set(asset, window);
    }
    return window;
  }

  /**
   * Fills the windows with frames that were decided before. Their features are not computed: the line waits meanwhile.
   * Never throws: a frame that cannot be read is missing in the window, and decisions say so.
   * @param kept as the spool has them, the oldest first.
   */
  remember(kept: readonly { readonly asset: string; readonly frame: string | null }[]): void {
    for (const { asset, frame } of kept)
      try {
        if (frame !== null) this.#windowOf(asset).remember(JSON.parse(frame) as Frame);
      } catch {}
  }

  /**
   * Asks the model; never rejects.
   * @param withinMs after this the answer is `late`; the model goes on, and its answer is dropped.
   * @param onHung called when it does not answer for so long that it never will.
   */
  async attempt(vector: Vector, withinMs: number, onHung: () => void): Promise<Attempt> {
    if ('why' in vector) return { kind: 'failed', why: vector.why };
    if (!vector.ok) return { kind: 'missing-features', names: vector.missing };
    const model = this.#model;
    if (model === null) return { kind: 'failed', why: 'the model is being loaded again' };
    this.#underWay += 1;
    const hung = setTimeout(() => {
      if (this.#model === model) onHung();
    }, HUNG_MS);
    hung.unref();
    const answer: Promise<Attempt> = model
      .run(vector.x)
      .then(
        (value): Attempt => ({ kind: 'answer', value }),
        (error: Error): Attempt => ({ kind: 'failed', why: error.message }),
      )
      .finally(() => {
        clearTimeout(hung);
        this.#underWay -= 1;
        this.#closeIfRetired();
      });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Attempt>((resolve) => {
      timer = setTimeout(
        () => resolve({ kind: 'late', afterMs: this.manifest.latencyBudgetMs }),
        Math.max(0, withinMs),
      );
    });
    const first = await Promise.race([answer, late]);
    clearTimeout(timer);
    return first;
  }

  /** @param then called once when the process of the model ends by itself. */
  onCrash(then: () => void): void {
    this.#model?.onCrash(then);
  }

  /** Ends the model's process; until {@link takeModelOf} there is none. */
  dropModel(): void {
    this.#model?.close();
    this.#model = null;
  }

  /** Goes on with the model of the same package that was loaded anew. */
  takeModelOf(again: ServingUnit): void {
    this.#model = again.#model;
    again.#model = null;
  }

  /** The same package, serving anew: with its loaded model, and nothing counted or remembered yet. */
  servingAnew(serving: Serving): ServingUnit | null {
    const model = this.#model;
    this.#model = null;
    return model === null ? null : new ServingUnit(this.manifest, serving, this.#baseline, model);
  }

  /** Ends the model's process as soon as nothing is under way with it. */
  retire(): void {
    this.#retired = true;
    this.#closeIfRetired();
  }

  #closeIfRetired(): void {
    if (this.#retired && this.#underWay === 0) this.#model?.close();
  }

  /** Ends the model's process at once. */
  close(): void {
    this.#model?.close();
  }
}
