import type { Frame } from '#core/contracts/frame.ts';
import type { LiveRun, PlantSource, RunHistory, SourceOptions } from '#core/contracts/source.ts';
import type { SignalDefinition } from '#core/contracts/use-case.ts';

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

/** Recorded turbofan engines, FD001: the training set is the history, the test set flies on the devices. */
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
    live(machines): readonly (readonly LiveRun[])[] {
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
          frames: framesOf(asset, 'life-01', rows, 1000),
          remainingAtEnd: truth[engine - 1] ?? null,
        });
      }
      return dealt;
    },
  };
};
