import type { Problem } from '../problem.ts';
import { type Check, dangling } from './draft.ts';

/** What an asset names is there. */
export const assets: Check = (draft) =>
  draft.plant.assets.flatMap(({ id, model, at, connection }): readonly Problem[] => {
    const say = (field: string, problem: string | undefined): readonly Problem[] =>
      problem === undefined
        ? []
        : [{ ...draft.where('assets', id, [field]), message: `asset "${id}": ${field}: ${problem}` }];
    return [
      ...say('model', dangling(draft, 'models', model)),
      ...say('at', dangling(draft, 'places', at)),
      ...(connection === undefined ? [] : say('connection', dangling(draft, 'connections', connection))),
    ];
  });
