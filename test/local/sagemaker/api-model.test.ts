import { join } from 'node:path';
import { ApiModelError, loadApiModel, validationMessage } from '../../../local/shared/api-model.ts';

const venv = join(__dirname, '../../../.venv');
const sagemaker = loadApiModel(venv, 'sagemaker');
const greengrass = loadApiModel(venv, 'greengrassv2');

const stop = (input: unknown) => sagemaker.validate('StopTrainingJob', input);

describe('the API model of a service', () => {
  test('accepts an input that the service accepts', () => {
    expect(stop({ TrainingJobName: 'a-1' })).toEqual([]);
  });

  test('names a required member that is missing, in the words of the service', () => {
    expect(stop({})).toEqual(["Value null at 'trainingJobName' failed to satisfy constraint: Member must not be null"]);
  });

  test('names a value outside its pattern, and matches whole strings as Java does', () => {
    expect(stop({ TrainingJobName: 'a b' })[0]).toContain(
      "Value 'a b' at 'trainingJobName' failed to satisfy constraint: Member must satisfy regular expression pattern",
    );
  });

  test('names a text that is too long', () => {
    expect(stop({ TrainingJobName: 'a'.repeat(64) })[0]).toContain('have length less than or equal to 63');
  });

  test('names a number outside its range', () => {
    expect(sagemaker.validate('ListTrainingJobs', { MaxResults: 0 })).toEqual([
      "Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ]);
  });

  test('names a value outside its enumeration, with the values allowed', () => {
    expect(sagemaker.validate('ListTrainingJobs', { SortOrder: 'Up' })[0]).toContain(
      'satisfy enum value set: [Ascending, Descending]',
    );
  });

  test('names a value of the wrong type', () => {
    expect(stop({ TrainingJobName: 7 })).toEqual([
      "Value '7' at 'trainingJobName' has the wrong type: expected a string",
    ]);
    expect(sagemaker.validate('ListTrainingJobs', { MaxResults: 1.5 })[0]).toContain('expected an integer');
  });

  test('refuses a member that the model does not have, also one named like an inherited property', () => {
    expect(stop({ TrainingJobName: 'a', Nmae: 1 })).toEqual([
      "Unknown member 'Nmae' at '(request)': the service's model has none",
    ]);
    expect(stop({ TrainingJobName: 'a', constructor: 1 })[0]).toContain("Unknown member 'constructor'");
  });

  test('gives the path of a problem inside lists and maps', () => {
    expect(
      sagemaker.validate('AddTags', {
        ResourceArn: 'arn:aws:sagemaker:us-east-1:000000000000:training-job/a',
        Tags: [{ Key: '', Value: 'v' }],
      })[0],
    ).toContain("at 'tags.1.member.key'");
  });

  test('refuses an operation that the service does not have', () => {
    expect(() => sagemaker.validate('toString', {})).toThrow('sagemaker has no operation toString');
  });

  test('refuses a damaged reference to a Python environment with what to do', () => {
    expect(() => loadApiModel(join(venv, 'absent'), 'sagemaker')).toThrow(ApiModelError);
    expect(() => loadApiModel(join(venv, 'absent'), 'sagemaker')).toThrow('install botocore');
  });

  test('counts the problems as the service does', () => {
    expect(validationMessage(['a', 'b'])).toBe('2 validation errors detected: a; b');
    expect(validationMessage(['a'])).toBe('1 validation error detected: a');
  });

  test('finds the operation of a REST request and gathers path, query and body', () => {
    expect(
      greengrass.parseRest({
        method: 'GET',
        url: '/greengrass/v2/deployments?maxResults=5&targetArn=arn%3Aaws',
        headers: {},
        body: undefined,
      }),
    ).toEqual({ operation: 'ListDeployments', input: { maxResults: 5, targetArn: 'arn:aws' } });
    expect(
      greengrass.parseRest({
        method: 'GET',
        url: '/greengrass/v2/components/arn%3Aaws%3Agreengrass/versions',
        headers: {},
        body: undefined,
      }),
    ).toEqual({ operation: 'ListComponentVersions', input: { arn: 'arn:aws:greengrass' } });
    expect(
      greengrass.parseRest({
        method: 'POST',
        url: '/greengrass/v2/deployments',
        headers: {},
        body: { targetArn: 'x', odd: 1 },
      }),
    ).toEqual({ operation: 'CreateDeployment', input: { targetArn: 'x', odd: 1 } });
    expect(greengrass.parseRest({ method: 'GET', url: '/elsewhere', headers: {}, body: undefined })).toBeUndefined();
  });

  test('reads bytes of a REST body from base64', () => {
    const request = greengrass.parseRest({
      method: 'POST',
      url: '/greengrass/v2/createComponentVersion',
      headers: {},
      body: { inlineRecipe: 'e30=' },
    });
    expect(Buffer.from(request?.input['inlineRecipe'] as Uint8Array).toString()).toBe('{}');
  });

  test('writes timestamps as epoch seconds and leaves out what is undefined', () => {
    expect(
      greengrass.toWire('GetDeployment', { targetArn: 'x', creationTimestamp: new Date(1500), tags: undefined }),
    ).toEqual({ targetArn: 'x', creationTimestamp: 1.5 });
  });

  test('knows the HTTP status of an error', () => {
    expect(greengrass.errorStatus('ConflictException')).toBe(409);
    expect(sagemaker.errorStatus('ResourceInUse')).toBeUndefined();
  });
});
