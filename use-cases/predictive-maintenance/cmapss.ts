import type { Frame } from '#core/contracts/frame.ts';
import type { LiveRun, PlantSource, RunHistory, SourceOptions, StoryRun, StorySource } from '#core/contracts/source.ts';
import type { SignalDefinition } from '#core/contracts/use-case.ts';
import { eventsOf, type Telling } from './story-events.ts';

/** Columns of NASA's files after the unit: flights so far, 3 settings, 21 sensors (Saxena et al. 2008, table 2). */
const COLUMNS = [
  'flights',
  ...[1, 2, 3].map((k) => `setting_${k}`),
  ...Array.from({ length: 21 }, (_, k) => `sensor_${String(k + 1).padStart(2, '0')}`),
];
/** FD001: sensors that change at all; the others are constant in its one operating condition. */
export const TURBOFAN_SENSORS = [2, 3, 4, 7, 8, 9, 11, 12, 13, 14, 15, 17, 20, 21].map(
  (k) => `sensor_${String(k).padStart(2, '0')}`,
);
export const TURBOFAN_SIGNALS: readonly SignalDefinition[] = COLUMNS.map((name) => ({
  name,
  unit: '1',
  kind: 'scalar',
  range: [-1e5, 1e5],
}));

const CYCLE_MS = 3_600_000;
/** Fewer engines than this, and the other fleet says nothing. */
const MIN_STORY_ENGINES = 20;
/** Column of the bypass ratio, sensor 15: it rises while the compressor wears, and falls while the fan does. */
const BYPASS_RATIO = 19;
/** Flights after the start of the history: the flights before are over. */
const STORY_FROM = 2000;
/** Engines whose end is told in another way than by one report of a failure, by their number. */
const TOLD: Readonly<Record<number, Telling>> = {
  6: 'delivered twice',
  11: 'prevented',
  15: 'corrected twice',
  20: 'by asset and time',
  26: 'healthy',
};

/** Rows by engine. @throws {Error} naming file and line when a line has not 26 numbers. */
export const parseEngines = (bytes: Uint8Array, file: string): ReadonlyMap<number, readonly number[][]> => {
  const engines = new Map<number, number[][]>();
  for (const [i, line] of new TextDecoder().decode(bytes).split('\n').entries()) {
    const cells = line.trim().split(/\s+/);
    if (cells.length === 1 && cells[0] === '') continue;
    const row = cells.map(Number);
    if (row.length !== 26 || row.some((v) => !Number.isFinite(v)))
      throw new Error(
        `${file} line ${i + 1}: expected 26 numbers (unit, cycle, 3 settings, 21 sensors), got "${line.slice(0, 60)}"`,
      );
    const engine = row[0] as number;
    const rows = engines.get(engine) ?? [];
    rows.push(row);
    engines.set(engine, rows);
  }
  return engines;
};

const meanOf = (rows: readonly number[][], column: number): number =>
  rows.reduce((sum, row) => sum + (row[column] as number), 0) / rows.length;
/** Did the fan of this engine wear? FD001 has none such; of FD003 the two kinds lie far apart. */
export const fanWore = (rows: readonly number[][]): boolean =>
  meanOf(rows.slice(-10), BYPASS_RATIO) < meanOf(rows.slice(0, 30), BYPASS_RATIO);

/**
 * Recorded turbofan engines, FD001: the training set is the history, the test set flies on the devices. Then come engines
 * of FD003 whose fan wears instead of the compressor, where their file is there.
 */
export const turbofans = ({ site, start, readData }: SourceOptions): PlantSource => {
  if (readData === undefined)
    throw new Error('turbofan engines are recorded data: give their folder, npm start -- --data DIR');
  const startMs = Date.parse(start);
  const framesOf = (asset: string, run: string, rows: readonly number[][], offset: number): Frame[] =>
    rows.map((row) => {
      const index = row[1] as number;
      const at = new Date(startMs + (offset + index) * CYCLE_MS).toISOString();
      return {
        schema: 'frame/1',
        site,
        asset,
        run,
        index,
        context: 'flight',
        sourceTime: at,
        receivedTime: at,
        signals: Object.fromEntries(
          COLUMNS.map((name, k) => [name, { value: row[k + 1] as number, quality: 'GOOD' as const }]),
        ),
      };
    });
  const id = (n: number): string => `engine-${String(n).padStart(3, '0')}`;
  /** The test engines, dealt to the machines; their first flight is `offset` flights after the start of the history. */
  const flown = (machines: number, offset: number): readonly (readonly LiveRun[])[] => {
    const truth = new TextDecoder()
      .decode(readData('RUL_FD001.txt'))
      .split(/\s+/)
      .filter((text) => text !== '')
      .map(Number);
    const dealt: LiveRun[][] = Array.from({ length: machines }, () => []);
    const engines = parseEngines(readData('test_FD001.txt'), 'test_FD001.txt');
    if (truth.length !== engines.size || truth.some((v) => !Number.isFinite(v)))
      throw new Error(
        `RUL_FD001.txt: expected ${engines.size} numbers, one for each engine of test_FD001.txt; got ${truth.filter(Number.isFinite).length}`,
      );
    for (const [engine, rows] of engines) {
      const asset = `test-${id(engine)}`;
      (dealt[(engine - 1) % machines] as LiveRun[]).push({
        asset,
        run: 'life-01',
        frames: framesOf(asset, 'life-01', rows, offset),
        remainingAtEnd: truth[engine - 1] ?? null,
      });
    }
    return dealt;
  };
  return {
    name: 'NASA C-MAPSS turbofans, FD001',
    *history(): Iterable<RunHistory> {
      for (const [engine, rows] of parseEngines(readData('train_FD001.txt'), 'train_FD001.txt')) {
        const asset = id(engine);
        const frames = framesOf(asset, 'life-01', rows, 0);
        const last = frames.at(-1) as Frame;
        yield {
          asset,
          run: 'life-01',
          frames,
          events: [
            {
              schema: 'plant-event/1',
              eventId: `${asset}-failure`,
              kind: 'failure',
              site,
              asset,
              run: 'life-01',
              index: last.index,
              validTime: last.sourceTime,
              knownTime: last.sourceTime,
              reportedBy: 'nasa-ames',
              detail: {},
            },
          ],
        };
      }
    },
    live: (machines) => flown(machines, 1000),
    story(machines): StorySource | { readonly none: string } {
      let bytes: Uint8Array;
      try {
        bytes = readData('train_FD003.txt');
      } catch (error) {
        return { none: (error as Error).message };
      }
      const engines = [...parseEngines(bytes, 'train_FD003.txt')].filter(([, rows]) => fanWore(rows));
      if (engines.length < MIN_STORY_ENGINES)
        throw new Error(
          `train_FD003.txt: expected at least ${MIN_STORY_ENGINES} engines whose bypass ratio falls, got ${engines.length}; fetch the file again`,
        );
      // One after the other on each stand.
      const through = Array.from({ length: machines }, () => STORY_FROM);
      const runs: StoryRun[][] = through.map(() => []);
      for (const [k, [engine, rows]] of engines.entries()) {
        const stand = k % machines;
        const telling = TOLD[k + 1] ?? 'failure';
        const seen =
          telling === 'healthy' ? Math.round(rows.length / 2) : rows.length - (telling === 'prevented' ? 12 : 0);
        const asset = `fd003-${id(engine)}`;
        const frames = framesOf(asset, 'flights', rows.slice(0, seen), through[stand] as number);
        (through[stand] as number) += seen;
        runs[stand]?.push({
          asset,
          run: 'flights',
          frames,
          remainingAtEnd: rows.length - seen,
          events: eventsOf({ asset, run: 'flights', last: frames.at(-1) as Frame }, telling, 2 + (engine % 5), {
            reportedBy: 'nasa-ames',
            detail: {},
          }),
        });
      }
      return {
        change: 'engines of FD003 come, whose fans wear',
        announcements: [],
        runs,
        after: flown(machines, Math.max(...through) + 1000),
      };
    },
  };
};
