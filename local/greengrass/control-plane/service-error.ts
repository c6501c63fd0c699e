type Fault =
  | 'ValidationException'
  | 'ResourceNotFoundException'
  | 'ConflictException'
  | 'AccessDeniedException'
  | 'InternalServerException'
  | 'UnknownOperationException';

const STATUS: Readonly<Record<Fault, number>> = {
  ValidationException: 400,
  ResourceNotFoundException: 404,
  ConflictException: 409,
  AccessDeniedException: 403,
  InternalServerException: 500,
  UnknownOperationException: 404,
};

/** A refusal in the service's own words: error type, HTTP status and the members its API model declares. */
export class ServiceError extends Error {
  readonly type: Fault;
  readonly members: Readonly<Record<string, unknown>>;
  constructor(type: Fault, message: string, members: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = type;
    this.type = type;
    this.members = members;
  }
  get statusCode(): number {
    return STATUS[this.type];
  }
}

export const invalid = (message: string, fields: readonly string[] = []): ServiceError =>
  new ServiceError('ValidationException', message, {
    reason: 'FIELD_VALIDATION_FAILED',
    fields: fields.map((name) => ({ name, message })),
  });

export const notFound = (resourceType: string, resourceId: string): ServiceError =>
  new ServiceError('ResourceNotFoundException', `${resourceType} ${resourceId} does not exist`, {
    resourceId,
    resourceType,
  });

export const conflict = (message: string, resourceType: string, resourceId: string): ServiceError =>
  new ServiceError('ConflictException', message, { resourceId, resourceType });
