import { z } from 'zod';

/** What Step Functions keeps of a fault. */
export const Fault = z.object({ Error: z.string(), Cause: z.string().default('') });

/** What a fault says, in the words of the function or job that failed. */
export const sayFault = ({ Error: name, Cause: cause }: z.infer<typeof Fault>): string => {
  let text = cause;
  try {
    const parsed = JSON.parse(cause) as Record<string, unknown>;
    text = String(parsed['errorMessage'] ?? parsed['FailureReason'] ?? parsed['ExitMessage'] ?? cause);
  } catch {
    // Not JSON: the cause is the text.
  }
  return name === 'Refused' ? text : `${name}: ${text}`;
};
