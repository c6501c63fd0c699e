import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readColumns } from '#core/lake/parquet.ts';
import { makePointInTimeJoin } from '#core/point-in-time/join.ts';
import { LabelJoin } from '#core/point-in-time/label-join.ts';
import { storeObjectOf } from '#core/point-in-time/store-object.ts';
import { readRuns } from '../../cli/store.ts';
import type { World } from '../../cli/world.ts';
import { startPeer } from '../peer.ts';
import { cpuSeconds, spreadOf } from '../statistics.ts';
import type { GroupOptions } from './group.ts';

const ROWS = 10_000_000;
const LABELS = 100_000;
const ASSETS = 100;
const IN_FILES = 1_000_000;
const REPETITIONS = 5;
const FEATURE_SET = `sha256:${'ab'.repeat(32)}`;

const peakMegabytes = (): number => process.resourceUsage().maxRSS / 1024;

/** Labels against the columns in memory: how many found a row, and the sum of the rows' numbers. */
const joinColumns = (folder: string): (() => readonly number[]) => {
  const buffer = (name: string): ArrayBuffer => {
    const { buffer: whole, byteOffset, byteLength } = readFileSync(join(folder, name));
    return byteOffset === 0 && byteLength === whole.byteLength
      ? (whole as ArrayBuffer)
      : (whole.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
  };
  const labels = {
    entity: new Int32Array(buffer('label_entity.i32')),
    time: new Float64Array(buffer('label_time.f64')),
  };
  const rows = {
    entity: new Int32Array(buffer('entity.i32')),
    valid: new Float64Array(buffer('valid.f64')),
    known: new Float64Array(buffer('known.f64')),
  };
  return () => {
    const joined = makePointInTimeJoin(labels);
    joined.push(rows);
    let count = 0;
    let sum = 0;
    for (const place of joined.result())
      if (place !== -1) {
        count++;
        sum += joined.rowAt(place);
      }
    return [count, sum];
  };
};

/** Labels against the files of the store, read as `millwright training-set` reads them. */
const joinFiles = async (folder: string, width: number): Promise<number> => {
  const asked = await readColumns(readFileSync(join(folder, 'labels.parquet')), ['asset', 'time']);
  const labels = asked.asset.map((asset, i) => ({ asset: asset as string, time: asked.time[i] as string, label: 0 }));
  const lake: Pick<World['lake'], 'name' | 'get'> = {
    name: 'lake',
    get: async (key) => ({ body: readFileSync(join(folder, key)), versionId: null }),
  };
  const keys = readdirSync(join(folder, 'features'), { recursive: true, encoding: 'utf8' });
  const objects = keys.flatMap((key) => storeObjectOf(FEATURE_SET, `features/${key}`) ?? []);
  const joined = new LabelJoin(labels, '2100-01-01T00:00:00.000Z');
  for await (const { rows } of readRuns({ lake } as World, objects, width)) joined.take(rows);
  return joined.rows().length;
};

/** Labels joined with the rows that were known at their time, against DuckDB's ASOF join on one thread. */
export const pointInTime = async ({ report }: GroupOptions): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-bench-'));
  const peer = startPeer(
    'features',
    'features/peers/point_in_time.py',
    [folder, ROWS, LABELS, ASSETS, IN_FILES].map(String),
  );
  try {
    report.note(
      `${ROWS / 1e6} million rows of ${ASSETS} assets, ${LABELS} labels; files: ${IN_FILES / 1e6} million rows`,
    );
    const { width } = await peer.ask<{ width: number }>({ prepare: true });
    const own = joinColumns(folder);
    const dataAt = peakMegabytes();
    const found = own();
    report.figure({
      name: 'memory of the join beside its columns',
      value: peakMegabytes() - dataAt,
      unit: 'MB',
      goal: null,
    });
    const asked = (measure: string) => peer.ask<{ seconds: number; found: number[] }>({ measure });
    const check = (what: string, ours: readonly number[], theirs: readonly number[]): void => {
      if (ours.join() !== theirs.join())
        throw new Error(`${what}: found ${ours.join(', ')} here and ${theirs.join(', ')} by the peer: they must agree`);
    };
    check('columns', found, (await asked('columns')).found);
    const times: Record<string, number[]> = {};
    const note = (name: string, seconds: number): void => {
      times[name] = [...(times[name] ?? []), seconds];
    };
    for (let i = 0; i < REPETITIONS; i++) {
      const start = process.cpuUsage();
      own();
      note('join of columns in memory', cpuSeconds(start));
      note("DuckDB's ASOF join of columns in memory", (await asked('columns')).seconds);
    }
    for (let i = 0; i < REPETITIONS; i++) {
      const start = process.cpuUsage();
      const rows = await joinFiles(folder, width);
      note('join of Parquet files, millwright training-set', cpuSeconds(start));
      const reader = await asked('reader');
      note('join of Parquet files, Python reader', reader.seconds);
      const files = await asked('files');
      note("DuckDB's ASOF join of Parquet files", files.seconds);
      check('files', [rows, ...reader.found], [...files.found, ...files.found]);
    }
    for (const [name, values] of Object.entries(times))
      report.figure({
        name,
        ...spreadOf(values),
        unit: 's',
        goal: null,
      });
    const ratio = (name: string, mine: string, theirs: string, goal: number | null): void => {
      const ratios = (times[mine] ?? []).map((value, i) => value / (times[theirs]?.[i] as number));
      report.figure({
        name,
        ...spreadOf(ratios),
        unit: '×',
        goal,
      });
    };
    ratio('  in memory, times DuckDB', 'join of columns in memory', "DuckDB's ASOF join of columns in memory", 1.5);
    const files = "DuckDB's ASOF join of Parquet files";
    ratio('  files, training-set, times DuckDB', 'join of Parquet files, millwright training-set', files, null);
    ratio('  files, Python reader, times DuckDB', 'join of Parquet files, Python reader', files, null);
  } finally {
    peer.close();
    rmSync(folder, { recursive: true });
  }
};
