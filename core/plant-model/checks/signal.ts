import type { PlantSignal } from '../../contracts/plant-model.ts';
import { didYouMean } from '../../text/nearest.ts';
import { rec20Of, sameMeaning, ucumOfRec20, unitOf } from '../../units/units.ts';
import type { FieldPath } from '../sections.ts';
import type { Suggest } from './suggest.ts';

/** What is wrong with one signal, and in which of its fields. */
export interface Mistake {
  readonly path: FieldPath;
  readonly text: string;
}

/** Why a text is no unit that is known, with the one that was likely meant. */
const unknownUnit = (code: string, suggest: Suggest): string =>
  `"${code}" is no UCUM code that is known; ${didYouMean(suggest.unit(code), 'see https://ucum.org')}`;

const units = ({ dataType, unit, rec20 }: PlantSignal, suggest: Suggest): readonly Mistake[] => {
  if (unitOf(unit) === undefined) return [{ path: ['unit'], text: unknownUnit(unit, suggest) }];
  if ((dataType === 'text' || dataType === 'boolean') && unit !== '1')
    return [{ path: ['unit'], text: `a ${dataType} has no unit: write "1", not "${unit}"` }];
  if (rec20 === undefined || rec20Of(unit) === rec20) return [];
  const meant = ucumOfRec20(rec20);
  if (meant !== undefined && sameMeaning(meant, unit)) return [];
  const right = rec20Of(unit);
  return [
    {
      path: ['rec20'],
      text: `"${rec20}" is ${meant === undefined ? 'no common code that is known' : `"${meant}"`}, the unit is "${unit}": ${
        right === undefined ? 'leave it out' : `write "${right}", or leave it out`
      }`,
    },
  ];
};

const ranges = (signal: PlantSignal): readonly Mistake[] => {
  const mistakes: Mistake[] = [];
  const { engineeringRange: normal, instrumentRange: instrument } = signal;
  const named = [
    [['engineeringRange'], normal],
    [['instrumentRange'], instrument],
    [['quality', 'range'], signal.quality?.range],
  ] as const;
  for (const [path, range] of named) {
    if (range === undefined) continue;
    if (signal.dataType === 'text' || signal.dataType === 'boolean')
      mistakes.push({ path, text: `a ${signal.dataType} has no range: leave it out` });
    else if (!(range[0] < range[1]))
      mistakes.push({ path, text: `it begins at ${range[0]} and ends at ${range[1]}: write the smaller number first` });
  }
  if (mistakes.length > 0 || normal === undefined) return mistakes;
  if (instrument !== undefined && (normal[0] < instrument[0] || normal[1] > instrument[1]))
    mistakes.push({
      path: ['engineeringRange'],
      text: `${normal.join(' to ')} goes beyond what the instrument can return, ${instrument.join(' to ')}`,
    });
  const good = signal.quality?.range;
  if (good !== undefined && (normal[0] < good[0] || normal[1] > good[1]))
    mistakes.push({
      path: ['quality', 'range'],
      text: `${good.join(' to ')} makes values of normal operation BAD, ${normal.join(' to ')}`,
    });
  return mistakes;
};

const sampling = ({ sampling: s, dataType, engineeringRange, quality }: PlantSignal): readonly Mistake[] => {
  if (s.mode === 'periodic')
    return quality?.intervalSeconds === undefined || quality.intervalSeconds === s.intervalSeconds
      ? []
      : [
          {
            path: ['quality', 'intervalSeconds'],
            text: `it is ${quality.intervalSeconds} s, the sampling interval is ${s.intervalSeconds} s: leave it out`,
          },
        ];
  const mistakes: Mistake[] = [];
  const gap = quality?.gapSeconds;
  if (gap !== undefined && gap < s.maxSilenceSeconds)
    mistakes.push({
      path: ['quality', 'gapSeconds'],
      text: `a silence of ${gap} s would be a gap, but ${s.maxSilenceSeconds} s of it are allowed`,
    });
  if (s.deadband === undefined) return mistakes;
  const path = ['sampling', 'deadband'];
  if (dataType !== 'double' && dataType !== 'integer')
    mistakes.push({ path, text: `a ${dataType} has no deadband: leave it out` });
  else if (s.deadband.kind === 'percent' && engineeringRange === undefined)
    mistakes.push({
      path,
      text: 'percent of what? Add "engineeringRange": without one it would be percent of all numbers there are',
    });
  return mistakes;
};

const waveform = (signal: PlantSignal): readonly Mistake[] => {
  const { dataType, sampleRateHz, samples } = signal;
  const fields = [
    ['sampleRateHz', sampleRateHz],
    ['samples', samples],
  ] as const;
  if (dataType !== 'waveform')
    return fields.flatMap(([name, value]) =>
      value === undefined ? [] : [{ path: [name], text: `only a waveform has it; this is a ${dataType}` }],
    );
  const missing = fields.flatMap(([name, value]) =>
    value === undefined ? [{ path: [name], text: 'a waveform needs it' }] : [],
  );
  if (missing.length > 0 || sampleRateHz === undefined || samples === undefined) return missing;
  const { intervalSeconds } = signal.sampling;
  return intervalSeconds === undefined || samples / sampleRateHz <= intervalSeconds
    ? []
    : [
        {
          path: ['sampling', 'intervalSeconds'],
          text: `a waveform takes ${samples / sampleRateHz} s, and the next begins after ${intervalSeconds} s`,
        },
      ];
};

/** Everything that is wrong with a signal by itself. */
export const signalMistakes = (signal: PlantSignal, suggest: Suggest): readonly Mistake[] => [
  ...units(signal, suggest),
  ...ranges(signal),
  ...sampling(signal),
  ...waveform(signal),
];
