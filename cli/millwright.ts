import { readFileSync } from 'node:fs';
import { connect, ROOT } from './connect.ts';
import { CliError, EXIT } from './errors.ts';
import { runCli } from './program.ts';

const readText = (file: string): string => {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CliError(
      `${file} cannot be read: ${(error as Error).message}`,
      'give the path of a readable file, or - for standard input',
      EXIT.usage,
    );
  }
};

const fetchText = async (url: string): Promise<string> => {
  const response = await fetch(url);
  if (!response.ok)
    throw new CliError(`${url} answered ${response.status}`, 'check the network, then run the command again');
  return response.text();
};

// A reader that went away (`| head`) is no fault of the command.
process.stdout.on('error', () => process.exit(0));

process.exitCode = await runCli(process.argv.slice(2), {
  connect,
  write: (text) => void process.stdout.write(text),
  writeError: (text) => void process.stderr.write(text),
  readText,
  fetchText,
  colour: process.stdout.isTTY === true && !process.env['NO_COLOR'],
  root: ROOT,
});
