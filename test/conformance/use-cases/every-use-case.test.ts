import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Frame } from '#core/contracts/frame.ts';
import { PlantEvent } from '#core/contracts/plant-event.ts';
import type { PlantSource, RunHistory, StorySource, UseCaseDefinition } from '#core/contracts/source.ts';
import { UseCase } from '#core/contracts/use-case.ts';
import { checkFeatureSet } from '#core/features/engine/check-feature-set.ts';
import { materialiseRun } from '#core/features/engine/rows.ts';
import { endOfRun } from '#core/outcomes/labels.ts';
import { shortfall, splitOf } from '#core/policy/split.ts';
import { unitOf } from '#core/units/units.ts';
import { dataReader } from '../../../local/start/source.ts';
import { usableSignals } from '../../support/usable-signals.ts';

const ROOT = join(__dirname, '../../..');
const RECORDINGS = join(ROOT, '../shared/data');
const AT_THE_END_OF_TIME = '2999-01-01T00:00:00.000Z';

/** Found by their name alone, as the platform finds them; and the example that tests bring along. */
const folders = [
  ...readdirSync(join(ROOT, 'use-cases')).map((name) => join(ROOT, 'use-cases', name)),
  join(__dirname, 'tool-wear'),
].filter((folder) => existsSync(join(folder, 'use-case.ts')));
const all = folders.flatMap((folder) =>
  (require(join(folder, 'use-case.ts')) as { definitions: readonly UseCaseDefinition[] }).definitions.map((d) => ({
    folder,
    ...d,
  })),
);

/** The folder of recordings that a definition knows; null when it needs none. */
const recordingsOf = (definition: UseCaseDefinition): string | null | undefined => {
  if (!definition.needsData) return null;
  if (!existsSync(RECORDINGS)) return undefined;
  return readdirSync(RECORDINGS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(RECORDINGS, entry.name))
    .find((folder) => definition.recognises?.(readdirSync(folder)));
};
const open = (definition: UseCaseDefinition, data: string | null, seed = 1): PlantSource =>
  definition.source({
    site: 'plant-a',
    seed,
    start: '2025-01-01T00:00:00.000Z',
    ...(data === null ? {} : { readData: dataReader(data) }),
  });

/** Digest of the first lives and of what one machine replays. */
const digestOfSource = (source: PlantSource): string => {
  const hash = createHash('sha256');
  let lives = 0;
  for (const life of source.history()) {
    hash.update(JSON.stringify(life));
    lives += 1;
    if (lives === 3) break;
  }
  return hash.update(JSON.stringify(source.live(1))).digest('hex');
};

it('finds the use cases of the repository, each with an id of its own', () => {
  const ids = all.map((d) => d.useCase.id);
  expect(ids).toEqual(expect.arrayContaining(['predictive-maintenance', 'turbofan-life']));
  expect(new Set(ids).size).toBe(ids.length);
});

describe.each(all.map((d) => [d.useCase.id, d] as const))('use case %s', (id, definition) => {
  const { useCase, folder } = definition;

  it('keeps its contract as it stands, with nothing for parsing to fill in', () => {
    expect(UseCase.parse(useCase)).toEqual(useCase);
  });

  it('has a README that says what it is', () => {
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toMatch(/^# .+\n\n.{40}/s);
  });

  it('measures each signal in a unit that is known', () => {
    for (const { name, unit } of useCase.signals)
      expect({ name, known: unitOf(unit)?.ucum }).toEqual({ name, known: unit });
  });

  it('has one signal and one feature of each name', () => {
    for (const names of [useCase.signals.map((s) => s.name), useCase.featureSet.features.map((f) => f.name)])
      expect(new Set(names).size).toBe(names.length);
  });

  it('computes every feature by code that exists and fits its signal', () => {
    expect(checkFeatureSet(useCase.featureSet, useCase.signals)).toEqual([]);
  });

  it('says of each signal what values are possible, and of waveforms how they are sampled', () => {
    for (const { kind, range, sampleRateHz, samples } of useCase.signals) {
      expect(range[0]).toBeLessThan(range[1]);
      expect([sampleRateHz !== undefined, samples !== undefined]).toEqual([kind === 'waveform', kind === 'waveform']);
    }
  });

  it('leaves runs to learn from after those for test and calibration', () => {
    expect(useCase.seal.testShare + useCase.seal.calibrationShare).toBeLessThan(1);
  });

  it('alarms below what a label can be', () => {
    expect(useCase.thresholds.alarmBelow).toBeGreaterThan(0);
    expect(useCase.thresholds.undecidedBelow).toBeLessThan(useCase.label.cap);
  });

  it('asks more of a model than a guess in the middle of all labels would give', () => {
    expect(useCase.gate.maxRmse).toBeLessThan(useCase.label.cap / Math.sqrt(12));
  });

  it('releases to rings one after the other, and waits longer for a wave than it bakes', () => {
    const { rings, bakeSeconds, waveTimeoutSeconds } = useCase.rollout;
    expect(rings).toEqual([...new Set(rings)].sort((a, b) => a - b));
    expect(bakeSeconds).toBeLessThan(waveTimeoutSeconds);
  });

  const data = recordingsOf(definition);
  if (data === undefined) console.warn(`skipped: the source of ${id}, its recordings are not there`);
  (data === undefined ? describe.skip : describe)('its source', () => {
    const source = () => open(definition, data ?? null);
    const firstLife = (): RunHistory => source().history()[Symbol.iterator]().next().value as RunHistory;

    it('gives the same bytes for the same seed', () => {
      expect(digestOfSource(source())).toBe(digestOfSource(source()));
    });

    if (!definition.needsData)
      it('gives other machines for another seed', () => {
        expect(digestOfSource(open(definition, null, 2))).not.toBe(digestOfSource(source()));
      });

    it('gives frames that keep their contract, in order, with the signals of the use case', () => {
      const { asset, run, frames } = firstLife();
      for (const [i, frame] of frames.entries()) {
        expect(Frame.parse(frame)).toMatchObject({ site: 'plant-a', asset, run, index: i + 1 });
        expect(Object.keys(frame.signals).sort()).toEqual(useCase.signals.map((s) => s.name).sort());
      }
    });

    it('gives values that are possible, but for those it calls bad', () => {
      for (const frame of firstLife().frames) {
        const good = Object.values(frame.signals).filter((s) => s.quality !== 'BAD');
        expect(usableSignals(frame, useCase.signals).length).toBe(good.length);
      }
    });

    it('gives a life rows with every feature and a label down to its end', () => {
      const life = firstLife();
      const end = endOfRun(
        life.events.map((e) => PlantEvent.parse(e)),
        life,
        AT_THE_END_OF_TIME,
      );
      const rows = materialiseRun(useCase, life.frames, end?.index ?? null);
      expect(rows.length).toBeGreaterThan(life.frames.length / 2);
      for (const { x, label } of rows) {
        expect(x).toHaveLength(useCase.featureSet.features.length);
        expect(x.every(Number.isFinite)).toBe(true);
        expect(label).toBeLessThanOrEqual(useCase.label.cap);
      }
      expect(rows.at(-1)?.label).toBe((end?.index as number) - (rows.at(-1)?.index as number));
    });

    it('gives enough ended lives for the gate to judge a first model', () => {
      const counts = { train: 0, calibration: 0, test: 0 };
      for (const { asset, run, events } of source().history())
        if (events.some((e) => e.kind === useCase.label.from)) counts[splitOf(useCase.seal, asset, run)] += 1;
      expect(shortfall(counts, useCase.gate)).toEqual([]);
    });

    it('gives the devices lives that are not in the history, and frames that keep their contract', () => {
      const known = new Set<string>();
      for (const { asset, run } of source().history()) known.add(`${asset}/${run}`);
      const lanes = source().live(2);
      expect(lanes).toHaveLength(2);
      for (const { asset, run, frames } of lanes.flat()) {
        expect(known.has(`${asset}/${run}`)).toBe(false);
        expect(Frame.parse(frames[0])).toMatchObject({ asset, run });
      }
    });

    describe('its story after the first model, where it has one', () => {
      const told = (machines = 2): StorySource | null => {
        const story = source().story?.(machines);
        return story === undefined || 'none' in story ? null : story;
      };
      // The body of what is skipped is read all the same.
      const story = data === undefined ? null : told();

      it('is the same for the same seed, in a lane for each machine', () => {
        expect(JSON.stringify(told())).toBe(JSON.stringify(story));
        if (story !== null) expect([story.runs.length, story.after.length]).toEqual([2, 2]);
      });

      it('has runs of their own, in the order of time, with frames that keep their contract', () => {
        const known = new Set<string>();
        for (const { asset, run } of source().history()) known.add(`${asset}/${run}`);
        const until = new Map<string, string>();
        for (const { asset, frames } of source().live(2).flat())
          until.set(asset, [until.get(asset) ?? '', frames.at(-1)?.sourceTime ?? ''].sort()[1] as string);
        for (const lane of story?.runs ?? [])
          for (const { asset, run, frames } of lane) {
            expect(known.has(`${asset}/${run}`)).toBe(false);
            known.add(`${asset}/${run}`);
            expect(frames.map((f) => f.index)).toEqual(frames.map((_, i) => i + 1));
            expect(Frame.parse(frames[0])).toMatchObject({ asset, run });
            expect(frames[0]?.sourceTime.localeCompare(until.get(asset) ?? '')).toBe(1);
            until.set(asset, frames.at(-1)?.sourceTime as string);
          }
      });

      it('has events that keep their contract, known after they were true, about a run of theirs', () => {
        for (const event of story?.announcements ?? []) expect(PlantEvent.parse(event)).toEqual(event);
        for (const { asset, run, events } of story?.runs.flat() ?? []) {
          expect(events.length).toBeGreaterThan(0);
          for (const event of events) {
            expect(PlantEvent.parse(event)).toEqual(event);
            expect([event.asset, [run, null].includes(event.run)]).toEqual([asset, true]);
            expect(event.knownTime >= event.validTime).toBe(true);
            if (event.corrects !== undefined) expect(events.map((e) => e.eventId)).toContain(event.corrects);
          }
        }
      });

      it('has more outcomes than a retrain waits for', () => {
        if (story !== null) expect(story.runs.flat().length).toBeGreaterThan(useCase.judging.minOutcomes);
      });
    });
  });
});
