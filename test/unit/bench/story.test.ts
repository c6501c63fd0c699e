import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Figure } from '../../../bench/report.ts';
import { storyFigures } from '../../../bench/story.ts';
import { environmentOf, queueNamesOf, standingOf } from '../../../bench/templates.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mw-bench-story-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const told = (): readonly Figure[] => {
  const figures: Figure[] = [];
  storyFigures(folder, { figure: (f) => void figures.push(f), note: () => {} });
  return figures;
};
const write = (timings: Record<string, number>): void =>
  writeFileSync(join(folder, 'story.json'), JSON.stringify({ schema: 'story/1', facts: [], timings }));

test('the times of the story are told beside their goals', () => {
  write({ storySeconds: 200, outcomeToRetrainSeconds: 4, badWaveToRevertedSeconds: 31, others: 1 });
  expect(told().map((f) => [f.value, f.goal])).toEqual([
    [200, 300],
    [4, 10],
    [31, 30],
  ]);
});

test('a story that stopped on its way is an error and no figure', () => {
  write({ storySeconds: 200 });
  expect(told).toThrow('has no outcomeToRetrainSeconds');
});

test('a plant without a story is an error', () => {
  expect(told).toThrow('the plant told no story');
});

test('what stands is counted over all templates', () => {
  const template = (...types: string[]): string =>
    JSON.stringify({ Resources: Object.fromEntries(types.map((Type, i) => [`R${i}`, { Type }])) });
  writeFileSync(
    join(folder, 'A.template.json'),
    template('AWS::KMS::Key', 'AWS::CloudWatch::Alarm', 'AWS::S3::Bucket'),
  );
  writeFileSync(join(folder, 'B.template.json'), template('AWS::KMS::Key', 'AWS::Lambda::EventSourceMapping'));
  writeFileSync(join(folder, 'manifest.json'), '{}');
  expect(standingOf(folder)).toEqual({ kmsKeys: 2, alarms: 1, dashboards: 0, queues: 1 });
});

test('queues are known by the names in the templates', () => {
  const queue = (QueueName: unknown) => ({ Type: 'AWS::SQS::Queue', Properties: { QueueName } });
  const Resources = { A: queue('work'), B: queue({ Ref: 'Name' }), C: { Type: 'AWS::SNS::Topic' } };
  writeFileSync(join(folder, 'A.template.json'), JSON.stringify({ Resources }));
  expect([...queueNamesOf(folder)]).toEqual(['work']);
});

describe('the environment of a bundle', () => {
  const fn = (FunctionName: unknown, Variables: Record<string, unknown>) => ({
    Type: 'AWS::Lambda::Function',
    Properties: { FunctionName, Environment: { Variables } },
  });
  const resources = {
    A: fn('mw-local-evaluate-report', { WHO: 'report' }),
    B: fn('mw-local-evaluate', { WHO: 'evaluate', KEY: { Ref: 'Key' } }),
    C: fn('mw-local-health-ml', { WHO: 'health' }),
    D: fn({ Ref: 'Name' }, {}),
  };
  beforeEach(() => writeFileSync(join(folder, 'A.template.json'), JSON.stringify({ Resources: resources })));

  test('is that of the function named after it, as far as it is known before a deployment', () => {
    expect(environmentOf(folder, 'health')).toEqual({ WHO: 'health' });
    expect(environmentOf(folder, 'evaluate-report')).toEqual({ WHO: 'report' });
  });

  test('prefers the function with exactly its name', () => {
    expect(environmentOf(folder, 'evaluate')).toEqual({ WHO: 'evaluate', KEY: 'none' });
  });

  test('is unknown for a bundle that no function is named after', () => {
    expect(() => environmentOf(folder, 'nothing')).toThrow('named after the bundle nothing');
  });
});
