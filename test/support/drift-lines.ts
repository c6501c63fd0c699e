import { type DecisionRecord, decisionObjectKey } from '#core/contracts/decision.ts';
import type { DriftWindow } from '#core/contracts/drift.ts';
import type { RecordClass } from '#core/contracts/ledger.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import type { UseCase } from '#core/contracts/use-case.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { digestOf, merkleRoot } from '#core/lineage/digest.ts';
import { windowOfRows } from '../../bench/drift/baseline-of-rows.ts';
import { aModelLine } from './a-model-line.ts';
import { HOUR, machineBaseline, normal, ROWS, rowsOf, START } from './drift-device.ts';

const SITE = 'plant-a';
/** Frames until a unit fails. */
const LIFE = 10;
/** Hours from where one unit begins to the next. */
const UNIT = 48;
const at = (hours: number): string => new Date(START + hours * HOUR).toISOString();

/** A model line of its own with one device and one machine; the package is that of {@link machineBaseline}. */
export class DriftLine {
  readonly modelLine: string;
  readonly packageDigest: string;
  readonly asset: string;
  readonly useCase: UseCase;
  readonly device: string;
  readonly hours: number;

  /**
   * @param id of its use case, which judges like `like`. @param device the name of its device.
   * @param hours that a window lasts.
   */
  constructor(id: string, like: UseCase, device: string, hours: number) {
    this.device = device;
    this.hours = hours;
    this.useCase = { ...like, id };
    this.modelLine = `${id}/${SITE}`;
    this.packageDigest = digestOf(id);
    this.asset = `machine-of-${id}`;
  }

  /** What the registry knows of it. */
  records(): readonly (readonly [RecordClass, string, Record<string, unknown>])[] {
    const { modelLine, packageDigest, useCase } = this;
    const useCaseDigest = digestOf(useCase);
    return [
      ['use-case', useCaseDigest, { ...useCase }],
      ['package', packageDigest, { modelLine, validationLoss: { mean: 0.05, upper: 0.08, runs: 20 } }],
      ['model-line', modelLine, { ...aModelLine(modelLine, useCaseDigest, packageDigest) }],
    ];
  }

  /** One window for each of `shifts`, in standard deviations of the features. */
  windows(shifts: readonly (readonly number[])[], seed: number): readonly DriftWindow[] {
    const { modelLine, packageDigest, device, asset, hours } = this;
    const next = normal(seed);
    return shifts.map((shift, i) => ({
      ...windowOfRows(machineBaseline(), {
        rows: rowsOf(next, ROWS, shift),
        sequence: 1 + i * ROWS,
        at: START + i * hours * HOUR,
        every: (hours * HOUR) / ROWS,
        asset,
      }),
      ...{ modelLine, packageDigest, device },
    }));
  }

  /** A change of its machine when the given window begins, and when it became known. */
  changeover(window: number, known = window): PlantEvent {
    return this.#event(`changeover-${window}`, 'changeover', at(window * this.hours), at(known * this.hours));
  }

  /** Decisions on units that lived so long, as an object of its device; right ones, or always that nothing is wrong. */
  decisions(units: readonly number[], says: 'right' | 'nothing wrong') {
    const records = units.flatMap((unit) =>
      Array.from({ length: LIFE }, (_, i) => this.#decision(unit, i + 1, says === 'right' ? LIFE - i - 1 : null)),
    );
    const lines = records.map((d) => canonicalJson(d));
    const header = {
      ...{ schema: 'decision-object/1' as const, site: SITE, device: this.device, boot: 'boot-1' },
      firstSequence: records[0]?.sequence as number,
      lastSequence: records.at(-1)?.sequence as number,
      count: lines.length,
      merkleRoot: merkleRoot(lines),
      packageDigests: [this.packageDigest],
    };
    return { key: decisionObjectKey('local', header), text: [JSON.stringify(header), ...lines].join('\n') };
  }

  /** That these units failed. */
  failures(units: readonly number[]): readonly PlantEvent[] {
    return units.map((n) => ({
      ...this.#event(`failure-${n}`, 'failure', at(UNIT * n + LIFE), at(UNIT * n + 15)),
      ...{ run: `r${n}`, index: LIFE },
    }));
  }

  #event(name: string, kind: PlantEvent['kind'], validTime: string, knownTime: string): PlantEvent {
    return {
      ...{ schema: 'plant-event/1', eventId: `${name}-${this.asset}`, kind, site: SITE, asset: this.asset },
      ...{ run: null, index: null, validTime, knownTime, reportedBy: 'shift', detail: {} },
    };
  }

  #decision(unit: number, index: number, value: number | null): DecisionRecord {
    const sequence = unit * LIFE + index;
    return {
      schema: 'decision/1',
      id: `${SITE}/${this.device}/boot-1/${sequence}`,
      ...{ site: SITE, device: this.device, boot: 'boot-1', sequence, modelLine: this.modelLine },
      ...{
        asset: this.asset,
        run: `r${unit}`,
        index,
        sourceTime: at(UNIT * unit + index),
        decidedAt: at(UNIT * unit + index),
      },
      ...{ verdict: 'pass', value: value ?? this.useCase.label.cap, reason: 'fine', latencyMs: 1, features: [1] },
      ...{ packageDigest: this.packageDigest, variant: 'fp32', inputDigest: digestOf(sequence) },
      featureSetDigest: digestOf(this.useCase.featureSet),
    };
  }
}
