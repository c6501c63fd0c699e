import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KMSClient } from '@aws-sdk/client-kms';
import { STSClient } from '@aws-sdk/client-sts';
import { callerArn, connect, planeOf, profileOf, readConfig } from '../../../cli/connect.ts';

const STAGE = 'example-four-accounts';

describe('planes in several accounts', () => {
  const before = { ...process.env };
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mw-profiles-'));
    const file = join(folder, 'credentials');
    const profile = (name: string) => `[${name}]\naws_access_key_id = KEY-${name}\naws_secret_access_key = x\n`;
    writeFileSync(file, ['common', 'of-ml'].map(profile).join(''));
    for (const key of Object.keys(process.env)) if (/^(AWS|MILLWRIGHT)_/.test(key)) delete process.env[key];
    Object.assign(process.env, {
      AWS_SHARED_CREDENTIALS_FILE: file,
      AWS_CONFIG_FILE: join(folder, 'none'),
      AWS_PROFILE: 'common',
      MILLWRIGHT_PROFILE_ML: 'of-ml',
    });
  });
  afterEach(() => {
    process.env = before;
    rmSync(folder, { recursive: true, force: true });
  });

  it('are asked each with its own profile, and with the common one where it has none', async () => {
    const keyOf = async (client: unknown) => (await (client as KMSClient).config.credentials()).accessKeyId;
    const { kms, iot } = connect({ stage: STAGE });
    expect(await keyOf(kms)).toBe('KEY-of-ml');
    expect(await keyOf(iot)).toBe('KEY-common');
  });

  it('have no profile when it is not set or empty', () => {
    expect(profileOf('data', { MILLWRIGHT_PROFILE_ML: 'x' })).toBeUndefined();
    expect(profileOf('data', { MILLWRIGHT_PROFILE_DATA: '' })).toBeUndefined();
  });

  it('are found by the account and region of a function, and a function of none is refused', () => {
    const config = readConfig(STAGE);
    const arn = (account: string) => `arn:aws:lambda:eu-central-1:${account}:function:x`;
    expect(planeOf(config, arn('222222222222'))).toBe('data');
    expect(planeOf(config, arn('111111111111'))).toBe('governance');
    expect(() => planeOf(config, arn('999999999999'))).toThrow('is in no plane of the stage');
  });
});

describe('who runs a command', () => {
  it('is in AWS the caller that its credentials are of, not the name of a user on a laptop', async () => {
    const Arn = 'arn:aws:sts::111111111111:assumed-role/releasers/anna';
    const asked: string[] = [];
    const send = jest.spyOn(STSClient.prototype, 'send').mockImplementation((async (command: object) => {
      asked.push(command.constructor.name);
      return { Arn };
    }) as never);
    try {
      expect(await connect({ stage: STAGE }).actor()).toBe(Arn);
    } finally {
      send.mockRestore();
    }
    expect(asked).toEqual(['GetCallerIdentityCommand']);
  });

  it('must be known', async () => {
    await expect(callerArn({ send: async () => ({}) } as never)).rejects.toThrow('AWS does not say who you are');
  });
});
