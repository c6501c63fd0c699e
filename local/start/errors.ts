/** A reason for which the pass cannot go on: what happened, what to do, and where to read more. */
export class StartError extends Error {
  readonly advice: string;
  readonly log: string | null;
  constructor(message: string, advice: string, log: string | null = null) {
    super(message);
    this.name = 'StartError';
    this.advice = advice;
    this.log = log;
  }
}

/** Any error as a StartError: system errors that a person can mend are named. */
export const explainStartError = (error: unknown): StartError => {
  if (error instanceof StartError) return error;
  const { message = String(error), code, name, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'ENOSPC')
    return new StartError(
      `the disk is full: ${message}`,
      'free some space, then start again: what was half-written is done anew',
    );
  if (code === 'EROFS')
    return new StartError(
      `nothing can be written there: ${message}`,
      'choose a folder on a disk that can be written with --state-dir',
    );
  if ((code === 'EEXIST' && syscall === 'mkdir') || code === 'ENOTDIR')
    return new StartError(
      `a file is where a folder is needed: ${message}`,
      'move the file away, or choose another folder with --state-dir',
    );
  if (code === 'EACCES' || code === 'EPERM')
    return new StartError(`a file may not be written: ${message}`, 'give it back to your own user, then start again');
  if (code === 'EMFILE')
    return new StartError(`too many open files: ${message}`, 'raise the limit (ulimit -n 4096), then start again');
  return new StartError(
    name !== undefined && name !== 'Error' && name !== 'ServiceError' ? `${name}: ${message}` : message,
    'start again: it goes on where it stopped; with --fresh it begins anew',
  );
};
