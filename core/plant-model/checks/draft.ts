import type { PlantModel } from '../../contracts/plant-model.ts';
import type { UseCase } from '../../contracts/use-case.ts';
import type { Problem, Where } from '../problem.ts';
import { CALLED, type FieldPath, type Section } from '../sections.ts';
import type { Suggest } from './suggest.ts';

/** What a use case expects of assets of a class. */
export type SignalUser = Pick<UseCase, 'id' | 'assetClass' | 'signals'>;

/** What checks work on: the entries that keep their contracts, put together, and where everything stands. */
export interface Draft {
  readonly plant: PlantModel;
  /** Use cases that have their signals from such plants. */
  readonly useCases: readonly SignalUser[];
  /** Everything could be read: what is not there is missing. */
  readonly whole: boolean;
  readonly suggest: Suggest;
  /** Keys of all entries of a section, those too that break their contract: they are there, if wrong. */
  readonly keys: (section: Section) => ReadonlySet<string>;
  readonly where: (section: Section, key: string, path?: FieldPath) => Where;
}

/** One rule over a whole plant. */
export type Check = (draft: Draft) => readonly Problem[];

/** Why a reference does not hold; undefined when it does. */
export const dangling = (draft: Draft, section: Section, id: string): string | undefined => {
  const ids = draft.keys(section);
  if (ids.has(id) || !draft.whole) return undefined;
  const meant = draft.suggest.name(section, id, ids);
  return `there is no ${CALLED[section]} "${id}"${meant === undefined ? ': add it, or mend the name' : `; did you mean "${meant}"?`}`;
};
