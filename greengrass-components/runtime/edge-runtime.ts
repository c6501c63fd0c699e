import type { DecisionRecord } from '#core/contracts/decision.ts';
import type { AdoptAnswer, DeviceReport, RuntimeConfig } from '#core/contracts/device.ts';
import { ContractError, parseAs } from '#core/contracts/errors.ts';
import { Frame } from '#core/contracts/frame.ts';
import { type Attempt, judge } from '#core/inference/decide.ts';
import { digestOf } from '#core/lineage/digest.ts';
import type { Intent, StoredDecision } from '../shared/spool.ts';
import { Adoption } from './adoption.ts';
import { DecisionJournal } from './decision-journal.ts';
import type { Serving } from './package-store.ts';
import { Reporter } from './reporter.ts';
import type { RuntimeDeps } from './runtime-deps.ts';
import type { ServingUnit } from './serving-unit.ts';
import { type Opinion, Shadow } from './shadow.ts';

const RETRIES_BEFORE_PREVIOUS = 3;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref());

/**
 * The heart of the device: answers every frame, with or without a model, and only after the answer is durable.
 * One instance a process; `start` first.
 */
export class EdgeRuntime {
  readonly #deps: RuntimeDeps;
  readonly #adoption: Adoption;
  readonly #reporter: Reporter;
  readonly #shadow: Shadow;
  readonly #underWay = new Map<string, Promise<DecisionRecord>>();
  #journal: DecisionJournal | null = null;
  #config: RuntimeConfig;
  #boot = '';
  #unit: ServingUnit | null = null;
  #closed = false;

  constructor(deps: RuntimeDeps) {
    this.#deps = deps;
    this.#config = deps.config;
    const config = () => this.#config;
    const unit = () => this.#unit;
    this.#reporter = new Reporter({ ...deps, config, unit, shadow: () => this.#shadow.report() });
    this.#adoption = new Adoption(deps, {
      config,
      unit,
      configure: (c) => this.configure(c),
      serve: (u) => this.#serve(u),
      noteRefusal: (refusal) => this.#reporter.noteRefusal(refusal),
      report: () => this.#reporter.report(),
    });
    this.#shadow = new Shadow({
      ...deps,
      config,
      resume: (serving) => this.#adoption.resume(serving),
      onBatch: () => this.#reporter.reportSoon(),
    });
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
    const { spool, log, clock } = this.#deps;
    this.#boot = spool.newBoot(this.#deps.chance());
    this.#journal = new DecisionJournal(this.#boot, {
      spool,
      clock,
      windowLength: () => this.#unit?.windowLength ?? 0,
      held: (d) => this.#held(d),
    });
    const held = this.#journal.finishOpen();
    this.#reporter.begin(this.#boot, held);
    await this.#adoption.takeUp();
    log('info', 'started', { boot: this.#boot, held, serving: this.#unit?.packageDigest ?? null });
    this.#reporter.start();
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
    const isTakenBack = old !== null && config.withdrawn === old.packageDigest;
    if (old !== null && (isTakenBack || config.modelLine !== before.modelLine)) {
      this.#reporter.sendCounted(old);
      this.#unit = null;
      this.#reporter.beginAnew(false);
      old.retire();
    }
    this.#config = config;
    if (this.#closed) return;
    if (config.withdrawn !== before.withdrawn) {
      const { serving, previous } = this.#adoption.takeBack();
      if (isTakenBack && serving === null && previous !== null && previous.packageDigest === config.revertTo)
        this.#goBack(previous);
    }
    if (this.#unit === null || JSON.stringify(config.shadow) !== JSON.stringify(before.shadow))
      this.#shadow.follow(this.#unit);
    if (config.reportSeconds !== before.reportSeconds) this.#reporter.reportRegularly();
    this.#reporter.report();
  }

  /** Sooner than its weights component is started again; that then finds it serving. */
  #goBack(previous: Serving): void {
    const ready = this.#shadow.take(previous.packageDigest);
    if (ready !== null && this.#adoption.goBackWith(ready, previous)) return;
    this.#adoption
      .inTurn(async () => {
        if (this.#unit === null && (await this.#adoption.goBackTo(previous))) this.#reporter.report();
      })
      .catch((error) => this.#deps.log('error', 'the package before it cannot serve', { error: error.message }));
  }

  close(): void {
    this.#closed = true;
    this.#reporter.stop();
    this.#journal?.flush();
    this.#shadow.end();
    this.#unit?.close();
  }

  /**
   * Takes a package into service, or says why not; what serves goes on serving until then, and if not, after.
   * @param dir folder with the package's files.
   * @param digest package digest that the deployment names.
   */
  adopt(dir: string, digest: string): Promise<AdoptAnswer> {
    return this.#adoption.adopt(dir, digest);
  }

  /** What the device serves and how it is doing. */
  status(): DeviceReport {
    return this.#reporter.status();
  }

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
    const journal = this.#journal;
    if (journal === null) throw new Error('the runtime has not started; call start() first');
    const before = journal.answered(frame);
    if (before !== null) return before;
    const unit = this.#unit;
    const vector = unit?.vector(frame) ?? null;
    const x = vector?.ok === true ? vector.x : null;
    const attempt: Promise<Attempt> =
      unit === null || vector === null
        ? Promise.resolve(this.#withoutPackage())
        : unit.attempt(vector, unit.manifest.latencyBudgetMs - (this.#deps.monotonic() - started), () => {
            this.#deps.log('error', 'the model hangs; its process is ended');
            this.#recover(unit);
          });
    const opinion = unit === null || vector === null ? null : this.#shadow.ask(frame, unit, vector);
    const intent: Intent = {
      asset: frame.asset,
      run: frame.run,
      index: frame.index,
      sourceTime: frame.sourceTime,
      decidedAt: this.#now(),
      inputDigest: digestOf(frame),
      packageDigest: unit?.packageDigest ?? null,
      featureSetDigest: unit?.manifest.featureSetDigest ?? null,
    };
    const made = attempt.then((a) => {
      const latencyMs = this.#deps.monotonic() - started;
      return (sequence: number) => this.#record({ frame, intent, unit, x, opinion }, a, sequence, latencyMs);
    });
    const record = await journal.write(frame, intent, made);
    if (unit === this.#unit) this.#reporter.count(record, unit, x, frame.context);
    attempt.then((a) => opinion?.compareWith(a));
    return record;
  }

  #withoutPackage(): Attempt {
    return this.#config.withdrawn === ''
      ? { kind: 'no-package' }
      : { kind: 'no-package', why: 'the model was taken back; no other has been adopted yet' };
  }

  #record(
    of: {
      readonly frame: Frame;
      readonly intent: Intent;
      readonly unit: ServingUnit | null;
      readonly x: readonly number[] | null;
      readonly opinion: Opinion | null;
    },
    attempt: Attempt,
    sequence: number,
    latencyMs: number,
  ): DecisionRecord {
    const { device } = this.#deps;
    const config = this.#config;
    const { frame, intent, unit, x, opinion } = of;
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
      ...(opinion === null ? {} : { shadow: opinion.said() }),
    };
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

  /** Between two frames, in one step: what is under way ends with the old model, what comes asks the new one. */
  #serve(unit: ServingUnit): void {
    const old = this.#unit;
    this.#unit = unit;
    if (old !== null) this.#reporter.sendCounted(old);
    this.#shadow.begin(unit, old);
    this.#reporter.beginAnew(old === null);
    unit.remember(this.#deps.spool.kept());
    this.#watch(unit);
  }

  #watch(unit: ServingUnit): void {
    unit.onCrash(() => {
      this.#deps.log('error', 'the process of the model ended; it is started again');
      this.#recover(unit);
    });
  }

  /** Starts the model again, ever slower; after some failures goes back to the last good package. */
  async #recover(unit: ServingUnit): Promise<void> {
    unit.dropModel();
    for (let failures = 0; !this.#closed && this.#unit === unit; failures++) {
      if (failures > 0) await sleep(Math.min(30_000, 250 * 2 ** failures));
      const again = await this.#adoption.resume(unit.serving);
      if (this.#closed || this.#unit !== unit) {
        again?.close();
        return;
      }
      if (again !== null) {
        unit.takeModelOf(again);
        this.#watch(unit);
        return;
      }
      if (failures + 1 < RETRIES_BEFORE_PREVIOUS) continue;
      const isBack = await this.#adoption.inTurn(async () => {
        const { previous } = this.#deps.store.state();
        return this.#unit === unit && previous !== null && (await this.#adoption.goBackTo(previous));
      });
      if (!isBack) continue;
      this.#reporter.noteRefusal({
        packageDigest: unit.packageDigest,
        reason: 'its process ended again and again; the last good package serves',
      });
      this.#reporter.report();
      return;
    }
  }
}
