import { z } from 'zod';
import { Plane, PlaneName } from '#core/contracts/deployment-config.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { platformNames } from '#core/contracts/names.ts';

const Env = z.object({
  MILLWRIGHT_STAGE: z.string().min(1),
  MILLWRIGHT_PLANES: z.string().transform((text, context) => {
    try {
      return z.record(PlaneName, Plane).parse(JSON.parse(text));
    } catch (error) {
      context.addIssue({ code: 'custom', message: `expected JSON of plane → account and region: ${error}` });
      return z.NEVER;
    }
  }),
});

/**
 * What every Lambda knows of where it runs: stage, planes, and so every physical name.
 * @throws {ContractError} naming the variable that is missing or wrong.
 */
export const readEnv = (env: Record<string, string | undefined> = process.env) => {
  const { MILLWRIGHT_STAGE: stage, MILLWRIGHT_PLANES: planes } = parseAs(Env, env, 'the environment of the function');
  return { stage, planes, names: platformNames({ stage, planes }) };
};
