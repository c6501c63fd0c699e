import { createHash } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Artifacts, Things } from './ports.ts';
import { conflict } from './service-error.ts';
import type { Store } from './store.ts';

export type Input = Readonly<Record<string, unknown>> & { readonly maxResults?: number; readonly nextToken?: string };
export type Output = Readonly<Record<string, unknown>>;
export type Operations = Readonly<Record<string, (input: Input) => Promise<Output>>>;

export interface ContextOptions {
  readonly store: Store;
  readonly artifacts: Artifacts;
  readonly things: Things;
  readonly account: string;
  readonly region: string;
  /** epoch milliseconds */
  readonly now: () => number;
  readonly newId: () => string;
  /** Fires `changed` whenever a device may have something new to do. */
  readonly events: EventEmitter;
}

export interface Context extends ContextOptions {
  /**
   * Runs `work` once for a client token: for eight hours the same token with the same request gets the first answer.
   * @throws ServiceError ConflictException when the token was used for another request
   */
  idempotent(operation: string, input: Input, work: () => Promise<Output>): Promise<Output>;
}

const TOKEN_LIFE_MS = 8 * 3_600_000;

const digestOf = (input: Input): string => {
  const sorted = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([k, v]) => [k, sorted(v)]),
    );
  };
  return createHash('sha256')
    .update(JSON.stringify(sorted({ ...input, clientToken: undefined })))
    .digest('hex');
};

/** Adds what all operations share to the control plane's dependencies. */
export const makeContext = (options: ContextOptions): Context => {
  const running = new Map<string, { readonly requestHash: string; readonly answer: Promise<Output> }>();
  return {
    ...options,
    idempotent: async (operation, input, work) => {
      const token = input['clientToken'] as string | undefined;
      if (token === undefined) return work();
      const requestHash = digestOf(input);
      const sameOnly = (earlier: string): void => {
        if (earlier !== requestHash) {
          throw conflict(
            `The clientToken ${token} was already used for another ${operation} request; use a new token for a new request`,
            'clientToken',
            token,
          );
        }
      };
      const key = `${operation}/${token}`;
      const twin = running.get(key);
      if (twin !== undefined) {
        sameOnly(twin.requestHash);
        return twin.answer;
      }
      const kept = options.store.token(operation, token);
      if (kept !== undefined && options.now() - kept.createdAt < TOKEN_LIFE_MS) {
        sameOnly(kept.requestHash);
        return kept.response;
      }
      const answer = (async () => {
        const response = await work();
        options.store.putToken(operation, token, { requestHash, response, createdAt: options.now() });
        return response;
      })();
      running.set(key, { requestHash, answer });
      try {
        return await answer;
      } finally {
        running.delete(key);
      }
    },
  };
};
