import { existsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CliError, EXIT } from '../errors.ts';

/** Is there a folder for a file? To be asked before long work. @throws {CliError} when there is none. */
export const folderIsThere = (file: string): void => {
  if (!existsSync(dirname(file)))
    throw new CliError(
      `there is no folder ${dirname(file)} to write ${file} into`,
      'make the folder first, or name another file',
      EXIT.usage,
    );
};

/** Writes a file that a person named. @throws {CliError} with the reason of the system when it cannot. */
export const writeFile = (file: string, content: string | Uint8Array): void => {
  folderIsThere(file);
  try {
    writeFileSync(file, content);
  } catch (error) {
    throw new CliError(`${file} cannot be written: ${(error as Error).message}`, 'name another file');
  }
};
