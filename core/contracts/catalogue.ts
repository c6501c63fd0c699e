import type { z } from 'zod';
import { BaselineSpec } from './baseline.ts';
import { DatasetSnapshot, MaterialiseItem } from './dataset-snapshot.ts';
import { DecisionObjectHeader, DecisionRecord } from './decision.ts';
import { DeploymentConfig } from './deployment-config.ts';
import {
  AdoptAnswer,
  ConnectorConfig,
  ConnectorIntake,
  DeviceReport,
  FeatureDigest,
  ModelComponentConfig,
  RuntimeConfig,
  UplinkConfig,
} from './device.ts';
import { DriftWindow } from './drift.ts';
import { DriftFold } from './drift-fold.ts';
import { EvaluationReport, GateVerdict, ShardErrors } from './evaluation.ts';
import { EVENTS } from './events.ts';
import { FeatureRow, FeatureSet } from './feature-set.ts';
import { BackfillItem, BackfillPart, BackfillRecord, FeatureSetRecord } from './feature-store.ts';
import { Frame } from './frame.ts';
import { HealthWatch } from './health.ts';
import { AlertRecord, JoinedOutcomeRecord, LineEvidenceDocument, LineJudgement } from './judgement.ts';
import { LabelRequest } from './label-request.ts';
import { RawObjectRecord } from './lake.ts';
import { AuditEvent, Checkpoint, LedgerReceipt, LedgerRequest } from './ledger.ts';
import { LastSeen, LocalCounters, LocalFaults, LocalPlant } from './local-plant.ts';
import { ModelPackageManifest, PackageSignature } from './model-package.ts';
import { ObservationMessage } from './observation.ts';
import { PlantEvent } from './plant-event.ts';
import { PlantModel, PlantModelRecord } from './plant-model.ts';
import { QualityFinding, QualityMessage } from './quality.ts';
import { QuarantinedMessage, QuarantineRecord, QuarantineRequest } from './quarantine.ts';
import { Reading } from './reading.ts';
import { ReleaseRecord, ReleaseRequest, WaveResult } from './release.ts';
import { ModelLineRecord, RetrainRecord } from './retrain.ts';
import { Envelope, QuantizeReport, TrainingHyperparameters, TrainingMetrics } from './training.ts';
import { TrainingSetManifest } from './training-set.ts';
import { UseCase } from './use-case.ts';

export interface CatalogueEntry {
  readonly name: string;
  readonly kind: 'message' | 'record' | 'manifest' | 'event' | 'config';
  readonly says: string;
  readonly schema: z.ZodType;
}

const entry = (name: string, kind: CatalogueEntry['kind'], schema: z.ZodType, says: string): CatalogueEntry => ({
  name,
  kind,
  schema,
  says,
});

/** Every schema of the platform, once. JSON Schema for Python and the catalogue page are generated from it. */
export const CATALOGUE: readonly CatalogueEntry[] = [
  entry('frame', 'message', Frame, 'All signals of one asset observed together, once per unit of work.'),
  entry(
    'plant-event',
    'message',
    PlantEvent,
    'Something the IT side knows: a failure, a finding, a repair, a changeover.',
  ),
  entry('reading', 'message', Reading, 'Values as a machine sends them to a connector, a line of JSON.'),
  entry('observations', 'message', ObservationMessage, 'Values of signals that one device read.'),
  entry('quality', 'message', QualityMessage, 'Findings of data quality that one device made.'),
  entry('quality-finding', 'record', QualityFinding, 'A stretch of a signal in which a check failed.'),
  entry('quarantined-message', 'record', QuarantinedMessage, 'A message that could not land, with its bytes and why.'),
  entry('quarantine', 'record', QuarantineRecord, 'An object of bad lines or messages, and what came of its replay.'),
  entry('quarantine-request', 'message', QuarantineRequest, 'What is asked of the function `quarantine`.'),
  entry('decision', 'record', DecisionRecord, 'What the edge said about one frame, with the evidence to replay it.'),
  entry('decision-object', 'manifest', DecisionObjectHeader, 'First line of an uploaded object of decisions.'),
  entry('device-report', 'message', DeviceReport, 'What a device serves and how it is doing.'),
  entry('feature-digest', 'message', FeatureDigest, 'Sketches of the features a device saw in a window.'),
  entry('drift-window', 'record', DriftWindow, 'One window of one device, whole: the parts of its digests together.'),
  entry('drift-fold', 'record', DriftFold, 'How one window of a device was judged, and by what.'),
  entry('adopt-answer', 'message', AdoptAnswer, 'Answer of the runtime to a model component that asks to be adopted.'),
  entry('runtime-config', 'config', RuntimeConfig, 'Deployment configuration of the runtime component.'),
  entry('uplink-config', 'config', UplinkConfig, 'Deployment configuration of the uplink component.'),
  entry('connector-config', 'config', ConnectorConfig, 'Deployment configuration of the JSON-lines connector.'),
  entry('connector-intake', 'config', ConnectorIntake, 'Signals and framing that a connector works by.'),
  entry('model-component-config', 'config', ModelComponentConfig, 'Deployment configuration of a model component.'),
  entry('use-case', 'config', UseCase, 'One kind of prediction, whole.'),
  entry('feature-set', 'manifest', FeatureSet, 'An ordered list of feature definitions.'),
  entry('feature-row', 'record', FeatureRow, 'One row of the features table.'),
  entry(
    'feature-set-record',
    'record',
    FeatureSetRecord,
    'What the digest of a feature set means, and whether it is retired.',
  ),
  entry('backfill-item', 'message', BackfillItem, 'The work of one part of a backfill.'),
  entry('backfill-part', 'record', BackfillPart, 'What one part of a backfill did.'),
  entry(
    'backfill',
    'record',
    BackfillRecord,
    'One backfill of the feature store, from what was asked to how it ended.',
  ),
  entry('dataset-snapshot', 'manifest', DatasetSnapshot, 'What a model may learn from.'),
  entry('materialise-item', 'message', MaterialiseItem, 'The work of one materialisation.'),
  entry('training-set', 'manifest', TrainingSetManifest, 'What the rows of a training set were made of.'),
  entry('training-hyperparameters', 'config', TrainingHyperparameters, 'What a trainer is told.'),
  entry('training-metrics', 'record', TrainingMetrics, 'What a trainer reports.'),
  entry('envelope', 'record', Envelope, 'Validated range of each feature.'),
  entry('quantize-report', 'record', QuantizeReport, 'What quantization did.'),
  entry('shard-errors', 'record', ShardErrors, 'Errors of one variant on one shard of test runs.'),
  entry('evaluation-report', 'record', EvaluationReport, 'Challenger and champion on the same sealed runs.'),
  entry('gate-verdict', 'record', GateVerdict, 'Pass, fail or undecided, with reasons.'),
  entry('model-package', 'manifest', ModelPackageManifest, 'Everything one model needs on the device.'),
  entry('package-signature', 'record', PackageSignature, 'Detached signature over the package digest.'),
  entry('baseline', 'record', BaselineSpec, 'What drift is measured against.'),
  entry('release-request', 'message', ReleaseRequest, 'Input of the release state machine.'),
  entry('release', 'record', ReleaseRecord, 'One release of a package at a site.'),
  entry('wave', 'record', WaveResult, 'One ring of a release.'),
  entry('retrain', 'record', RetrainRecord, 'One retrain, from what was asked to how it ended.'),
  entry('model-line', 'record', ModelLineRecord, 'A model line and its champion.'),
  entry('outcome-judgement', 'record', JoinedOutcomeRecord, 'Decisions on one run held against how it ended.'),
  entry('line-judgement', 'record', LineJudgement, 'What the decision machine says of a model line.'),
  entry('line-evidence', 'record', LineEvidenceDocument, 'How a model line was judged, and from what.'),
  entry('label-request', 'record', LabelRequest, 'Units whose outcomes are wanted, drawn by lot.'),
  entry('alert', 'record', AlertRecord, 'What an operator is asked to act on.'),
  entry('plant-model', 'manifest', PlantModel, 'A plant, whole: places, assets, signals and their units.'),
  entry('plant-model-record', 'record', PlantModelRecord, 'The plant model that is in force at a site.'),
  entry('raw-object', 'record', RawObjectRecord, 'One raw object of the lake.'),
  entry('ledger-request', 'message', LedgerRequest, 'What a caller asks of the ledger writer.'),
  entry('ledger-receipt', 'message', LedgerReceipt, 'What the ledger writer answers.'),
  entry('audit-event', 'record', AuditEvent, 'One link of a hash chain.'),
  entry('checkpoint', 'record', Checkpoint, 'Signed heads of all chains.'),
  entry('deployment', 'config', DeploymentConfig, 'One stage of the platform.'),
  entry('health-watch', 'config', HealthWatch, 'What platform-health looks at in one plane.'),
  entry('local-plant', 'config', LocalPlant, 'What a running local plant says about itself.'),
  entry('local-faults', 'config', LocalFaults, 'Faults in force on a local plant, written by `millwright chaos`.'),
  entry('local-counters', 'config', LocalCounters, 'What the local AWS was asked and did since it started.'),
  entry('last-seen', 'config', LastSeen, 'What a running local plant held when it last looked.'),
  ...Object.entries(EVENTS).map(([name, schema]) => entry(`event.${name}`, 'event', schema, `Bus event \`${name}\`.`)),
];
