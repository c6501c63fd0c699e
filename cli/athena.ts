import {
  type AthenaClient,
  GetQueryExecutionCommand,
  paginateGetQueryResults,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { CliError } from './errors.ts';

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
  /** Asks again when AWS is busy; each start carries a token, so that the same query is not started twice. */
  readonly client: AthenaClient;
  readonly workgroup: string;
  readonly database: string;
  readonly sleep: (ms: number) => Promise<unknown>;
}

const without = (what: string): CliError =>
  new CliError(`Athena answered without ${what}`, 'look at the workgroup in the console of Athena, then run it again');

/** Runs queries in a workgroup: starts them, waits until they end, and reads every page of what they found. */
export const makeAthena = ({ client, workgroup, database, sleep }: AthenaOptions): Athena => {
  const start = async (sql: string): Promise<string> => {
    const { QueryExecutionId: id } = await client.send(
      new StartQueryExecutionCommand({
        QueryString: sql,
        QueryExecutionContext: { Database: database, Catalog: 'AwsDataCatalog' },
        WorkGroup: workgroup,
      }),
    );
    if (id === undefined) throw without('the id of the execution');
    return id;
  };
  const finished = async (id: string): Promise<number> => {
    for (let waited = 50; ; waited = Math.min(2000, waited * 1.5)) {
      const { QueryExecution: execution } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }));
      const { State: state, StateChangeReason: reason } = execution?.Status ?? {};
      if (state === undefined) throw without(`the state of execution ${id}`);
      if (state === 'SUCCEEDED') return execution?.Statistics?.DataScannedInBytes ?? 0;
      if (state === 'FAILED' || state === 'CANCELLED')
        throw new CliError(
          `the query ${state === 'FAILED' ? 'failed' : 'was cancelled'}: ${reason ?? 'Athena gives no reason'}`,
          `look at execution ${id} of workgroup ${workgroup}; a shorter stretch of time reads less`,
        );
      await sleep(waited);
    }
  };
  return {
    async query(sql) {
      const id = await start(sql);
      const scannedBytes = await finished(id);
      const rows: (string | null)[][] = [];
      let columns: string[] | undefined;
      for await (const { ResultSet: set } of paginateGetQueryResults(
        { client, pageSize: 1000 },
        { QueryExecutionId: id },
      )) {
        // The first row of a SELECT is the names of its columns.
        const data = (set?.Rows ?? []).slice(columns === undefined ? 1 : 0);
        const names = (set?.ResultSetMetadata?.ColumnInfo ?? []).map((c) => c.Name ?? '');
        columns = names;
        rows.push(...data.map((r) => names.map((_, i) => r.Data?.[i]?.VarCharValue ?? null)));
      }
      return { id, columns: columns ?? [], rows, scannedBytes };
    },
  };
};
