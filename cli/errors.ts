/** Exit codes of the CLI, as `docs/cli.md` lists them. */
export const EXIT = { ok: 0, failed: 1, usage: 2, notFound: 3, unreachable: 4 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A reason to stop that the person at the keyboard can act on: what was wrong, and what to do. */
export class CliError extends Error {
  readonly advice: string;
  readonly exitCode: ExitCode;
  constructor(message: string, advice: string, exitCode: ExitCode = EXIT.failed) {
    super(message);
    this.name = 'CliError';
    this.advice = advice;
    this.exitCode = exitCode;
  }
}

const UNREACHABLE = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'TimeoutError'];

/** Any error in the form that a person can act on: AWS's and the network's own names are explained. */
export const explainError = (error: unknown): CliError => {
  if (error instanceof CliError) return error;
  const { name = 'Error', message = String(error), code } = (error ?? {}) as Error & { code?: string };
  if (UNREACHABLE.includes(code ?? name))
    return new CliError(
      `the platform cannot be reached (${code ?? name}: ${message || 'no answer'})`,
      'for the local plant run "npm start" in another terminal; for AWS check the network and the region',
      EXIT.unreachable,
    );
  if (/CredentialsProviderError|ExpiredToken|UnrecognizedClient|InvalidClientTokenId/.test(name))
    return new CliError(
      `AWS does not know you: ${message}`,
      'sign in again (for example "aws sso login") or set AWS_PROFILE, then run the command again',
      EXIT.unreachable,
    );
  if (/AccessDenied|NotAuthorized/.test(name))
    return new CliError(`not allowed: ${message}`, 'ask for the role that may do this, or use another AWS_PROFILE');
  if (/ResourceNotFound|NoSuchBucket/.test(name))
    return new CliError(
      `a part of the platform is not there: ${message}`,
      'check --stage; deploy the stage with "npx cdk deploy --all"; a local plant that is starting has all once it says "stacks"',
      EXIT.notFound,
    );
  return new CliError(
    `${name === 'Error' ? '' : `${name}: `}${message}`,
    'run the command again with --verbose for the whole story',
  );
};
