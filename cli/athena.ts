import { z } from 'zod';
import { CliError } from './errors.ts';
import { type Credentials, signRequest } from './sign-request.ts';

/** What a query returned; every value is text, as Athena gives it. */
export interface QueryResult {
  /** Id of the execution in Athena. */
  readonly id: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly scannedBytes: number;
}

/** SQL over the lake, as the person whose credentials these are. */
export interface Athena {
  /** @throws {CliError} when the query fails, with Athena's reason. */
  query(sql: string): Promise<QueryResult>;
}

export interface AthenaOptions {
  readonly endpoint: string;
  readonly region: string;
  readonly workgroup: string;
  readonly database: string;
  readonly credentials: () => Promise<Credentials>;
  readonly fetch: (
    url: string,
    init: { method: string; headers: Record<string, string>; body: string },
  ) => Promise<{
    readonly ok: boolean;
    readonly status: number;
    text(): Promise<string>;
  }>;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
}

const TRIES = 5;
const Started = z.object({ QueryExecutionId: z.string() });
const Execution = z.object({
  QueryExecution: z.object({
    Status: z.object({ State: z.string(), StateChangeReason: z.string().nullish() }),
    Statistics: z.object({ DataScannedInBytes: z.number().default(0) }).default({ DataScannedInBytes: 0 }),
  }),
});
const Results = z.object({
  ResultSet: z.object({
    Rows: z.array(z.object({ Data: z.array(z.object({ VarCharValue: z.string().optional() })) })),
    ResultSetMetadata: z.object({ ColumnInfo: z.array(z.object({ Name: z.string() })) }),
  }),
  NextToken: z.string().nullish(),
});
const Failure = z.looseObject({
  __type: z.string().default('Error'),
  message: z.string().optional(),
  Message: z.string().optional(),
});

const failureOf = (status: number, text: string): Error => {
  let body: unknown = {};
  try {
    body = JSON.parse(text);
  } catch {}
  const parsed = Failure.safeParse(body);
  const failure = parsed.success ? parsed.data : Failure.parse({});
  const error = new Error(failure.message ?? failure.Message ?? `Athena answered with status ${status}`);
  error.name = failure.__type.split('#').at(-1) as string;
  return error;
};

/**
 * Athena's JSON API (AWS JSON 1.1), as much as running a query needs. What is asked too often, or fails in AWS, is asked
 * again; a request carries a token, so that the same query is not started twice.
 */
export const makeAthena = (o: AthenaOptions): Athena => {
  const call = async <S extends z.ZodType>(action: string, input: object, answer: S): Promise<z.output<S>> => {
    const body = JSON.stringify(input);
    for (let tried = 1; ; tried++) {
      const headers = signRequest(
        {
          url: o.endpoint,
          region: o.region,
          service: 'athena',
          headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AmazonAthena.${action}` },
          body,
        },
        await o.credentials(),
        o.now(),
      );
      const response = await o.fetch(o.endpoint, { method: 'POST', headers, body });
      const text = await response.text();
      if (response.ok) return answer.parse(JSON.parse(text));
      const failure = failureOf(response.status, text);
      const passing = response.status >= 500 || /TooManyRequests|Throttling/.test(failure.name);
      if (!passing || tried === TRIES) throw failure;
      await o.sleep(100 * 2 ** tried);
    }
  };
  const finished = async (id: string): Promise<number> => {
    for (let waited = 50; ; waited = Math.min(2000, waited * 1.5)) {
      const { QueryExecution: execution } = await call('GetQueryExecution', { QueryExecutionId: id }, Execution);
      const { State: state, StateChangeReason: reason } = execution.Status;
      if (state === 'SUCCEEDED') return execution.Statistics.DataScannedInBytes;
      if (state === 'FAILED' || state === 'CANCELLED')
        throw new CliError(
          `the query ${state === 'FAILED' ? 'failed' : 'was cancelled'}: ${reason ?? 'Athena gives no reason'}`,
          `look at execution ${id} of workgroup ${o.workgroup}; a shorter stretch of time reads less`,
        );
      await o.sleep(waited);
    }
  };
  return {
    async query(sql) {
      const { QueryExecutionId: id } = await call(
        'StartQueryExecution',
        {
          QueryString: sql,
          QueryExecutionContext: { Database: o.database, Catalog: 'AwsDataCatalog' },
          WorkGroup: o.workgroup,
          ClientRequestToken: crypto.randomUUID(),
        },
        Started,
      );
      const scannedBytes = await finished(id);
      const rows: (string | null)[][] = [];
      let columns: string[] = [];
      for (let token: string | null = null, page = 0; ; page++) {
        const { ResultSet: set, NextToken: next }: z.output<typeof Results> = await call(
          'GetQueryResults',
          { QueryExecutionId: id, MaxResults: 1000, ...(token === null ? {} : { NextToken: token }) },
          Results,
        );
        columns = set.ResultSetMetadata.ColumnInfo.map((c) => c.Name);
        // The first row of a SELECT is the names of its columns.
        const data = page === 0 ? set.Rows.slice(1) : set.Rows;
        rows.push(...data.map((r) => columns.map((_, i) => r.Data[i]?.VarCharValue ?? null)));
        if (next === null || next === undefined) return { id, columns, rows, scannedBytes };
        token = next;
      }
    },
  };
};
