import { DecisionObjectHeader, DecisionRecord } from '#core/contracts/decision.ts';
import { decisionObject } from '#core/inference/decision-object.ts';
import { digestOf, merkleRoot } from '#core/lineage/digest.ts';

const record = (sequence: number, boot = 'b1-abc'): DecisionRecord =>
  DecisionRecord.parse({
    schema: 'decision/1',
    id: `plant-a/edge-1/${boot}/${sequence}`,
    site: 'plant-a',
    device: 'edge-1',
    boot,
    sequence,
    modelLine: 'test-case/plant-a',
    asset: 'spindle-1',
    run: 'run-1',
    index: sequence,
    sourceTime: '2026-01-01T00:00:00.000Z',
    decidedAt: '2026-01-01T00:00:00.000Z',
    verdict: 'pass',
    value: 50,
    reason: 'fine',
    packageDigest: digestOf('package'),
    variant: 'fp32',
    featureSetDigest: digestOf('set'),
    inputDigest: digestOf('frame'),
    features: [1],
    latencyMs: 1,
  });

describe('an object of decisions', () => {
  it('begins with a header that seals the lines after it', () => {
    const object = decisionObject('local', [record(3), record(4)]);
    const [header, ...lines] = object.body.trimEnd().split('\n') as [string, ...string[]];
    expect(DecisionObjectHeader.parse(JSON.parse(header))).toMatchObject({
      firstSequence: 3,
      lastSequence: 4,
      count: 2,
      merkleRoot: merkleRoot(lines),
      packageDigests: [digestOf('package')],
    });
    expect(lines.map((l) => DecisionRecord.parse(JSON.parse(l)).sequence)).toEqual([3, 4]);
    expect(object.key).toBe('inbox/decisions/local-plant-a-edge-1/b1-abc-0000000003-0000000004.ndjson');
  });

  it('is refused with a gap, with two boots, and empty', () => {
    expect(() => decisionObject('local', [record(3), record(5)])).toThrow('expected b1-abc/4, got b1-abc/5');
    expect(() => decisionObject('local', [record(3), record(4, 'b2-abc')])).toThrow(
      'consecutive sequences of one boot',
    );
    expect(() => decisionObject('local', [])).toThrow('needs at least one decision');
  });
});
