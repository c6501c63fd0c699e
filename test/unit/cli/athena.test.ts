import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type AthenaOptions, makeAthena } from '../../../cli/athena.ts';
import { signRequest } from '../../../cli/sign-request.ts';

const python = join(__dirname, '../../../.venv/bin/python');
const AT = new Date('2026-01-02T03:04:05.678Z');

interface Call {
  readonly action: string;
  readonly input: Record<string, unknown>;
  readonly headers: Record<string, string>;
}

/** Athena that answers each action with the next of its answers; the last one for ever. */
const athenaOf = (answers: Record<string, readonly { status?: number; body: unknown }[]>) => {
  const calls: Call[] = [];
  const waits: number[] = [];
  const fetch: AthenaOptions['fetch'] = async (_, { headers, body }) => {
    const action = headers['x-amz-target']?.replace('AmazonAthena.', '') ?? '';
    const before = calls.filter((c) => c.action === action).length;
    calls.push({ action, input: JSON.parse(body), headers });
    const all = answers[action] ?? [];
    const { status = 200, body: answer } = all[Math.min(before, all.length - 1)] ?? { status: 404, body: {} };
    return {
      ok: status === 200,
      status,
      text: async () => (typeof answer === 'string' ? answer : JSON.stringify(answer)),
    };
  };
  const athena = makeAthena({
    endpoint: 'https://athena.test/',
    region: 'us-east-1',
    workgroup: 'mw-local',
    database: 'mw_local',
    credentials: async () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret' }),
    fetch,
    now: () => AT,
    sleep: async (ms) => void waits.push(ms),
  });
  return { athena, calls, waits };
};

const started = { body: { QueryExecutionId: 'q-1' } };
const state = (State: string, StateChangeReason?: string) => ({
  body: { QueryExecution: { Status: { State, StateChangeReason }, Statistics: { DataScannedInBytes: 42 } } },
});
const page = (rows: readonly (readonly (string | null)[])[], NextToken?: string) => ({
  body: {
    ResultSet: {
      Rows: rows.map((r) => ({ Data: r.map((v) => (v === null ? {} : { VarCharValue: v })) })),
      ResultSetMetadata: { ColumnInfo: [{ Name: 'a' }, { Name: 'b' }] },
    },
    ...(NextToken === undefined ? {} : { NextToken }),
  },
});

describe('a query in Athena', () => {
  it('is started in the workgroup, waited for, and read to its last page', async () => {
    const { athena, calls, waits } = athenaOf({
      StartQueryExecution: [started],
      GetQueryExecution: [state('QUEUED'), state('RUNNING'), state('SUCCEEDED')],
      GetQueryResults: [
        page(
          [
            ['a', 'b'],
            ['1', null],
          ],
          'more',
        ),
        page([['2', 'x']]),
      ],
    });
    expect(await athena.query('SELECT 1')).toEqual({
      id: 'q-1',
      columns: ['a', 'b'],
      rows: [
        ['1', null],
        ['2', 'x'],
      ],
      scannedBytes: 42,
    });
    expect(calls[0]?.input).toMatchObject({
      QueryString: 'SELECT 1',
      WorkGroup: 'mw-local',
      QueryExecutionContext: { Database: 'mw_local' },
    });
    expect(calls.at(-1)?.input).toMatchObject({ QueryExecutionId: 'q-1', NextToken: 'more' });
    expect(waits.length).toBe(2);
  });

  it.each([
    ['FAILED', 'SYNTAX_ERROR: line 1', 'the query failed: SYNTAX_ERROR: line 1'],
    ['CANCELLED', undefined, 'the query was cancelled: Athena gives no reason'],
  ])('that ends %s says why', async (how, reason, says) => {
    const { athena } = athenaOf({ StartQueryExecution: [started], GetQueryExecution: [state(how, reason)] });
    await expect(athena.query('SELECT')).rejects.toThrow(says);
  });

  it('is asked for again when AWS is busy, with the same token', async () => {
    const { athena, calls } = athenaOf({
      StartQueryExecution: [
        { status: 400, body: { __type: 'com.amazonaws.athena#TooManyRequestsException', message: 'slow' } },
        { status: 503, body: 'down' },
        started,
      ],
      GetQueryExecution: [state('SUCCEEDED')],
      GetQueryResults: [page([['a', 'b']])],
    });
    expect((await athena.query('SELECT 1')).rows).toEqual([]);
    const tokens = calls.filter((c) => c.action === 'StartQueryExecution').map((c) => c.input['ClientRequestToken']);
    expect(tokens.length).toBe(3);
    expect(new Set(tokens).size).toBe(1);
  });

  it('is given up when AWS stays busy, or refuses', async () => {
    const busy = athenaOf({ StartQueryExecution: [{ status: 500, body: {} }] });
    await expect(busy.athena.query('SELECT 1')).rejects.toThrow('Athena answered with status 500');
    expect(busy.calls.length).toBe(5);
    const refused = athenaOf({
      StartQueryExecution: [{ status: 400, body: { __type: 'x#AccessDeniedException', Message: 'no' } }],
    });
    await expect(refused.athena.query('SELECT 1')).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: 'no',
    });
    expect(refused.calls.length).toBe(1);
  });
});

const where = existsSync(python) ? it : it.skip;
where('a request is signed as botocore signs it, with and without a session', () => {
  const request = {
    url: 'https://athena.eu-central-1.amazonaws.com/',
    region: 'eu-central-1',
    service: 'athena',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonAthena.StartQueryExecution' },
    body: '{"QueryString":"SELECT \'ä\'"}',
  };
  const script = `
import json, sys, datetime
from botocore import auth, awsrequest, credentials
g = json.load(sys.stdin)
class Fixed(auth.SigV4Auth): pass
at = datetime.datetime(2026, 1, 2, 3, 4, 5)
auth.get_current_datetime = lambda remove_tzinfo=True: at
for token in (None, 'SESSION'):
    r = awsrequest.AWSRequest('POST', g['url'], headers=g['headers'], data=g['body'].encode())
    Fixed(credentials.Credentials('AKID', 'secret', token), g['service'], g['region']).add_auth(r)
    print(r.headers['Authorization'])
`;
  const { stdout, stderr } = spawnSync(python, ['-c', script], { input: JSON.stringify(request), encoding: 'utf8' });
  expect(stderr).toBe('');
  const ours = [undefined, 'SESSION'].map(
    (sessionToken) =>
      signRequest(request, { accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken }, AT)['authorization'],
  );
  expect(stdout.trim().split('\n')).toEqual(ours);
});
