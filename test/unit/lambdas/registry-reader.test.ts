import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamoRegistry } from '../../../lambdas/shared/registry-reader.ts';

/** A table that keeps what it is asked, and answers nothing. */
const askedTable = () => {
  const asked: Record<string, unknown>[] = [];
  const send = async ({ input }: { input: Record<string, unknown> }) => {
    asked.push(input);
    return {};
  };
  return { asked, registry: dynamoRegistry({ send } as unknown as DynamoDBDocumentClient, 'table') };
};

test('the versions of a record are read as surely as its newest, so that a version that was told of is among them', async () => {
  const { asked, registry } = askedTable();
  await registry.latest('raw-object', 'k');
  await registry.versions('raw-object', 'k');
  expect(asked.map((a) => a['ConsistentRead'])).toEqual([true, true]);
});

test('an index cannot be read so, and is not asked to', async () => {
  const { asked, registry } = askedTable();
  await registry.list('raw-object');
  expect(asked.map((a) => a['ConsistentRead'])).toEqual([undefined]);
});
