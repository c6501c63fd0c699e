import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { FeatureDefinition } from '#core/contracts/feature-set.ts';
import type { Frame, SignalValue } from '#core/contracts/frame.ts';
import type { RunHistory, UseCaseDefinition } from '#core/contracts/source.ts';
import type { SignalDefinition, UseCase } from '#core/contracts/use-case.ts';
import type { Feature } from '#core/features/engine/feature.ts';
import { FEATURES } from '#core/features/engine/registry.ts';
import { dataReader } from '../../../local/start/source.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aFrame, good } from '../../unit/features/a-frame.ts';
import { REPOSITORY } from '../aws/local-aws.ts';
import { SITE } from '../edge/edge-device.ts';

const DATA = join(REPOSITORY, '../shared/data');
const [spindles, turbofans] = definitions as [UseCaseDefinition, UseCaseDefinition];
const START = '2026-01-01T00:00:00.000Z';

/** One life of a machine and the features that are computed of it. */
export interface RecordedLife {
  readonly what: string;
  readonly isThere: boolean;
  readonly useCase: UseCase;
  readonly life: () => RunHistory;
}

/** Which signals stand for those that the features name in their examples. */
type Roles = Readonly<Record<string, string>>;

/** Every feature that can be computed with the signals of some roles, its parameters those of its example. */
const everyFeature = (roles: Roles, window: number): FeatureDefinition[] =>
  Object.values(FEATURES).flatMap((feature: Feature) => {
    const { example = {} } = feature;
    const signal = roles[feature.kind === 'waveform' ? 'wave' : 'level'];
    const isNamed = (param: string): boolean => feature.params[param]?.includes('-signal') ?? false;
    const renamed = Object.entries(example).map(([param, value]): [string, unknown] =>
      !isNamed(param)
        ? [param, value]
        : [param, Array.isArray(value) ? value.map((v) => roles[String(v)]) : roles[String(value)]],
    );
    if (signal === undefined || renamed.some(([, value]) => [value].flat().includes(undefined))) return [];
    const params = Object.fromEntries(renamed) as FeatureDefinition['params'];
    const name = feature.name.replaceAll('-', '_');
    return [{ name, feature: feature.name, signal, window, params, version: feature.version }];
  });

const useCaseWith = (
  base: UseCase,
  id: string,
  signals: readonly SignalDefinition[],
  features: FeatureDefinition[],
): UseCase => ({ ...base, id, signals: [...signals], featureSet: { ...base.featureSet, id, features } });

const firstLife = (definition: UseCaseDefinition, data?: string): RunHistory => {
  const readData = data === undefined ? {} : { readData: dataReader(data) };
  const source = definition.source({ site: SITE, seed: 1, start: START, ...readData });
  for (const life of source.history()) return life;
  throw new Error(`${source.name} has no history`);
};

const frameOf = (asset: string, index: number, signals: Frame['signals']): Frame => {
  const at = new Date(Date.parse(START) + index * 10_000).toISOString();
  return aFrame(index, signals, { site: SITE, asset, run: 'recorded', sourceTime: at, receivedTime: at });
};
const runOf = (asset: string, signals: readonly Frame['signals'][]): RunHistory => ({
  asset,
  run: 'recorded',
  frames: signals.map((s, i) => frameOf(asset, i + 1, s)),
  events: [],
});
const samples = (bytes: Uint8Array): SignalValue => ({
  samples: Buffer.from(bytes).toString('base64'),
  quality: 'GOOD',
});

const waveform = (name: string, unit: string, sampleRateHz: number, count: number): SignalDefinition => ({
  name,
  unit,
  kind: 'waveform',
  range: [-200, 200],
  sampleRateHz,
  samples: count,
});
const SPEED: SignalDefinition = { name: 'speed', unit: '1/min', kind: 'scalar', range: [0, 6000] };

const FEMTO = join(DATA, 'femto-bearing/Bearing2_1.every5th.f32.gz');
const FEMTO_SAMPLES = 2560;
const FEMTO_SIGNALS = [
  SPEED,
  waveform('horizontal', '[g]', 25_600, FEMTO_SAMPLES),
  waveform('vertical', '[g]', 25_600, FEMTO_SAMPLES),
];
/** A bearing run to failure: two axes, in the file sample by sample beside each other. */
const femtoLife = (): RunHistory => {
  const bytes = gunzipSync(readFileSync(FEMTO));
  const snapshot = 8 * FEMTO_SAMPLES;
  const axis = (at: number, offset: number): SignalValue => {
    const own = Buffer.alloc(4 * FEMTO_SAMPLES);
    for (let i = 0; i < FEMTO_SAMPLES; i++) bytes.copy(own, 4 * i, at + 8 * i + offset, at + 8 * i + offset + 4);
    return samples(own);
  };
  const starts = Array.from({ length: bytes.length / snapshot }, (_, k) => k * snapshot);
  return runOf(
    'bearing2-1',
    starts.map((at) => ({ speed: good(1650), horizontal: axis(at, 0), vertical: axis(at, 4) })),
  );
};

const CWRU = join(DATA, 'cwru/IR007_0.de.f32');
const CWRU_SAMPLES = 2048;
const CWRU_SIGNALS = [SPEED, waveform('drive_end', '[g]', 12_000, CWRU_SAMPLES)];
/** A bearing with a fault of its inner race, in windows one after another. */
const cwruLife = (): RunHistory => {
  const bytes = readFileSync(CWRU);
  const manifest = JSON.parse(readFileSync(join(DATA, 'cwru/manifest.json'), 'utf8')) as {
    file: string;
    rpm: number;
  }[];
  const rpm = manifest.find((m) => CWRU.endsWith(m.file))?.rpm as number;
  const windows = Math.floor(bytes.length / (4 * CWRU_SAMPLES));
  return runOf(
    'ir007-0',
    Array.from({ length: windows }, (_, k) => ({
      speed: good(rpm),
      drive_end: samples(bytes.subarray(4 * CWRU_SAMPLES * k, 4 * CWRU_SAMPLES * (k + 1))),
    })),
  );
};

const CMAPSS = join(DATA, 'cmapss');

export const LIVES: readonly RecordedLife[] = [
  {
    what: 'the life of a simulated spindle',
    isThere: true,
    useCase: spindles.useCase,
    life: () => firstLife(spindles),
  },
  {
    what: 'the life of a recorded turbofan (C-MAPSS)',
    isThere: existsSync(CMAPSS),
    useCase: turbofans.useCase,
    life: () => firstLife(turbofans, CMAPSS),
  },
  {
    what: 'the life of a recorded turbofan (C-MAPSS), by every feature of scalars',
    isThere: existsSync(CMAPSS),
    useCase: useCaseWith(
      turbofans.useCase,
      'every-scalar-feature',
      turbofans.useCase.signals,
      everyFeature({ level: 'sensor_11', inlet: 'sensor_12', speed: 'sensor_04' }, 12),
    ),
    life: () => firstLife(turbofans, CMAPSS),
  },
  {
    what: 'a recorded bearing run to failure (FEMTO), by every feature of waveforms',
    isThere: existsSync(FEMTO),
    useCase: useCaseWith(
      spindles.useCase,
      'femto-bearing',
      FEMTO_SIGNALS,
      everyFeature({ wave: 'horizontal', wave2: 'vertical', speed: 'speed' }, 4),
    ),
    life: femtoLife,
  },
  {
    what: 'a recorded bearing with a fault (CWRU), by every feature of one waveform',
    isThere: existsSync(CWRU),
    useCase: useCaseWith(
      spindles.useCase,
      'cwru-bearing',
      CWRU_SIGNALS,
      everyFeature({ wave: 'drive_end', speed: 'speed' }, 2),
    ),
    life: cwruLife,
  },
];
