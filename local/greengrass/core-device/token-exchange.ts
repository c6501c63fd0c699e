import { createServer } from 'node:http';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { AwsCredentialIdentity } from '@aws-sdk/types';

/** Credentials are fetched again when they have less left than this. */
const REFRESH_MS = 5 * 60_000;
const PATH = '/2016-11-01/credentialprovider/';

export interface TokenExchange {
  /** For AWS_CONTAINER_CREDENTIALS_FULL_URI. */
  readonly url: string;
  credentials(): Promise<AwsCredentialIdentity>;
  stop(): Promise<void>;
}

/**
 * Stands for the token exchange service: the device's role, for the nucleus itself and over HTTP for its components.
 * A real device shows its certificate to the credential provider; the local AWS has none, so the device assumes the
 * role at STS, in a session that is called like its thing (local/aws/patches.py: know_variables_of_devices). Offline, credentials are given out until they expire.
 */
export const startTokenExchange = async (options: {
  readonly stsUrl: string;
  readonly region: string;
  readonly roleArn: string;
  readonly thingName: string;
  /** Credentials that may assume the role; never shown to a component. */
  readonly bootstrap: AwsCredentialIdentity;
  readonly mayHaveCredentials: (token: string) => boolean;
  readonly log: (line: string) => void;
}): Promise<TokenExchange> => {
  const sts = new STSClient({
    endpoint: options.stsUrl,
    region: options.region,
    credentials: options.bootstrap,
    maxAttempts: 2,
  });
  let cached: { identity: AwsCredentialIdentity; expiresAt: number } | undefined;
  let pending: Promise<void> | undefined;

  const refresh = async (): Promise<void> => {
    const { Credentials: c } = await sts.send(
      new AssumeRoleCommand({ RoleArn: options.roleArn, RoleSessionName: options.thingName }),
    );
    if (c?.AccessKeyId === undefined || c.SecretAccessKey === undefined)
      throw new Error(`STS gave no credentials for ${options.roleArn}; look at the role's trust policy`);
    const expiration = c.Expiration ?? new Date(Date.now() + 3_600_000);
    cached = {
      identity: {
        accessKeyId: c.AccessKeyId,
        secretAccessKey: c.SecretAccessKey,
        sessionToken: c.SessionToken,
        expiration,
      },
      expiresAt: expiration.getTime(),
    };
  };

  const credentials = async (): Promise<AwsCredentialIdentity> => {
    if (cached === undefined || cached.expiresAt - Date.now() < REFRESH_MS) {
      pending ??= refresh().finally(() => {
        pending = undefined;
      });
      try {
        await pending;
      } catch (error) {
        if (cached === undefined || cached.expiresAt <= Date.now()) throw error;
      }
    }
    return (cached as { identity: AwsCredentialIdentity }).identity;
  };

  const server = createServer(async (request, response) => {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (request.method !== 'GET' || request.url !== PATH) return answer(404, { message: `only GET ${PATH}` });
    if (!options.mayHaveCredentials(request.headers.authorization ?? ''))
      return answer(403, {
        message:
          'the authorization token belongs to no component that may have credentials; let it depend on aws.greengrass.TokenExchangeService',
      });
    try {
      const identity = await credentials();
      return answer(200, {
        AccessKeyId: identity.accessKeyId,
        SecretAccessKey: identity.secretAccessKey,
        Token: identity.sessionToken,
        Expiration: identity.expiration?.toISOString().replace(/\.\d+Z$/, 'Z'),
      });
    } catch (error) {
      options.log(`token exchange: ${(error as Error).message}`);
      return answer(500, { message: 'the credentials of the role cannot be had now' });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}${PATH}`,
    credentials,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      sts.destroy();
    },
  };
};
