import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { parseAs } from '#core/contracts/errors.ts';
import { type LedgerReceipt, LedgerRequest, LedgerResponse } from '#core/contracts/ledger.ts';
import { callAgain } from '#core/policy/call-again.ts';

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
    const { payload, failed } = await callAgain(
      async () => {
        const answer = await client.send(
          new InvokeCommand({ FunctionName: functionArn, Payload: Buffer.from(JSON.stringify(request)) }),
        );
        return {
          payload: JSON.parse(Buffer.from(answer.Payload ?? []).toString('utf8') || 'null'),
          failed: answer.FunctionError,
        };
      },
      (answer) => (answer.failed === undefined ? null : (answer.payload?.errorType ?? answer.failed)),
    );
    if (failed !== undefined) {
      const error = new Error(payload?.errorMessage ?? `the ledger writer failed: ${failed}`);
      error.name = payload?.errorType ?? 'LedgerError';
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
