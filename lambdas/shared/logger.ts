import { Logger } from '@aws-lambda-powertools/logger';

/** Structured log of one function; the request id and cold start are in every line. */
export const makeLogger = (serviceName: string): Logger => new Logger({ serviceName });
