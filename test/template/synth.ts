import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { type DeploymentConfig, DeploymentConfig as Schema } from '../../core/contracts/deployment-config.ts';
import { MillwrightStage } from '../../lib/stage.ts';

export const ROOT = join(__dirname, '../..');

export const configOf = (file: string): DeploymentConfig =>
  Schema.parse(JSON.parse(readFileSync(join(ROOT, 'config', `${file}.json`), 'utf8')));

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
}
export interface Synthesised {
  readonly name: string;
  readonly account: string;
  readonly template: { readonly Resources: Record<string, Resource> };
  readonly dependsOn: readonly string[];
}

const cache = new Map<string, Synthesised[]>();

/** Templates of all stacks, in the order of deployment; each config is synthesised once a test file. */
export const synthesise = (config: DeploymentConfig): readonly Synthesised[] => {
  const key = JSON.stringify(config);
  const known = cache.get(key);
  if (known !== undefined) return known;
  const app = new App();
  const { stacks } = new MillwrightStage(app, config);
  const made = stacks.map((stack) => ({
    name: stack.node.id,
    account: stack.account,
    template: Template.fromStack(stack).toJSON() as Synthesised['template'],
    dependsOn: stack.dependencies.map((d) => d.node.id),
  }));
  // The bundles are copied there, 160 MB each time.
  rmSync(app.outdir, { recursive: true, force: true });
  cache.set(key, made);
  return made;
};

export const resourcesOf = (
  stacks: readonly Synthesised[],
  type: string,
): (Resource & { stack: string; id: string })[] =>
  stacks.flatMap((s) =>
    Object.entries(s.template.Resources)
      .filter(([, r]) => r.Type === type)
      .map(([id, r]) => ({ ...r, id, stack: s.name })),
  );
