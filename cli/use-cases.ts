import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ContractError, parseAs } from '#core/contracts/errors.ts';
import type { UseCaseDefinition } from '#core/contracts/source.ts';
import { UseCase } from '#core/contracts/use-case.ts';
import { checkFeatureSet } from '#core/features/engine/check-feature-set.ts';
import { framingProblems } from '#core/frames/framing.ts';
import { outcomePolicyProblems } from '#core/outcomes/policy-problems.ts';

/**
 * Every definition of the folder `use-cases`, checked against its contract, the features there are, its framing, and for
 * outcome policies that contradict themselves; tooling finds them by the name `use-case.ts`.
 * @throws {ContractError} naming what is wrong in which use case.
 */
export const loadDefinitions = async (root: string): Promise<readonly UseCaseDefinition[]> => {
  const folder = join(root, 'use-cases');
  const found: UseCaseDefinition[] = [];
  for (const name of readdirSync(folder).sort()) {
    const file = join(folder, name, 'use-case.ts');
    if (!existsSync(file)) continue;
    const { definitions } = (await import(pathToFileURL(file).href)) as { definitions: readonly UseCaseDefinition[] };
    for (const definition of definitions) {
      const what = `use case ${definition.useCase.id} of use-cases/${name}`;
      const useCase = parseAs(UseCase, definition.useCase, what);
      const problems = [
        ...checkFeatureSet(useCase.featureSet, useCase.signals),
        ...(useCase.framing === undefined ? [] : framingProblems(useCase.framing, useCase.signals)),
        ...outcomePolicyProblems(useCase.judging.outcomes),
      ];
      if (problems.length > 0) throw new ContractError(what, problems);
      found.push({ ...definition, useCase });
    }
  }
  return found;
};
