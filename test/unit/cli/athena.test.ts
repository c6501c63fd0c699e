import { AthenaClient } from '@aws-sdk/client-athena';
import { makeAthena } from '../../../cli/athena.ts';

interface Call {
  readonly action: string;
  readonly input: Record<string, unknown>;
}

interface Answer {
  readonly status?: number;
  readonly body: unknown;
}

/** Athena that answers each action with the next of its answers; the last one for ever. */
const athenaOf = (answers: Record<string, readonly Answer[]>) => {
  const calls: Call[] = [];
  const waits: number[] = [];
  const handle = async (request: { headers: Record<string, string>; body: Uint8Array }) => {
    const action = request.headers['x-amz-target']?.replace('AmazonAthena.', '') ?? '';
    const before = calls.filter((c) => c.action === action).length;
    calls.push({ action, input: JSON.parse(new TextDecoder().decode(request.body)) });
    const all = answers[action] ?? [];
    const { status = 200, body } = all[Math.min(before, all.length - 1)] ?? { status: 404, body: {} };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return { response: { statusCode: status, headers: {}, body: Buffer.from(text) } };
  };
  const client = new AthenaClient({
    endpoint: 'https://athena.test/',
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' },
    requestHandler: { handle },
  });
  const sleep = async (ms: number) => void waits.push(ms);
  return { athena: makeAthena({ client, workgroup: 'mw-local', database: 'mw_local', sleep }), calls, waits };
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
    expect(calls.at(-1)?.input).toEqual({ QueryExecutionId: 'q-1', MaxResults: 1000, NextToken: 'more' });
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
    expect(tokens[0]).toEqual(expect.stringMatching(/^[\w-]{32,128}$/));
    expect(new Set(tokens).size).toBe(1);
  });

  it('is given up when AWS stays busy, or refuses', async () => {
    const busy = athenaOf({ StartQueryExecution: [{ status: 500, body: {} }] });
    await expect(busy.athena.query('SELECT 1')).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    expect(busy.calls.length).toBe(3);
    const refused = athenaOf({
      StartQueryExecution: [{ status: 400, body: { __type: 'x#AccessDeniedException', Message: 'no' } }],
    });
    await expect(refused.athena.query('SELECT 1')).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: 'no',
    });
    expect(refused.calls.length).toBe(1);
  });

  it.each([
    ['no id', 'the id of the execution', { StartQueryExecution: [{ body: {} }] }],
    [
      'no state',
      'the state of execution q-1',
      { StartQueryExecution: [started], GetQueryExecution: [{ body: { QueryExecution: {} } }] },
    ],
  ])('that gets %s is not waited for', async (_, what, answers) => {
    await expect(athenaOf(answers).athena.query('SELECT 1')).rejects.toThrow(`Athena answered without ${what}`);
  });

  it('that finds nothing at all has no columns and no rows', async () => {
    const { athena } = athenaOf({
      StartQueryExecution: [started],
      GetQueryExecution: [{ body: { QueryExecution: { Status: { State: 'SUCCEEDED' } } } }],
      GetQueryResults: [{ body: {} }],
    });
    expect(await athena.query('MSCK REPAIR TABLE a')).toEqual({ id: 'q-1', columns: [], rows: [], scannedBytes: 0 });
  });
});
