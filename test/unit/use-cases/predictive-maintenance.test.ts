import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Frame } from '#core/contracts/frame.ts';
import { PlantEvent } from '#core/contracts/plant-event.ts';
import type { PlantSource, UseCaseDefinition } from '#core/contracts/source.ts';
import { UseCase } from '#core/contracts/use-case.ts';
import { materialiseRun } from '#core/features/engine/rows.ts';
import { endOfRun } from '#core/outcomes/labels.ts';
import { parseEngines } from '../../../use-cases/predictive-maintenance/cmapss.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { usableSignals } from '../../support/usable-signals.ts';

const [spindles, turbofans] = definitions as [UseCaseDefinition, UseCaseDefinition];
const options = { site: 'plant-a', seed: 1, start: '2026-01-01T00:00:00.000Z' };
const data = path.join(__dirname, '../../../../shared/data/cmapss');
const readData = (name: string): Uint8Array => gunzipIfPacked(path.join(data, name));
const gunzipIfPacked = (file: string): Uint8Array =>
  existsSync(file) ? readFileSync(file) : gunzipSync(readFileSync(`${file}.gz`));

const digestOfSource = (source: PlantSource): string => {
  const hash = createHash('sha256');
  for (const run of source.history()) hash.update(JSON.stringify(run));
  return hash.update(JSON.stringify(source.live(3))).digest('hex');
};

/** Laws of any source: frames keep the contract, runs are in order, ends are told after they happened. */
const holdsTheContract = (source: PlantSource, useCase: UseCase) => {
  for (const { asset, run, frames, events } of source.history()) {
    expect(frames.map((f) => f.index)).toEqual(frames.map((_, i) => i + 1));
    for (const frame of frames.slice(0, 3)) expect(Frame.parse(frame)).toMatchObject({ asset, run, site: 'plant-a' });
    for (const event of events) {
      expect(PlantEvent.parse(event)).toMatchObject({ asset, run });
      expect(event.knownTime >= event.validTime).toBe(true);
    }
    for (const frame of frames) expect(Object.keys(frame.signals)).toEqual(useCase.signals.map((s) => s.name));
  }
  for (const runs of source.live(3)) for (const r of runs) expect(r.frames.length).toBeGreaterThan(0);
};

describe.each(definitions.map((d) => [d.useCase.id, d] as const))('definition %s', (_, { useCase }) => {
  it('keeps the contract of a use case', () => {
    expect(UseCase.parse(useCase)).toEqual(useCase);
  });

  it('has one name for one feature', () => {
    const names = useCase.featureSet.features.map((f) => f.name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('tells the alarm within the range that its label can take', () => {
    expect(useCase.thresholds.undecidedBelow).toBeLessThan(useCase.label.cap);
  });
});

describe('simulated spindles', () => {
  const source = spindles.source(options);
  const history = [...source.history()];

  it('hold the contract of a source', () => {
    holdsTheContract(source, spindles.useCase);
  });

  it('are the same bytes for the same seed, on every machine', () => {
    expect(digestOfSource(spindles.source(options))).toBe(
      '79216143ae1e56df7f480d587c109b57dda0119020e3228f4b2b3153b0008b0b',
    );
  });

  it('are other machines for another seed', () => {
    const [other] = spindles.source({ ...options, seed: 2 }).history();
    expect(other?.frames[0]).not.toEqual(history[0]?.frames[0]);
  });

  it('fail all but a few, which are still running', () => {
    const ended = history.filter((r) => r.events.length > 0);
    const running = history.filter((r) => r.events.length === 0);
    expect(ended.length).toBeGreaterThan(50);
    expect(running.length).toBeGreaterThan(0);
    expect(running.length).toBeLessThan(6);
  });

  it('have sensors that stop, stick and spike, as real ones do', () => {
    const frames = history.flatMap((r) => r.frames);
    const lost = frames.filter((f) => f.signals['vibration']?.quality === 'BAD');
    const spikes = frames.filter((f) => (f.signals['current']?.value ?? 0) > 25);
    const stuck = frames.filter((f, i) => {
      const before = frames[i - 1]?.signals['temperature'];
      return before !== undefined && f.signals['temperature']?.value === before.value;
    });
    for (const faulty of [lost, spikes, stuck]) {
      expect(faulty.length).toBeGreaterThan(10);
      expect(faulty.length).toBeLessThan(frames.length / 10);
    }
  });

  it('stay within the physical range of their signals', () => {
    for (const { frames } of history)
      for (const frame of frames) {
        const given = Object.values(frame.signals).filter((s) => s.quality !== 'BAD').length;
        expect(usableSignals(frame, spindles.useCase.signals).length).toBe(given);
      }
  });

  it('shake harder before they fail than when they are new', () => {
    const k = spindles.useCase.featureSet.features.findIndex((f) => f.name === 'vibration_rms');
    let harder = 0;
    const runs = history.filter((r) => r.events.length > 0).slice(0, 10);
    for (const run of runs) {
      const end = endOfRun(run.events, run, '2100-01-01T00:00:00.000Z');
      const rows = materialiseRun(spindles.useCase, run.frames, end?.index ?? null);
      if ((rows.at(-1)?.x[k] as number) > 1.5 * (rows[0]?.x[k] as number)) harder += 1;
    }
    expect(harder).toBe(runs.length);
  });

  it('give the devices machines that are not in the history', () => {
    const known = new Set(history.map((r) => r.asset));
    for (const runs of source.live(3)) for (const r of runs) expect(known.has(r.asset)).toBe(false);
  });
});

describe('parseEngines', () => {
  const line = (unit: number, cycle: number) => [unit, cycle, ...new Array(24).fill(0.5)].join(' ');
  const bytes = (text: string) => new TextEncoder().encode(text);

  it('gathers rows by engine', () => {
    const engines = parseEngines(bytes(`${line(1, 1)}\n${line(1, 2)}  \n${line(2, 1)}\n`), 'f');
    expect([...engines].map(([unit, rows]) => [unit, rows.length])).toEqual([
      [1, 2],
      [2, 1],
    ]);
  });

  it.each([
    ['a cell too few', '1 2 3'],
    ['a word', line(1, 1).replace('0.5', 'n/a')],
  ])('refuses a line with %s, by its number', (_, wrong) => {
    expect(() => parseEngines(bytes(`${line(1, 1)}\n${wrong}\n`), 'train.txt')).toThrow(
      /^train.txt line 2: expected 26 numbers \(unit, cycle, 3 settings, 21 sensors\), got "/,
    );
  });
});

describe('turbofan engines', () => {
  it('refuse to start without their data', () => {
    expect(() => turbofans.source(options)).toThrow(/recorded data: give their folder/);
  });

  it('recognise their folder, packed or not', () => {
    const files = ['train_FD001.txt.gz', 'test_FD001.txt', 'RUL_FD001.txt'];
    expect(turbofans.recognises?.(files)).toBe(true);
    expect(turbofans.recognises?.(files.slice(1))).toBe(false);
  });

  const recorded = existsSync(data) ? it : it.skip;
  if (!existsSync(data)) console.warn(`skipped: turbofan recordings are not at ${path.relative(process.cwd(), data)}`);

  recorded('hold the contract of a source', () => {
    holdsTheContract(turbofans.source({ ...options, readData }), turbofans.useCase);
  });

  recorded('are 100 lives to learn from, 20631 flights', () => {
    const runs = [...turbofans.source({ ...options, readData }).history()];
    expect(runs.length).toBe(100);
    expect(runs.reduce((n, r) => n + r.frames.length, 0)).toBe(20_631);
  });

  recorded('are 100 engines in flight, 13096 flights, with the published remaining lives', () => {
    const runs = turbofans
      .source({ ...options, readData })
      .live(3)
      .flat();
    expect(runs.length).toBe(100);
    expect(runs.reduce((n, r) => n + r.frames.length, 0)).toBe(13_096);
    expect(runs.find((r) => r.asset === 'test-engine-001')?.remainingAtEnd).toBe(112);
    expect(runs.find((r) => r.asset === 'test-engine-100')?.remainingAtEnd).toBe(20);
  });
});
