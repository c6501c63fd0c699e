import { makeHandler } from '../../../lambdas/query/handler.ts';
import { recordCommand, registryOf } from '../../support/fakes.ts';

const handler = makeHandler({
  registry: registryOf([
    {
      ...recordCommand('model-line', 'l/plant-a', { n: 1 }),
      edges: [{ from: 'package:p', rel: 'trained-on', to: 'snapshot:s' }],
    },
  ]),
});
const get = async (rawPath: string, queryStringParameters: Record<string, string> = {}) => {
  const answer = await handler({ rawPath, queryStringParameters });
  return { status: answer.statusCode, body: JSON.parse(String(answer.body)) };
};

describe('the read API', () => {
  it('lists model lines', async () => {
    expect(await get('/models')).toMatchObject({ status: 200, body: { records: [{ id: 'l/plant-a' }] } });
  });
  it('walks lineage', async () => {
    expect((await get('/lineage', { node: 'package:p' })).body.nodes).toEqual([
      { node: 'package:p', depth: 0 },
      { node: 'snapshot:s', depth: 1 },
    ]);
  });
  it.each([
    ['/models', { limit: '0' }, /limit: expected a whole number from 1 to 200/],
    ['/lineage', {}, /node: expected <class>:<id>/],
    ['/lineage', { node: 'package:p', direction: 'up' }, /direction: expected back or forward/],
  ])('refuses %s %j with what was expected', async (path, query, why) => {
    const answer = await get(path, query as Record<string, string>);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatch(why);
  });
  it('answers another path with the paths there are', async () => {
    expect(await get('/models/x')).toMatchObject({ status: 404, body: { error: expect.stringContaining('/lineage') } });
  });
});
