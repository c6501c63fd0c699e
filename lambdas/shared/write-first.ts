import { Duplicate } from './errors.ts';
import { type Ledger, type LedgerCommandInput, writeAll } from './ledger-client.ts';

/**
 * Writes commands of which the first makes a record. The bus delivers at least once: two executions of one request may
 * both have read that there is no record yet, and only one of them writes its first version.
 * @param what the request, for the error. @throws {Duplicate} when another execution was first.
 */
export const writeFirst = async (
  ledger: Ledger,
  [first, ...others]: readonly [LedgerCommandInput, ...LedgerCommandInput[]],
  what: string,
): Promise<void> => {
  try {
    await writeAll(ledger, [{ ...first, expectVersion: 0 }, ...others]);
  } catch (error) {
    if ((error as Error).name === 'VersionConflict') throw new Duplicate(what);
    throw error;
  }
};
