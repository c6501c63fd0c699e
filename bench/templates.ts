import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Standing } from './cost.ts';

interface Resource {
  readonly Type: string;
  readonly Properties?: {
    readonly FunctionName?: unknown;
    readonly QueueName?: unknown;
    readonly Environment?: { readonly Variables?: Readonly<Record<string, unknown>> };
  };
}

const resourcesOf = (cdkOut: string): readonly Resource[] =>
  readdirSync(cdkOut)
    .filter((name) => name.endsWith('.template.json'))
    .flatMap((name) => {
      const text = readFileSync(join(cdkOut, name), 'utf8');
      return Object.values((JSON.parse(text) as { Resources?: Record<string, Resource> }).Resources ?? {});
    });

/** What stands in the account by the synthesised templates. */
export const standingOf = (cdkOut: string): Standing => {
  const all = resourcesOf(cdkOut);
  const of = (type: string): number => all.filter((r) => r.Type === type).length;
  return {
    kmsKeys: of('AWS::KMS::Key'),
    alarms: of('AWS::CloudWatch::Alarm'),
    dashboards: of('AWS::CloudWatch::Dashboard'),
    queues: of('AWS::Lambda::EventSourceMapping'),
  };
};

/** Names of all queues of the synthesised templates. */
export const queueNamesOf = (cdkOut: string): ReadonlySet<string> =>
  new Set(
    resourcesOf(cdkOut).flatMap(({ Type, Properties: p }) =>
      Type === 'AWS::SQS::Queue' && typeof p?.QueueName === 'string' ? [p.QueueName] : [],
    ),
  );

/**
 * The environment in which the function of a bundle starts, by the synthesised templates; what is known only after a
 * deployment reads "none".
 * @throws {Error} when no function is named after the bundle.
 */
export const environmentOf = (cdkOut: string, bundle: string): Readonly<Record<string, string>> => {
  const named = (r: Resource): string => {
    const name = r.Properties?.FunctionName;
    return r.Type === 'AWS::Lambda::Function' && typeof name === 'string' ? name : '';
  };
  const all = resourcesOf(cdkOut);
  // One bundle may serve several functions, one a plane, with the plane behind its name.
  const found = all.find((r) => named(r).endsWith(`-${bundle}`)) ?? all.find((r) => named(r).includes(`-${bundle}-`));
  if (found === undefined) throw new Error(`no function of ${cdkOut} is named after the bundle ${bundle}; build anew`);
  return Object.fromEntries(
    Object.entries(found.Properties?.Environment?.Variables ?? {}).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : 'none',
    ]),
  );
};
