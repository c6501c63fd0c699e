import type { PlaceLevel } from '../../contracts/plant-model.ts';
import type { Problem } from '../problem.ts';
import { type Check, dangling } from './draft.ts';

const WORK_CENTRES: readonly PlaceLevel[] = ['process-cell', 'production-unit', 'production-line', 'storage-zone'];

/** Level that a place of a level lies within (IEC 62264-1 § 5.3); of a site the enterprise. */
const ABOVE: Readonly<Record<PlaceLevel, readonly PlaceLevel[]>> = {
  site: [],
  area: ['site'],
  'process-cell': ['area'],
  'production-unit': ['area'],
  'production-line': ['area'],
  'storage-zone': ['area'],
  'work-unit': WORK_CENTRES,
};

/** Levels with their article: `an area`. */
const a = (levels: readonly string[]): string =>
  `${/^[aeiou]/.test(levels[0] ?? '') ? 'an' : 'a'} ${levels.join(', ')}`;

/** Every place lies within one of the level above: so no place lies within itself. */
export const places: Check = (draft) => {
  const { plant, where } = draft;
  const byId = new Map(plant.places.map((p) => [p.id, p]));
  return plant.places.flatMap(({ id, level, within }): readonly Problem[] => {
    const say = (message: string) => [{ ...where('places', id, ['within']), message: `place "${id}": ${message}` }];
    const above = ABOVE[level];
    if (level === 'site')
      return within === undefined || within === plant.enterprise.id
        ? []
        : say(`a site lies within the enterprise "${plant.enterprise.id}": leave "within" out`);
    if (within === undefined) return say(`"within" is missing: ${a(above)} that it lies in`);
    const outer = byId.get(within);
    if (outer !== undefined)
      return above.includes(outer.level)
        ? []
        : say(`${a([level])} lies within ${a(above)}; "${within}" is ${a([outer.level])}`);
    const problem = dangling(draft, 'places', within);
    return problem === undefined ? [] : say(problem);
  });
};
