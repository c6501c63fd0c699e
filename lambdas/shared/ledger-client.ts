import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { parseAs } from '#core/contracts/errors.ts';
import { type LedgerReceipt, LedgerRequest, LedgerResponse } from '#core/contracts/ledger.ts';
import { callFunction } from '#core/policy/call-again.ts';

export type LedgerCommandInput = LedgerRequest['commands'][number];

/** Writes to the registry by asking its only writer. */
export interface Ledger {
  /** Up to 50 commands; receipts in the same order. Repeating a command id is harmless. */
  write(commands: readonly LedgerCommandInput[]): Promise<readonly LedgerReceipt[]>;
}

/** @throws {Error} the writer's own name and message when it refuses. */
export const lambdaLedger = (client: LambdaClient, functionArn: string): Ledger => ({
  async write(commands) {
    const request = parseAs(LedgerRequest, { commands }, 'ledger request');
    // Commands carry their ids: one that was carried out before its answer was lost is replayed.
    const { payload, failure } = await callFunction(() =>
      client.send(new InvokeCommand({ FunctionName: functionArn, Payload: Buffer.from(JSON.stringify(request)) })),
    );
    if (failure !== null) {
      const error = new Error(failure.errorMessage ?? `the ledger writer failed: ${failure.functionError}`);
      error.name = failure.errorType ?? 'LedgerError';
      throw error;
    }
    return parseAs(LedgerResponse, payload, 'answer of the ledger writer').receipts;
  },
});

/** Writes any number of commands, 25 at a time and in order. */
export const writeAll = async (
  ledger: Ledger,
  commands: readonly LedgerCommandInput[],
): Promise<readonly LedgerReceipt[]> => {
  const receipts: LedgerReceipt[] = [];
  for (let i = 0; i < commands.length; i += 25) receipts.push(...(await ledger.write(commands.slice(i, i + 25))));
  return receipts;
};
