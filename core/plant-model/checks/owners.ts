import type { Problem } from '../problem.ts';
import { NESTED } from '../sections.ts';
import { type Check, dangling } from './draft.ts';

/** What stands in a CSV file of its own belongs to something that is there; a model has signals. */
export const owners: Check = (draft) => {
  const problems: Problem[] = [];
  for (const [section, nested] of Object.entries(NESTED)) {
    const told = new Set<string>();
    for (const key of draft.keys(nested.section)) {
      const owner = key.slice(0, key.indexOf('/'));
      const problem = dangling(draft, section as keyof typeof NESTED, owner);
      if (problem === undefined || told.has(owner)) continue;
      told.add(owner);
      problems.push({ ...draft.where(nested.section, key, [nested.owner]), message: problem });
    }
  }
  const owned = new Set([...draft.keys('model-signals')].map((key) => key.slice(0, key.indexOf('/'))));
  for (const { id } of draft.plant.models)
    if (draft.whole && !owned.has(id))
      problems.push({ ...draft.where('models', id), message: `asset model "${id}" has no signals: add "signals"` });
  return problems;
};
