import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A member of a structure, or the element of a list or map, as botocore's `service-2.json` writes it. */
type Member = {
  readonly shape: string;
  readonly location?: 'uri' | 'querystring' | 'header' | 'headers' | 'statusCode';
  readonly locationName?: string;
  readonly jsonvalue?: boolean;
};

type Shape = {
  readonly type: string;
  readonly members?: Readonly<Record<string, Member>>;
  readonly required?: readonly string[];
  readonly member?: Member;
  readonly key?: Member;
  readonly value?: Member;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly union?: boolean;
  readonly payload?: string;
  readonly exception?: boolean;
  readonly error?: { readonly httpStatusCode?: number };
};

type Operation = {
  readonly name: string;
  readonly http: { readonly method: string; readonly requestUri: string; readonly responseCode?: number };
  readonly input?: { readonly shape: string };
  readonly output?: { readonly shape: string };
  readonly errors?: readonly { readonly shape: string }[];
};

type ServiceFile = {
  readonly metadata: {
    readonly apiVersion: string;
    readonly protocol: string;
    readonly serviceId: string;
    readonly targetPrefix?: string;
    readonly jsonVersion?: string;
  };
  readonly operations: Readonly<Record<string, Operation>>;
  readonly shapes: Readonly<Record<string, Shape>>;
};

export type JsonObject = { readonly [name: string]: unknown };

/** A REST-JSON request, taken apart: the operation and its input under the model's member names. */
export type RestRequest = { readonly operation: string; readonly input: JsonObject };

export interface ApiModel {
  readonly service: string;
  readonly apiVersion: string;
  /** `json` (SageMaker) or `rest-json` (Greengrass). */
  readonly protocol: string;
  /** What stands before the dot in `X-Amz-Target` (JSON protocols only). */
  readonly targetPrefix: string | undefined;
  readonly operations: ReadonlySet<string>;
  /**
   * Problems of an input, each in the words AWS uses ("Value 'x' at 'y' failed to satisfy constraint: …").
   * @returns an empty list when the service's own model accepts the input.
   * @throws {RangeError} when the service has no such operation.
   */
  validate(operation: string, input: unknown): readonly string[];
  /** The same for an answer, so that a stand-in can prove that it speaks the service's language. */
  validateOutput(operation: string, output: unknown): readonly string[];
  /** HTTP status that the model declares for an error shape, `undefined` when it declares none. */
  errorStatus(error: string): number | undefined;
  /** HTTP status of a success; the model's `responseCode`, else 200. */
  successStatus(operation: string): number;
  /**
   * Finds the operation of a REST-JSON request and gathers its input from path, query, headers and body.
   * @param url path and query, for example `/greengrass/v2/components?maxResults=5`.
   * @param body parsed JSON, or `undefined` when the request has none.
   * @returns `undefined` when no operation has this method and path.
   */
  parseRest(request: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
    readonly body: unknown;
  }): RestRequest | undefined;
  /** An output as it goes over the wire: wire names, timestamps as epoch seconds, bytes as base64, undefined left out. */
  toWire(operation: string, output: JsonObject): JsonObject;
}

/** The service's model is not where it was looked for. */
export class ApiModelError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ApiModelError';
  }
}

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** AWS writes its patterns for Java, which matches whole strings and knows names that JavaScript lacks. */
const compilePattern = (pattern: string): RegExp | undefined => {
  const source = pattern.replaceAll('\\p{Alnum}', 'A-Za-z0-9').replaceAll('\\p{Graph}', '\\x21-\\x7e');
  for (const flags of ['su', 's']) {
    try {
      return new RegExp(`^(?:${source})$`, flags);
    } catch {
      // the next flags are laxer
    }
  }
  return undefined;
};

const shown = (value: unknown): string => {
  if (value === null || value === undefined) return 'null';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `'${text.length > 200 ? `${text.slice(0, 200)}…` : text}'`;
};

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Date) &&
  !(value instanceof Uint8Array);

const readServiceFile = (pythonHome: string, service: string): ServiceFile => {
  const libraries = join(pythonHome, 'lib');
  const tried: string[] = [];
  const pythons = (() => {
    try {
      return readdirSync(libraries).filter((name) => name.startsWith('python3'));
    } catch {
      return [];
    }
  })();
  for (const python of pythons) {
    const folder = join(libraries, python, 'site-packages', 'botocore', 'data', service);
    tried.push(folder);
    try {
      // Version folders are dates; the newest is the one botocore itself takes.
      const version = readdirSync(folder).sort().at(-1) ?? '';
      return JSON.parse(gunzipSync(readFileSync(join(folder, version, 'service-2.json.gz'))).toString('utf8'));
    } catch {
      // another Python version may hold it
    }
  }
  throw new ApiModelError(
    `no API model of ${service} below ${libraries}: expected botocore's data/${service}/<version>/service-2.json.gz in ` +
      `${tried.length === 0 ? 'lib/python3*/site-packages' : tried.join(', ')}; install botocore into that Python environment`,
  );
};

/**
 * The API model of an AWS service, as botocore ships it.
 * @param pythonHome a virtual environment with botocore, for example `.venv`.
 * @param service botocore's folder name, for example `sagemaker`, `greengrassv2`.
 * @throws {ApiModelError} when the environment has no model of that service.
 */
export const loadApiModel = (pythonHome: string, service: string): ApiModel =>
  makeApiModel(readServiceFile(pythonHome, service), service);

const makeApiModel = (file: ServiceFile, service: string): ApiModel => {
  const patterns = new Map<string, RegExp | undefined>();
  const shapeOf = (name: string): Shape => {
    const shape = file.shapes[name];
    if (shape === undefined) throw new RangeError(`${service} has no shape ${name}; the model file is damaged`);
    return shape;
  };
  const operationOf = (name: string): Operation => {
    const operation = Object.hasOwn(file.operations, name) ? file.operations[name] : undefined;
    if (operation === undefined) throw new RangeError(`${service} has no operation ${name}`);
    return operation;
  };
  const patternOf = (pattern: string): RegExp | undefined => {
    if (!patterns.has(pattern)) patterns.set(pattern, compilePattern(pattern));
    return patterns.get(pattern);
  };

  const check = (shapeName: string, value: unknown, path: string, problems: string[]): void => {
    const shape = shapeOf(shapeName);
    const constraint = (text: string): void => {
      problems.push(`Value ${shown(value)} at '${path}' failed to satisfy constraint: Member must ${text}`);
    };
    const wrongType = (expected: string): void => {
      problems.push(`Value ${shown(value)} at '${path}' has the wrong type: expected ${expected}`);
    };
    const size = (count: number): void => {
      if (shape.min !== undefined && count < shape.min) constraint(`have length greater than or equal to ${shape.min}`);
      if (shape.max !== undefined && count > shape.max) constraint(`have length less than or equal to ${shape.max}`);
    };
    switch (shape.type) {
      case 'structure': {
        if (!isObject(value)) {
          wrongType('a structure');
          return;
        }
        const members = shape.members ?? {};
        const below = (name: string): string => (path === '' ? lowerFirst(name) : `${path}.${lowerFirst(name)}`);
        for (const name of shape.required ?? []) {
          if (value[name] === undefined || value[name] === null)
            problems.push(`Value null at '${below(name)}' failed to satisfy constraint: Member must not be null`);
        }
        const given = Object.entries(value).filter(([, v]) => v !== undefined && v !== null);
        for (const [name, v] of given) {
          const member = Object.hasOwn(members, name) ? members[name] : undefined;
          if (member === undefined)
            problems.push(
              `Unknown member '${name}' at '${path === '' ? '(request)' : path}': the service's model has none`,
            );
          else check(member.shape, v, below(name), problems);
        }
        if (shape.union === true && given.length !== 1)
          problems.push(`Value at '${path}' is a union: exactly one member must be set, ${given.length} are`);
        return;
      }
      case 'list': {
        if (!Array.isArray(value)) {
          wrongType('a list');
          return;
        }
        size(value.length);
        for (const [i, v] of value.entries()) {
          if (v === null)
            problems.push(
              `Value null at '${path}.${i + 1}.member' failed to satisfy constraint: Member must not be null`,
            );
          else check(shape.member?.shape ?? '', v, `${path}.${i + 1}.member`, problems);
        }
        return;
      }
      case 'map': {
        if (!isObject(value)) {
          wrongType('a map');
          return;
        }
        size(Object.keys(value).length);
        for (const [k, v] of Object.entries(value)) {
          check(shape.key?.shape ?? '', k, `${path}.key`, problems);
          if (v !== null && v !== undefined) check(shape.value?.shape ?? '', v, `${path}.${k}.value`, problems);
        }
        return;
      }
      case 'string': {
        if (typeof value !== 'string') {
          wrongType('a string');
          return;
        }
        size([...value].length);
        if (shape.pattern !== undefined && patternOf(shape.pattern)?.test(value) === false)
          constraint(`satisfy regular expression pattern: ${shape.pattern}`);
        if (shape.enum !== undefined && !shape.enum.includes(value))
          constraint(`satisfy enum value set: [${shape.enum.join(', ')}]`);
        return;
      }
      case 'integer':
      case 'long':
      case 'double':
      case 'float': {
        const whole = shape.type === 'integer' || shape.type === 'long';
        // JSON has no NaN; the protocol writes the three special numbers as strings.
        const special = !whole && ['NaN', 'Infinity', '-Infinity'].includes(String(value));
        if (typeof value !== 'number' && !special) {
          wrongType(whole ? 'an integer' : 'a number');
          return;
        }
        if (whole && !Number.isInteger(value)) {
          wrongType('an integer');
          return;
        }
        const number = Number(value);
        if (shape.min !== undefined && number < shape.min)
          constraint(`have value greater than or equal to ${shape.min}`);
        if (shape.max !== undefined && number > shape.max) constraint(`have value less than or equal to ${shape.max}`);
        return;
      }
      case 'boolean':
        if (typeof value !== 'boolean') wrongType('a boolean');
        return;
      case 'timestamp':
        if (!(value instanceof Date) && typeof value !== 'number' && typeof value !== 'string')
          wrongType('a timestamp');
        return;
      case 'blob':
        if (value instanceof Uint8Array) {
          size(value.byteLength);
          return;
        }
        if (typeof value !== 'string') {
          wrongType('base64 text');
          return;
        }
        size(Buffer.from(value, 'base64').byteLength);
    }
  };

  const problemsOf = (shape: string | undefined, value: unknown): readonly string[] => {
    if (shape === undefined) return [];
    const problems: string[] = [];
    check(shape, value ?? {}, '', problems);
    return problems;
  };

  const fromWire = (member: Member, value: unknown): unknown => {
    if (value === null || value === undefined) return undefined;
    const shape = shapeOf(member.shape);
    if (shape.type === 'structure' && isObject(value)) {
      const members = Object.entries(shape.members ?? {});
      const names = new Map(members.map(([name, m]) => [m.locationName ?? name, name]));
      return Object.fromEntries(
        Object.entries(value).map(([wire, v]) => {
          const name = names.get(wire);
          const inner = name === undefined ? undefined : shape.members?.[name];
          // An unknown name stays as it is, so that validation can refuse it by name.
          return name === undefined || inner === undefined ? [wire, v] : [name, fromWire(inner, v)];
        }),
      );
    }
    if (shape.type === 'list' && Array.isArray(value) && shape.member !== undefined)
      return value.map((v) => (v === null ? null : fromWire(shape.member!, v)));
    if (shape.type === 'map' && isObject(value) && shape.value !== undefined)
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, fromWire(shape.value!, v)]));
    if (shape.type === 'blob' && typeof value === 'string') return new Uint8Array(Buffer.from(value, 'base64'));
    return value;
  };

  const wireOf = (member: Member, value: unknown): unknown => {
    if (value === null || value === undefined) return undefined;
    const shape = shapeOf(member.shape);
    if (shape.type === 'structure' && isObject(value)) {
      const out: Record<string, unknown> = {};
      for (const [name, v] of Object.entries(value)) {
        const inner = shape.members?.[name];
        if (inner === undefined || v === undefined || v === null) continue;
        out[inner.locationName ?? name] = wireOf(inner, v);
      }
      return out;
    }
    if (shape.type === 'list' && Array.isArray(value)) return value.map((v) => wireOf(shape.member!, v));
    if (shape.type === 'map' && isObject(value))
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, wireOf(shape.value!, v)]));
    if (shape.type === 'timestamp') {
      if (value instanceof Date) return value.getTime() / 1000;
      return typeof value === 'string' ? Date.parse(value) / 1000 : value;
    }
    if (shape.type === 'blob' && value instanceof Uint8Array) return Buffer.from(value).toString('base64');
    return value;
  };

  /** Query, path and header values arrive as text; the model knows what they mean. */
  const fromText = (member: Member, text: string): unknown => {
    const { type } = shapeOf(member.shape);
    if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
    if (type === 'integer' || type === 'long' || type === 'double' || type === 'float')
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
    return text;
  };

  const routes = Object.values(file.operations).map((operation) => {
    const [path = '/', query = ''] = operation.http.requestUri.split('?');
    const names: string[] = [];
    const source = path
      .split(/(\{[^}]+\})/)
      .map((part) => {
        const label = /^\{([^}+]+)(\+?)\}$/.exec(part);
        if (label === null) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
        names.push(label[1] ?? '');
        return label[2] === '+' ? '(.+)' : '([^/]+)';
      })
      .join('');
    return { operation, names, fixedQuery: query, pattern: new RegExp(`^${source}$`) };
  });

  return {
    service: file.metadata.serviceId,
    apiVersion: file.metadata.apiVersion,
    protocol: file.metadata.protocol,
    targetPrefix: file.metadata.targetPrefix,
    operations: new Set(Object.keys(file.operations)),
    validate: (operation, input) => problemsOf(operationOf(operation).input?.shape, input),
    validateOutput: (operation, output) => problemsOf(operationOf(operation).output?.shape, output),
    errorStatus: (error) => (Object.hasOwn(file.shapes, error) ? file.shapes[error]?.error?.httpStatusCode : undefined),
    successStatus: (operation) => operationOf(operation).http.responseCode ?? 200,
    parseRest: ({ method, url, headers, body }) => {
      const { pathname, searchParams } = new URL(url, 'http://localhost');
      for (const { operation, names, pattern, fixedQuery } of routes) {
        const match = operation.http.method === method ? pattern.exec(pathname) : null;
        if (match === null) continue;
        if (fixedQuery !== '' && !searchParams.has(fixedQuery.split('=')[0] ?? '')) continue;
        const inputShape = operation.input?.shape;
        if (inputShape === undefined) return { operation: operation.name, input: {} };
        const shape = shapeOf(inputShape);
        const input: Record<string, unknown> = {};
        const members = Object.entries(shape.members ?? {});
        const located = new Set<string>();
        for (const [name, member] of members) {
          const wire = member.locationName ?? name;
          if (member.location === 'uri') {
            const at = names.indexOf(wire);
            if (at >= 0) input[name] = fromText(member, decodeURIComponent(match[at + 1] ?? ''));
          } else if (member.location === 'querystring') {
            const values = searchParams.getAll(wire);
            const target = shapeOf(member.shape);
            if (values.length === 0) continue;
            input[name] =
              target.type === 'list' && target.member !== undefined
                ? values.map((v) => fromText(target.member!, v))
                : fromText(member, values[0] ?? '');
          } else if (member.location === 'header') {
            const value = headers[wire.toLowerCase()];
            if (typeof value === 'string') input[name] = fromText(member, value);
          } else continue;
          located.add(name);
        }
        const payload = shape.payload === undefined ? undefined : shape.members?.[shape.payload];
        if (payload !== undefined && shape.payload !== undefined) input[shape.payload] = fromWire(payload, body);
        else if (body !== undefined) {
          const fields = fromWire({ shape: inputShape }, body);
          if (!isObject(fields)) return { operation: operation.name, input: { ...input, '(body)': fields } };
          for (const [name, v] of Object.entries(fields)) if (!located.has(name)) input[name] = v;
        }
        return { operation: operation.name, input };
      }
      return undefined;
    },
    toWire: (operation, output) => {
      const shape = operationOf(operation).output?.shape;
      return shape === undefined ? {} : (wireOf({ shape }, output) as JsonObject);
    },
  };
};

/** The sentence AWS makes of a list of problems: `2 validation errors detected: …; …`. */
export const validationMessage = (problems: readonly string[]): string =>
  `${problems.length} validation error${problems.length === 1 ? '' : 's'} detected: ${problems.join('; ')}`;
