import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { acknowledgeFindings, reasonFor, resourceText } from '../../lib/aspects/acknowledged.ts';
import { MillwrightStage } from '../../lib/stage.ts';
import { configOf, ROOT, synthesise } from './synth.ts';

describe('validation of templates', () => {
  let app: App;
  beforeEach(() => {
    app = new App();
  });
  afterEach(() => rmSync(app.outdir, { recursive: true, force: true }));

  it.each(['local', 'example-four-accounts'])('finds nothing that no line explains (%s)', (file) => {
    new MillwrightStage(app, configOf(file));
    expect(() => app.synth()).not.toThrow();
  });

  it('stops at a wildcard that no line explains', () => {
    const stack = new Stack(app, 'S');
    const role = new Role(stack, 'R', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    role.addToPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: ['*'] }));
    acknowledgeFindings(app, false);
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).toThrow(/AwsSolutions-IAM5/);
  });

  it('explains a wildcard only for the actions that its line names', () => {
    expect(reasonFor('*', ['xray:PutTraceSegments'])).toBeDefined();
    expect(reasonFor('*', ['xray:PutTraceSegments', 's3:GetObject'])).toBeUndefined();
    expect(reasonFor('arn:aws:s3:::bucket/*', ['s3:GetObject'])).toBeUndefined();
    expect(reasonFor('arn:aws:s3:::bucket/prefix/*', ['s3:GetObject'])).toBeDefined();
  });

  it('prints the tokens of a resource as cdk-nag does', () => {
    expect(resourceText({ 'Fn::Join': ['', [{ 'Fn::GetAtt': ['Q', 'Arn'] }, ':', { Ref: 'P' }, '*']] })).toBe(
      '<Q.Arn>:<P>*',
    );
    expect(resourceText(`a/\${credentials-iot:ThingName}/*`)).toBe('a/<credentials-iot:ThingName>/*');
    expect(resourceText({ 'Fn::Sub': 'x' })).toBe('{"Fn::Sub":"x"}');
  });

  it('passes cfn-lint', () => {
    const lint = join(ROOT, '.venv/bin/cfn-lint');
    if (!existsSync(lint)) throw new Error('there is no .venv: npm test makes it, run it first');
    const dir = mkdtempSync(join(tmpdir(), 'mw-cfn-'));
    try {
      const files = synthesise(configOf('example-four-accounts')).map((s) => {
        const file = join(dir, `${s.name}.json`);
        writeFileSync(file, JSON.stringify(s.template));
        return file;
      });
      // W3005: dependencies that CDK states twice.
      const run = spawnSync(lint, ['--ignore-checks', 'W3005', '--', ...files], {
        encoding: 'utf8',
      });
      expect(run.stdout + run.stderr).toBe('');
      expect(run.status).toBe(0);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }, 120_000);
});
