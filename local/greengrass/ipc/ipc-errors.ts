/** A modelled error of Greengrass IPC; `code` without the namespace, as in `aws.greengrass#UnauthorizedError`. */
export type IpcErrorCode =
  | 'UnauthorizedError'
  | 'ServiceError'
  | 'ResourceNotFoundError'
  | 'InvalidArgumentsError'
  | 'ConflictError'
  | 'ComponentNotFoundError';

export class IpcError extends Error {
  readonly code: IpcErrorCode;
  constructor(code: IpcErrorCode, message: string) {
    super(message);
    this.name = 'IpcError';
    this.code = code;
  }
}
