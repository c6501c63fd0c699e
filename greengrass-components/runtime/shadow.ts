import type { DecisionRecord } from '#core/contracts/decision.ts';
import type { DeviceReport, RuntimeConfig } from '#core/contracts/device.ts';
import type { Frame } from '#core/contracts/frame.ts';
import { type Attempt, judge } from '#core/inference/decide.ts';
import { comparable, ShadowTally } from '#core/inference/shadow-tally.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import type { Serving } from './package-store.ts';
import type { RuntimeDeps } from './runtime-deps.ts';
import type { ServingUnit, Vector } from './serving-unit.ts';

export interface ShadowDeps extends Pick<RuntimeDeps, 'store' | 'spool' | 'clock' | 'log'> {
  readonly config: () => RuntimeConfig;
  readonly resume: (serving: Serving) => Promise<ServingUnit | null>;
  /** A batch is complete: there is something to report. */
  readonly onBatch: () => void;
}

/** What the champion says to one frame. */
export interface Opinion {
  /** For the record of the decision; null when it has not come yet. */
  said(): NonNullable<DecisionRecord['shadow']> | null;
  /** Counts the frame, once it is known what the serving model said and the decision is on the disk. */
  compareWith(serving: Attempt): void;
}

/** Nobody waits for the champion; after this its answer is not compared. */
const ANSWER_MS = 5000;
/** A champion that is slower than the frames come is not asked about all of them. */
const MAX_UNDER_WAY = 64;
const MAX_STARTS = 3;
const RESTART_MS = 1000;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** One package held against the champion. */
interface Run {
  readonly serving: ServingUnit;
  readonly champion: Serving;
  readonly tally: ShadowTally;
  unit: ServingUnit | null;
  /** Both packages see the same features: they are computed once. */
  sharesFeatures: boolean;
  underWay: number;
  starts: number;
  starting: boolean;
  over: boolean;
}

/**
 * The champion beside a package that proves itself: in its own process and with its own windows, asked about every frame
 * after the serving model was. It answers nothing to the line, which never waits for it. It ends by itself
 * `shadow.seconds` after the adoption; what it counted is reported for as long as the package serves.
 */
export class Shadow {
  readonly #deps: ShadowDeps;
  #run: Run | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(deps: ShadowDeps) {
    this.#deps = deps;
  }

  /**
   * A package begins to serve.
   * @param before what served until now: its process goes on if it is the champion, and ends otherwise.
   */
  begin(serving: ServingUnit, before: ServingUnit | null): void {
    this.end();
    const { packageDigest, tolerance, batch, seconds } = this.#deps.config().shadow;
    const champion = this.#championFor(serving, before, packageDigest);
    const left = Date.parse(serving.serving.adoptedAt) + seconds * 1000 - this.#deps.clock();
    if (champion === null || left <= 0) {
      before?.retire();
      return;
    }
    const run: Run = {
      serving,
      champion,
      tally: new ShadowTally(tolerance, batch),
      unit: null,
      sharesFeatures: false,
      underWay: 0,
      starts: 0,
      starting: false,
      over: false,
    };
    this.#run = run;
    this.#timer = setTimeout(() => this.#stop(run), Math.min(left, MAX_TIMER_MS));
    this.#timer.unref();
    if (before?.packageDigest === champion.packageDigest && before.isLoaded) this.#use(run, before);
    else {
      before?.retire();
      this.#start(run);
    }
  }

  #championFor(serving: ServingUnit, before: ServingUnit | null, digest: string): Serving | null {
    if (digest === '' || digest === serving.packageDigest) return null;
    if (before?.packageDigest === digest) return before.serving;
    const { previous } = this.#deps.store.state();
    if (previous?.packageDigest === digest) return previous;
    this.#deps.log('warn', 'the champion is not in the store of this device: nothing to compare with', {
      champion: digest,
    });
    return null;
  }

  /** The configuration of the comparison changed: it begins anew, or ends. */
  follow(serving: ServingUnit | null): void {
    if (serving === null) this.end();
    else this.begin(serving, null);
  }

  /**
   * Gives away the running champion, to serve again at once.
   * @returns null when another one, or none, runs beside.
   */
  take(digest: string): ServingUnit | null {
    const unit = this.#run?.unit ?? null;
    if (this.#run === null || unit === null || unit.packageDigest !== digest || !unit.isLoaded) return null;
    this.#run.unit = null;
    this.end();
    return unit;
  }

  /** Ends the comparison and forgets what was counted. */
  end(): void {
    if (this.#run !== null) this.#stop(this.#run);
    this.#run = null;
  }

  #stop(run: Run): void {
    run.over = true;
    run.unit?.retire();
    run.unit = null;
    if (this.#run === run && this.#timer !== null) clearTimeout(this.#timer);
  }

  #use(run: Run, unit: ServingUnit): void {
    const seen = ({ manifest }: ServingUnit): string => canonicalJson([manifest.featureSet, manifest.signals]);
    run.unit = unit;
    run.sharesFeatures = seen(unit) === seen(run.serving);
    unit.onCrash(() => {
      this.#deps.log('warn', 'the process of the champion that runs beside ended');
      this.#restart(run);
    });
  }

  #restart(run: Run): void {
    run.unit?.dropModel();
    run.unit = null;
    if (run.over || run.starting) return;
    setTimeout(() => this.#start(run), RESTART_MS).unref();
  }

  async #start(run: Run): Promise<void> {
    if (run.over || run.starting || run.unit !== null || run.starts >= MAX_STARTS) return;
    run.starts += 1;
    run.starting = true;
    const unit = await this.#deps.resume(run.champion);
    run.starting = false;
    if (run.over) unit?.close();
    else if (unit === null) this.#restart(run);
    else {
      this.#use(run, unit);
      if (!run.sharesFeatures) unit.remember(this.#deps.spool.kept());
    }
  }

  /**
   * Asks the champion about a frame, after the serving model was asked.
   * @param vector what the serving model sees.
   * @returns null while there is no champion to ask.
   */
  ask(frame: Frame, serving: ServingUnit, vector: Vector): Opinion | null {
    const run = this.#run;
    const unit = run?.unit ?? null;
    if (run === null || unit === null || run.serving !== serving) return null;
    if (!unit.isLoaded) this.#restart(run);
    const isTooMuch = run.underWay >= MAX_UNDER_WAY;
    const ask = (own: Vector): Promise<Attempt> =>
      unit.attempt(own, ANSWER_MS, () => {
        this.#deps.log('warn', 'the champion that runs beside hangs; its process is ended');
        // Also once the comparison is over: nobody else waits for an answer that never comes.
        unit.dropModel();
        this.#restart(run);
      });
    let x: readonly number[] | null = null;
    let answer: Attempt | null = null;
    run.underWay += 1;
    const asked = (
      run.sharesFeatures
        ? Promise.resolve(vector)
        : // Its own features cost time; the serving model's answer is not to wait for them. Windows see every frame.
          new Promise<Vector>((resolve) => setImmediate(() => resolve(unit.vector(frame))))
    )
      .then((own): Promise<Attempt> | Attempt => {
        x = own.ok ? own.x : null;
        return isTooMuch ? { kind: 'failed', why: 'too many frames wait for it' } : ask(own);
      })
      .then((attempt) => {
        run.underWay -= 1;
        answer = attempt;
        return attempt;
      });
    return {
      said: () => {
        if (answer === null || comparable(answer) === undefined) return null;
        const { value, verdict } = judge(unit.manifest, x, answer, new Date(this.#deps.clock()).toISOString());
        return { packageDigest: unit.packageDigest, value, verdict };
      },
      compareWith: (mine) => {
        asked.then((its) => {
          const [a, b] = [comparable(mine), comparable(its)];
          if (a === undefined || b === undefined || this.#run !== run || run.over) return;
          // Neither has an answer, for a signal is bad: that is no agreement.
          if (a === null && b === null) return;
          if (run.tally.add(frame.asset, a, b)) this.#deps.onBatch();
        });
      },
    };
  }

  /** What was compared since the adoption; null when no comparison is asked for or possible. */
  report(): NonNullable<DeviceReport['shadow']> | null {
    const run = this.#run;
    if (run === null) return null;
    return {
      packageDigest: run.champion.packageDigest,
      frames: run.tally.frames,
      assets: [...run.tally.assets()],
    };
  }
}
