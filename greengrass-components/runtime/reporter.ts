import type { DecisionRecord } from '#core/contracts/decision.ts';
import { type DeviceReport, digestTopic, type RuntimeConfig, reportTopic } from '#core/contracts/device.ts';
import { digestParts } from '#core/drift/sketch/digest-parts.ts';
import type { OpenWindow } from '#core/drift/sketch/open-windows.ts';
import type { Spool } from '../shared/spool.ts';
import type { RuntimeDeps } from './runtime-deps.ts';
import type { ServingUnit } from './serving-unit.ts';

export interface ReporterDeps extends Pick<RuntimeDeps, 'device' | 'clock' | 'log'> {
  readonly spool: Spool;
  readonly config: () => RuntimeConfig;
  readonly unit: () => ServingUnit | null;
  readonly shadow: () => DeviceReport['shadow'];
}

const LATENCIES = 1000;
/** Pause between reports that are sent because there is news. */
const NEWS_MS = 1000;
const NOTHING = { decided: 0, undecided: 0, fallback: 0, held: 0 };

const quantile = (sorted: readonly number[], q: number): number | null =>
  sorted.length === 0 ? null : (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] as number);

/** Counts what the device decides, and says it: reports at their times, feature digests when enough was decided. */
export class Reporter {
  readonly #deps: ReporterDeps;
  #boot = '';
  #counts = { ...NOTHING };
  #latencies: number[] = [];
  #lastRefusal: DeviceReport['lastRefusal'] = null;
  #timer: NodeJS.Timeout | null = null;
  #news: NodeJS.Timeout | null = null;

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
  }

  #now(): string {
    return new Date(this.#deps.clock()).toISOString();
  }

  /** @param held decisions of earlier boots whose result was lost. */
  begin(boot: string, held: number): void {
    this.#boot = boot;
    this.#counts.held = held;
  }

  /** Reports at once and then every `reportSeconds`. */
  start(): void {
    this.report();
    this.reportRegularly();
  }

  reportRegularly(): void {
    this.stop();
    this.#timer = setInterval(() => this.report(), this.#deps.config().reportSeconds * 1000);
    this.#timer.unref();
  }

  /** Reports within a second; what comes until then goes with it. */
  reportSoon(): void {
    if (this.#news !== null) return;
    this.#news = setTimeout(() => {
      this.#news = null;
      this.report();
    }, NEWS_MS);
    this.#news.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#news !== null) clearTimeout(this.#news);
    this.#news = null;
  }

  /** Another package serves, or none: counts begin anew. Before the first one, what was held stays counted. */
  beginAnew(isFirst: boolean): void {
    this.#counts = isFirst ? { ...NOTHING, held: this.#counts.held } : { ...NOTHING };
    if (!isFirst) this.#latencies = [];
  }

  /** Null: the last refusal is over. */
  noteRefusal(refusal: { readonly packageDigest: string; readonly reason: string } | null): void {
    this.#lastRefusal =
      refusal === null
        ? null
        : { packageDigest: refusal.packageDigest, reason: refusal.reason.slice(0, 500), at: this.#now() };
  }

  /**
   * Counts a decision of the package that serves.
   * @param x the vector the model saw; null when there was none. @param context of its frame.
   */
  count(record: DecisionRecord, unit: ServingUnit | null, x: readonly number[] | null, context: string): void {
    if (record.verdict === 'fallback') this.#counts.fallback += 1;
    else if (record.verdict === 'undecided') this.#counts.undecided += 1;
    else this.#counts.decided += 1;
    if (record.latencyMs !== null) {
      this.#latencies.push(record.latencyMs);
      if (this.#latencies.length > LATENCIES) this.#latencies.shift();
    }
    if (unit === null || x === null) return;
    const { sequence, asset, sourceTime } = record;
    unit.counted.add({ sequence, asset, sourceTime, context, x });
    this.#sendWindows(unit, unit.counted.complete(this.#deps.config().digestEvery));
  }

  /** Sends what was counted so far, for it will not go on. */
  sendCounted(unit: ServingUnit): void {
    this.#sendWindows(unit, unit.counted.all());
  }

  /** What the disk does not take stays counted, for the next time. */
  #sendWindows(unit: ServingUnit, windows: readonly OpenWindow[]): void {
    const { device, spool, log, clock } = this.#deps;
    const { stage, site, modelLine } = this.#deps.config();
    const topic = digestTopic(stage, site, device);
    const of = { site, device, boot: this.#boot, modelLine, packageDigest: unit.packageDigest };
    for (const open of windows)
      try {
        const window = open.sketch.window({ ...of, context: open.context });
        const parts = window === null ? [] : digestParts(window);
        spool.transaction(() => {
          for (const part of parts) spool.putMessage(topic, JSON.stringify(part), clock(), null);
        });
        unit.counted.begin(open);
      } catch (error) {
        log('error', 'the spool did not take what was counted', { error: (error as Error).message });
      }
  }

  /** What the device serves and how it is doing. */
  status(): DeviceReport {
    const { device, spool } = this.#deps;
    const config = this.#deps.config();
    const sorted = [...this.#latencies].sort((a, b) => a - b);
    const s = this.#deps.unit()?.serving ?? null;
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
      shadow: this.#deps.shadow() ?? null,
      spool: spool.pending(),
    };
  }

  report(): void {
    const { device, spool, log, clock } = this.#deps;
    const config = this.#deps.config();
    const report = this.status();
    try {
      spool.putMessage(
        reportTopic(config.stage, config.site, device),
        JSON.stringify(report),
        clock(),
        `report/${report.serving?.packageDigest ?? 'none'}/${report.lastRefusal?.packageDigest ?? 'none'}`,
      );
    } catch (error) {
      log('error', 'the spool did not take a report', { error: (error as Error).message });
    }
  }
}
