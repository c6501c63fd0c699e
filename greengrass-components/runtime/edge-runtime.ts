import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DecisionRecord } from '#core/contracts/decision.ts';
import {
  type AdoptAnswer,
  type BenchResult,
  type DeviceReport,
  digestTopic,
  type RuntimeConfig,
  reportTopic,
} from '#core/contracts/device.ts';
import { ContractError, parseAs } from '#core/contracts/errors.ts';
import { Frame } from '#core/contracts/frame.ts';
import { Baseline, type ModelPackageManifest, type Variant } from '#core/contracts/model-package.ts';
import { type FeatureVector, featureVector, windowLength } from '#core/features/vector.ts';
import { FrameWindow } from '#core/features/window.ts';
import { type Attempt, judge } from '#core/inference/decide.ts';
import { fastestWithin, goldenMismatch, goldenRows } from '#core/inference/golden.ts';
import { FeatureHistogram } from '#core/inference/histogram.ts';
import type { ModelPort } from '#core/inference/model-port.ts';
import { verifyPackage } from '#core/inference/verify-package.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { digestOf } from '#core/lineage/digest.ts';
import type { Intent, Spool, StoredDecision } from '../shared/spool.ts';
import { type PackageStore, readClaim, type Serving, type StoreState, signatureCheck } from './package-store.ts';

/** A model in a process of its own that can measure itself. */
export interface Runner extends ModelPort {
  bench(rows: readonly (readonly number[])[], count: number): Promise<BenchResult>;
  onCrash(then: () => void): void;
}

export interface RuntimeDeps {
  readonly spool: Spool;
  readonly store: PackageStore;
  readonly device: string;
  /** Configuration at start; asked anew at each adoption, for a revert comes with one. */
  readonly config: RuntimeConfig;
  readonly readConfig: () => Promise<RuntimeConfig>;
  readonly loadModel: (variant: Variant['name'], path: string) => Promise<Runner>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  /** Some lower-case letters and digits, new each time. */
  readonly chance: () => string;
  readonly log: (level: 'info' | 'warn' | 'error', message: string, detail?: Record<string, unknown>) => void;
}

interface Unit {
  readonly manifest: ModelPackageManifest;
  readonly serving: Serving;
  readonly histogram: FeatureHistogram;
  model: Runner | null;
  underWay: number;
  retired: boolean;
}

/** The model's input, or why there is none. */
type Vector = FeatureVector | { readonly ok: false; readonly why: string };

/** One decision on its way to the disk: the intent first, the record as soon as it is known, both in group commits. */
interface Pending {
  readonly frame: Frame;
  readonly text: string;
  readonly intent: Intent;
  row: number;
  sequence: number;
  make: ((sequence: number) => DecisionRecord) | null;
  record: DecisionRecord | null;
  x: readonly number[] | null;
  unit: Unit | null;
  readonly resolve: (record: DecisionRecord) => void;
  readonly reject: (error: Error) => void;
}

/** Frames of an asset that stay although they were handed on: a machine sends again up to 8, windows need their length. */
const MIN_KEPT = 64;
const BENCH_RUNS = 300;
const LATENCIES = 1000;
/** A model that needs this long is not late but hung. */
const HUNG_MS = 5000;
const RETRIES_BEFORE_PREVIOUS = 3;
const TAKEN_BACK = 'its release took it back';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
const quantile = (sorted: readonly number[], q: number): number | null =>
  sorted.length === 0 ? null : (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] as number);

/**
 * The heart of the device: answers every frame, with or without a model, and only after the answer is durable.
 * One instance a process; `start` first.
 */
export class EdgeRuntime {
  readonly #deps: RuntimeDeps;
  #config: RuntimeConfig;
  readonly #windows = new Map<string, FrameWindow>();
  readonly #kept = new Map<string, number[]>();
  readonly #underWay = new Map<string, Promise<DecisionRecord>>();
  #dirty = new Set<Pending>();
  #flushing = false;
  #boot = '';
  #sequence = 0;
  #unit: Unit | null = null;
  #adopting: Promise<unknown> = Promise.resolve();
  #lastRefusal: DeviceReport['lastRefusal'] = null;
  #counts = { decided: 0, undecided: 0, fallback: 0, held: 0 };
  #latencies: number[] = [];
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(deps: RuntimeDeps) {
    this.#deps = deps;
    this.#config = deps.config;
  }

  get boot(): string {
    return this.#boot;
  }

  #now(): string {
    return new Date(this.#deps.clock()).toISOString();
  }

  /**
   * Finishes what a power cut left open, takes up the package that served last, without any network, and begins to
   * report.
   */
  async start(): Promise<void> {
    const { spool, log } = this.#deps;
    this.#boot = spool.newBoot(this.#deps.chance());
    const open = spool.unfinished();
    spool.transaction(() => {
      for (const d of open) spool.setRecord(d.row, canonicalJson(this.#held(d)));
    });
    this.#counts.held = open.length;
    for (const { row, asset } of spool.kept()) this.#keptOf(asset).push(row);
    await this.#takeUp();
    log('info', 'started', {
      boot: this.#boot,
      held: open.length,
      serving: this.#unit?.serving.packageDigest ?? null,
    });
    this.#report();
    this.#reportRegularly();
  }

  /**
   * Serves again what served last. What is damaged in the store is adopted anew from the artifacts it came from; only
   * then does the last good package take its place. When the record itself cannot be read, the packages that lie there
   * are adopted anew, the newest first: each says by its signature what it is.
   */
  async #takeUp(): Promise<void> {
    const { store, log } = this.#deps;
    const problem = store.problem();
    const { serving, previous } = this.#takeBack();
    if (serving !== null && (await this.#serveStored(serving))) return;
    if (
      serving !== null &&
      serving.source !== '' &&
      (await this.#adoptNow(serving.source, serving.packageDigest)).adopted
    )
      return;
    // A package that was taken back leaves its place only to the one that was there before its release.
    const mayGoBack = serving !== null || previous?.packageDigest === this.#config.revertTo;
    if (previous !== null && mayGoBack && (await this.#goBackTo(previous))) {
      if (serving !== null)
        this.#noteRefusal(serving.packageDigest, 'it is damaged here; the last good package serves');
      return;
    }
    if (problem === null) {
      const { withdrawn } = this.#config;
      if (serving === null && withdrawn !== '') this.#noteRefusal(withdrawn, TAKEN_BACK);
      return;
    }
    log('error', 'the record of what serves cannot be read; packages that are here are adopted anew', { problem });
    for (const digest of store.remains()) if ((await this.#adoptNow(store.path(digest), digest, '')).adopted) return;
    this.#noteRefusal('', `the record of what serves cannot be read and no whole package is here: ${problem}`);
  }

  async #serveStored(serving: Serving): Promise<boolean> {
    const unit = await this.#resume(serving);
    if (unit !== null) this.#serve(unit);
    return unit !== null;
  }

  /** Serves the last good package as the only one there is. @returns whether it can. */
  async #goBackTo(previous: Serving): Promise<boolean> {
    // The registry is told of an adoption by its instant: this is a new one.
    const serving = { ...previous, adoptedAt: this.#now() };
    const unit = await this.#resume(serving);
    if (unit === null) return false;
    if (!this.#isWanted(unit.manifest.modelLine, serving.packageDigest)) {
      unit.model?.close();
      return false;
    }
    const { store } = this.#deps;
    store.setState({ ...store.state(), serving, previous: null });
    this.#serve(unit);
    return true;
  }

  /** Takes a package that its release took back out of the store. @returns the state that is left. */
  #takeBack(): StoreState {
    const { store, log } = this.#deps;
    const { withdrawn } = this.#config;
    const state = store.state();
    const isIt = (s: Serving | null): boolean => s !== null && s.packageDigest === withdrawn;
    if (!isIt(state.serving) && !isIt(state.previous)) return state;
    const left: StoreState = {
      ...state,
      serving: isIt(state.serving) ? null : state.serving,
      previous: isIt(state.previous) ? null : state.previous,
    };
    store.setState(left);
    log('warn', 'a package was taken back by its release', { packageDigest: withdrawn });
    this.#noteRefusal(withdrawn, TAKEN_BACK);
    return left;
  }

  #noteRefusal(packageDigest: string, reason: string): void {
    this.#lastRefusal = { packageDigest, reason: reason.slice(0, 500), at: this.#now() };
  }

  #reportRegularly(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#report(), this.#config.reportSeconds * 1000);
    this.#timer.unref();
  }

  /**
   * Follows a new configuration without a restart. A device that is given to another model line stops serving the old
   * one at once: until a package of the new line is adopted, the fallback answers. So does one whose package was taken
   * back, until the package it may go back to serves.
   */
  configure(config: RuntimeConfig): void {
    const old = this.#unit;
    const before = this.#config;
    if (JSON.stringify(config) === JSON.stringify(before)) return;
    const isTakenBack = old !== null && config.withdrawn === old.serving.packageDigest;
    if (old !== null && (isTakenBack || config.modelLine !== before.modelLine)) {
      this.#sendHistogram(old);
      this.#unit = null;
      this.#counts = { decided: 0, undecided: 0, fallback: 0, held: 0 };
      this.#latencies = [];
      this.#windows.clear();
      old.retired = true;
      this.#closeIfRetired(old);
    }
    this.#config = config;
    if (this.#closed) return;
    if (config.withdrawn !== before.withdrawn) {
      const { serving, previous } = this.#takeBack();
      // Sooner than its weights component is started again; that then finds it serving.
      if (isTakenBack && serving === null && previous !== null && previous.packageDigest === config.revertTo)
        this.#inTurn(async () => {
          if (this.#unit === null && (await this.#goBackTo(previous))) this.#report();
        }).catch((error) => this.#deps.log('error', 'the package before it cannot serve', { error: error.message }));
    }
    if (config.reportSeconds !== before.reportSeconds) this.#reportRegularly();
    this.#report();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#flush();
    this.#unit?.model?.close();
  }

  #keptOf(asset: string): number[] {
    const known = this.#kept.get(asset);
    if (known !== undefined) return known;
    const rows: number[] = [];
    this.#kept.set(asset, rows);
    return rows;
  }

  #held(d: StoredDecision): DecisionRecord {
    const { device } = this.#deps;
    const config = this.#config;
    const i = d.intent;
    return {
      schema: 'decision/1',
      id: `${config.site}/${device}/${d.boot}/${d.sequence}`,
      site: config.site,
      device,
      boot: d.boot,
      sequence: d.sequence,
      modelLine: config.modelLine,
      asset: i.asset,
      run: i.run,
      index: i.index,
      sourceTime: i.sourceTime,
      decidedAt: this.#now(),
      verdict: 'held',
      value: null,
      reason: 'the result was lost with the process that worked on it',
      packageDigest: i.packageDigest,
      variant: null,
      featureSetDigest: i.featureSetDigest,
      inputDigest: i.inputDigest,
      features: null,
      latencyMs: null,
    };
  }

  // ---- deciding ----

  /**
   * Decides about a frame. A frame that was decided before (same asset, run, index) gets the same answer.
   * @returns the record, once it is on the disk.
   * @throws {ContractError} when it is no frame of this site: sending it again will not help.
   * @throws {Error} when the disk does not take the record: send it again.
   */
  decide(input: unknown): Promise<DecisionRecord> {
    const started = this.#deps.monotonic();
    const frame = parseAs(Frame, input, 'frame');
    if (frame.site !== this.#config.site)
      throw new ContractError('frame', [`site: expected ${this.#config.site}, got ${frame.site}`]);
    const key = `${frame.asset}/${frame.run}/${frame.index}`;
    const already = this.#underWay.get(key);
    if (already !== undefined) return already;
    const promise = this.#decideOnce(frame, started).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, promise);
    return promise;
  }

  async #decideOnce(frame: Frame, started: number): Promise<DecisionRecord> {
    const { spool } = this.#deps;
    const before = spool.find(frame.asset, frame.run, frame.index);
    if (before?.record) return before.record;
    if (before !== null) {
      // Its result did not reach the disk although its intent did.
      const record = this.#held(before);
      spool.setRecord(before.row, canonicalJson(record));
      return record;
    }
    const unit = this.#unit;
    const vector = this.#vector(unit, frame);
    const attempt = this.#attempt(unit, vector, started);
    const intent: Intent = {
      asset: frame.asset,
      run: frame.run,
      index: frame.index,
      sourceTime: frame.sourceTime,
      decidedAt: this.#now(),
      inputDigest: digestOf(frame),
      packageDigest: unit?.serving.packageDigest ?? null,
      featureSetDigest: unit?.manifest.featureSetDigest ?? null,
    };
    return new Promise<DecisionRecord>((resolve, reject) => {
      const pending: Pending = {
        frame,
        text: JSON.stringify(frame),
        intent,
        row: 0,
        sequence: 0,
        make: null,
        record: null,
        x: vector?.ok === true ? vector.x : null,
        unit,
        resolve,
        reject,
      };
      this.#commitSoon(pending);
      attempt.then((a) => {
        const latencyMs = this.#deps.monotonic() - started;
        pending.make = (sequence) => this.#record(pending, a, sequence, latencyMs);
        // Its intent may have failed meanwhile: then it was rejected already.
        if (pending.row >= 0) this.#commitSoon(pending);
      });
    });
  }

  /** Never throws: whatever is wrong with features or frames, the line gets an answer. */
  #vector(unit: Unit | null, frame: Frame): Vector | null {
    if (unit === null) return null;
    const { featureSet, signals } = unit.manifest;
    try {
      let window = this.#windows.get(frame.asset);
      if (window === undefined) {
        window = new FrameWindow(signals, windowLength(featureSet));
        this.#windows.set(frame.asset, window);
      }
      return featureVector(featureSet, window.push(frame), signals);
    } catch (error) {
      return { ok: false, why: `the features could not be computed: ${(error as Error).message}` };
    }
  }

  /** Asks the model within the budget that began at `started`; never rejects. */
  async #attempt(unit: Unit | null, vector: Vector | null, started: number): Promise<Attempt> {
    if (unit === null || vector === null)
      return this.#config.withdrawn === ''
        ? { kind: 'no-package' }
        : { kind: 'no-package', why: 'the model was taken back; no other has been adopted yet' };
    if ('why' in vector) return { kind: 'failed', why: vector.why };
    if (!vector.ok) return { kind: 'missing-features', names: vector.missing };
    const { model } = unit;
    if (model === null) return { kind: 'failed', why: 'the model is being loaded again' };
    const budget = unit.manifest.latencyBudgetMs;
    unit.underWay += 1;
    const hung = setTimeout(() => {
      this.#deps.log('error', 'the model hangs; its process is ended');
      if (unit.model === model) this.#recover(unit);
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
        unit.underWay -= 1;
        this.#closeIfRetired(unit);
      });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Attempt>((resolve) => {
      timer = setTimeout(
        () => resolve({ kind: 'late', afterMs: budget }),
        Math.max(0, budget - (this.#deps.monotonic() - started)),
      );
    });
    const first = await Promise.race([answer, late]);
    clearTimeout(timer);
    return first;
  }

  #record(pending: Pending, attempt: Attempt, sequence: number, latencyMs: number): DecisionRecord {
    const { device } = this.#deps;
    const config = this.#config;
    const { frame, intent, unit, x } = pending;
    const decidedAt = this.#now();
    const judgement = judge(unit?.manifest ?? null, x, attempt, decidedAt);
    return {
      schema: 'decision/1',
      id: `${config.site}/${device}/${this.#boot}/${sequence}`,
      site: config.site,
      device,
      boot: this.#boot,
      sequence,
      modelLine: config.modelLine,
      asset: frame.asset,
      run: frame.run,
      index: frame.index,
      sourceTime: frame.sourceTime,
      decidedAt,
      verdict: judgement.verdict,
      value: judgement.value,
      reason: judgement.reason,
      packageDigest: intent.packageDigest,
      variant: attempt.kind === 'answer' ? (unit?.serving.variant ?? null) : null,
      featureSetDigest: intent.featureSetDigest,
      inputDigest: intent.inputDigest,
      features: x === null ? null : [...x],
      latencyMs: Math.round(latencyMs * 1000) / 1000,
    };
  }

  // ---- durable ----

  #commitSoon(pending: Pending): void {
    this.#dirty.add(pending);
    if (this.#flushing) return;
    this.#flushing = true;
    // Everything that arrives in this turn of the loop shares one commit.
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    const batch = [...this.#dirty];
    this.#dirty.clear();
    if (batch.length === 0) return;
    const { spool } = this.#deps;
    const sequence = this.#sequence;
    const fresh = batch.filter((p) => p.row === 0);
    const done: Pending[] = [];
    let kept: ReadonlyMap<string, number[]>;
    try {
      kept = spool.transaction(() => {
        for (const p of batch) {
          if (p.row === 0) {
            p.sequence = ++this.#sequence;
            p.row = spool.insertIntent(this.#boot, p.sequence, p.intent, p.text, this.#deps.clock());
          }
          if (p.make === null) continue;
          p.record = p.make(p.sequence);
          spool.setRecord(p.row, canonicalJson(p.record));
          done.push(p);
        }
        return this.#releaseOld(fresh);
      });
    } catch (error) {
      // Nothing of it is on the disk: the sequence has no gap, and the machine sends its frame again.
      this.#sequence = sequence;
      for (const p of fresh) p.row = -1;
      for (const p of batch) p.reject(new Error(`the spool did not take the decision: ${(error as Error).message}`));
      return;
    }
    // Only now is it true.
    for (const [asset, rows] of kept) this.#kept.set(asset, rows);
    for (const p of done) {
      p.resolve(p.record as DecisionRecord);
      this.#count(p, p.record as DecisionRecord);
    }
  }

  /** Within the transaction. @returns the rows that are kept once it is committed, by asset. */
  #releaseOld(fresh: readonly Pending[]): ReadonlyMap<string, number[]> {
    const keep = Math.max(MIN_KEPT, this.#unit === null ? 0 : windowLength(this.#unit.manifest.featureSet));
    const kept = new Map<string, number[]>();
    for (const { frame, row } of fresh) {
      const rows = kept.get(frame.asset) ?? [...this.#keptOf(frame.asset)];
      kept.set(frame.asset, rows);
      rows.push(row);
      while (rows.length > keep) this.#deps.spool.release(rows.shift() as number);
    }
    return kept;
  }

  #count(p: Pending, record: DecisionRecord): void {
    if (p.unit !== this.#unit) return;
    if (record.verdict === 'fallback') this.#counts.fallback += 1;
    else if (record.verdict === 'undecided') this.#counts.undecided += 1;
    else this.#counts.decided += 1;
    if (record.latencyMs !== null) {
      this.#latencies.push(record.latencyMs);
      if (this.#latencies.length > LATENCIES) this.#latencies.shift();
    }
    if (p.unit === null || p.x === null) return;
    p.unit.histogram.add(record.sequence, p.x);
    if (p.unit.histogram.decisions >= this.#config.digestEvery) this.#sendHistogram(p.unit);
  }

  /** What the disk does not take stays in the histogram, for the next time. */
  #sendHistogram(unit: Unit): void {
    const { device, spool, log } = this.#deps;
    const config = this.#config;
    const digests = unit.histogram.digests({
      site: config.site,
      device,
      boot: this.#boot,
      modelLine: config.modelLine,
      packageDigest: unit.serving.packageDigest,
    });
    const topic = digestTopic(config.stage, config.site, device);
    try {
      spool.transaction(() => {
        for (const d of digests) spool.putMessage(topic, JSON.stringify(d), this.#deps.clock(), null);
      });
      unit.histogram.clear();
    } catch (error) {
      log('error', 'the spool did not take a histogram', { error: (error as Error).message });
    }
  }

  // ---- adopting ----

  /**
   * Takes a package into service, or says why not; what serves goes on serving until then, and if not, after.
   * @param dir folder with the package's files.
   * @param digest package digest that the deployment names.
   */
  adopt(dir: string, digest: string): Promise<AdoptAnswer> {
    return this.#inTurn(() => this.#adoptNow(dir, digest));
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const next = this.#adopting.then(change);
    this.#adopting = next.catch(() => {});
    return next;
  }

  /** @param source folder to adopt it from again should it be damaged; empty = none. */
  async #adoptNow(dir: string, digest: string, source = dir): Promise<AdoptAnswer> {
    const { store, log } = this.#deps;
    let staged: string | null = null;
    try {
      this.configure(await this.#deps.readConfig());
      const current = this.#unit;
      if (current?.serving.packageDigest === digest && current.model !== null) {
        const { variant } = current.serving;
        const known = store.state();
        if (known.serving !== null && known.serving.source !== source)
          store.setState({ ...known, serving: { ...known.serving, source } });
        return { adopted: true, packageDigest: digest, variant, reason: 'already serving' };
      }
      const config = this.#config;
      staged = store.stage(dir, this.#deps.chance());
      const state = store.state();
      const verdict = verifyPackage(readClaim(staged, digest), {
        modelLine: config.modelLine,
        now: this.#now(),
        verifySignature: signatureCheck(config.trustedKeys),
        serving: state.serving,
        highestRelease: state.highestRelease[config.modelLine] ?? 0,
        revertTo: config.revertTo,
        withdrawn: config.withdrawn,
      });
      if (!verdict.ok) return this.#refuse(digest, verdict.reason);
      const { manifest } = verdict;
      const tried = await this.#tryVariants(manifest, staged);
      if (!tried.ok) return this.#refuse(digest, tried.reason);
      if (!this.#isWanted(manifest.modelLine, digest)) {
        tried.runner.close();
        return this.#refuse(digest, 'the configuration changed meanwhile: it is not wanted here any more');
      }
      const serving: Serving = {
        packageDigest: digest,
        variant: tried.runner.variant,
        releaseNumber: manifest.releaseNumber,
        adoptedAt: this.#now(),
        bench: [...tried.bench],
        source,
      };
      const baseline = this.#baseline(staged);
      store.commit(staged, digest);
      store.setState({
        serving,
        previous: this.#lastGood(state, serving),
        highestRelease: {
          ...state.highestRelease,
          [manifest.modelLine]: Math.max(state.highestRelease[manifest.modelLine] ?? 0, manifest.releaseNumber),
        },
      });
      this.#serve({
        manifest,
        serving,
        histogram: new FeatureHistogram(baseline),
        model: tried.runner,
        underWay: 0,
        retired: false,
      });
      this.#lastRefusal = null;
      log('info', 'adopted', { packageDigest: digest, variant: serving.variant, bench: serving.bench });
      this.#report();
      return { adopted: true, packageDigest: digest, variant: serving.variant, reason: tried.reason };
    } catch (error) {
      return this.#refuse(digest, (error as Error).message);
    } finally {
      if (staged !== null) store.discard(staged);
    }
  }

  /** Loading takes a while, in which the device may be given to another line, or the package be taken back. */
  #isWanted(modelLine: string, digest: string): boolean {
    return modelLine === this.#config.modelLine && digest !== this.#config.withdrawn;
  }

  /** What may take the place of a package that turns out bad: never one that was gone back from. */
  #lastGood({ serving, previous }: StoreState, next: Serving): Serving | null {
    const last = serving === null || serving.packageDigest === next.packageDigest ? previous : serving;
    return last !== null && last.releaseNumber < next.releaseNumber ? last : null;
  }

  #baseline(dir: string): Baseline {
    return parseAs(Baseline, JSON.parse(readFileSync(join(dir, 'baseline.json'), 'utf8')), 'baseline.json');
  }

  #refuse(digest: string, reason: string): AdoptAnswer {
    this.#deps.log('warn', 'refused a package', { packageDigest: digest, reason });
    this.#noteRefusal(digest, reason);
    this.#report();
    return { adopted: false, packageDigest: digest, variant: null, reason };
  }

  /** Loads every admitted variant beside the serving one, compares golden samples, measures, and keeps the fastest. */
  async #tryVariants(
    manifest: ModelPackageManifest,
    dir: string,
  ): Promise<
    | { readonly ok: true; readonly runner: Runner; readonly bench: readonly BenchResult[]; readonly reason: string }
    | { readonly ok: false; readonly reason: string }
  > {
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

  /** Loads a package from the store as it served before; null when it is no longer whole. */
  async #resume(serving: Serving): Promise<Unit | null> {
    const { store, log } = this.#deps;
    const config = this.#config;
    const dir = store.path(serving.packageDigest);
    try {
      const verdict = verifyPackage(readClaim(dir, serving.packageDigest), {
        modelLine: config.modelLine,
        now: null,
        verifySignature: signatureCheck(config.trustedKeys),
        serving,
        highestRelease: store.state().highestRelease[config.modelLine] ?? 0,
        revertTo: config.revertTo,
        withdrawn: config.withdrawn,
      });
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
      return {
        manifest,
        serving,
        histogram: new FeatureHistogram(this.#baseline(dir)),
        model,
        underWay: 0,
        retired: false,
      };
    } catch (error) {
      log('error', 'a stored package cannot serve', {
        packageDigest: serving.packageDigest,
        reason: (error as Error).message,
      });
      return null;
    }
  }

  /** Between two frames, in one step: what is under way ends with the old model, what comes asks the new one. */
  #serve(unit: Unit): void {
    const old = this.#unit;
    this.#unit = unit;
    if (old !== null) {
      this.#sendHistogram(old);
      this.#counts = { decided: 0, undecided: 0, fallback: 0, held: 0 };
      this.#latencies = [];
      old.retired = true;
      this.#closeIfRetired(old);
    } else if (unit !== null) this.#counts = { ...this.#counts, decided: 0, undecided: 0, fallback: 0 };
    this.#windows.clear();
    for (const { frame } of this.#deps.spool.kept()) if (frame !== null) this.#vector(unit, JSON.parse(frame) as Frame);
    this.#watch(unit);
  }

  #watch(unit: Unit): void {
    unit.model?.onCrash(() => {
      this.#deps.log('error', 'the process of the model ended; it is started again');
      this.#recover(unit);
    });
  }

  #closeIfRetired(unit: Unit): void {
    if (unit.retired && unit.underWay === 0) unit.model?.close();
  }

  /** Starts the model again, ever slower; after some failures goes back to the last good package. */
  async #recover(unit: Unit): Promise<void> {
    unit.model?.close();
    unit.model = null;
    for (let failures = 0; !this.#closed && this.#unit === unit; failures++) {
      if (failures > 0) await sleep(Math.min(30_000, 250 * 2 ** failures));
      const again = await this.#resume(unit.serving);
      if (this.#closed || this.#unit !== unit) {
        again?.model?.close();
        return;
      }
      if (again !== null) {
        unit.model = again.model;
        this.#watch(unit);
        return;
      }
      if (failures + 1 < RETRIES_BEFORE_PREVIOUS) continue;
      const isBack = await this.#inTurn(async () => {
        const { previous } = this.#deps.store.state();
        return this.#unit === unit && previous !== null && (await this.#goBackTo(previous));
      });
      if (!isBack) continue;
      this.#noteRefusal(unit.serving.packageDigest, 'its process ended again and again; the last good package serves');
      this.#report();
      return;
    }
  }

  // ---- reporting ----

  /** What the device serves and how it is doing. */
  status(): DeviceReport {
    const { device, spool } = this.#deps;
    const config = this.#config;
    const sorted = [...this.#latencies].sort((a, b) => a - b);
    const s = this.#unit?.serving ?? null;
    return {
      schema: 'device-report/1',
      site: config.site,
      device,
      deviceClass: config.deviceClass,
      boot: this.#boot,
      at: this.#now(),
      modelLine: config.modelLine,
      serving:
        s === null
          ? null
          : {
              packageDigest: s.packageDigest,
              releaseNumber: s.releaseNumber,
              variant: s.variant,
              adoptedAt: s.adoptedAt,
              bench: s.bench,
            },
      sinceAdoption: {
        ...this.#counts,
        latencyP50Ms: quantile(sorted, 0.5),
        latencyP99Ms: quantile(sorted, 0.99),
      },
      lastRefusal: this.#lastRefusal,
      spool: spool.pending(),
    };
  }

  #report(): void {
    const { device, spool, log } = this.#deps;
    const config = this.#config;
    const report = this.status();
    try {
      spool.putMessage(
        reportTopic(config.stage, config.site, device),
        JSON.stringify(report),
        this.#deps.clock(),
        `report/${report.serving?.packageDigest ?? 'none'}/${report.lastRefusal?.packageDigest ?? 'none'}`,
      );
    } catch (error) {
      log('error', 'the spool did not take a report', { error: (error as Error).message });
    }
  }
}
