import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Linux allows 107 bytes for the path of a unix socket, macOS 103. */
const MAX_SOCKET_PATH = 100;
const MAX_LINE_BYTES = 8 * 1024 * 1024;

/**
 * Path of the runtime's socket: in the state folder, or, when that is too long, in a folder of its own under the
 * system's temporary one, which is made here and only this user may enter.
 * @throws {Error} when that folder is somebody else's: whoever made it could answer in place of the runtime.
 */
export const runtimeSocketPath = (stateDir: string, temporary = tmpdir()): string => {
  const path = join(stateDir, 'runtime.sock');
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path;
  const folder = join(temporary, `mw-${createHash('sha256').update(stateDir).digest('hex').slice(0, 16)}`);
  // An existing folder, or a link to one, is left as it is.
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0)
    throw new Error(
      `${folder} is not a folder that only this user may enter: remove it, or choose a shorter state folder`,
    );
  return join(folder, 'runtime.sock');
};

/** Cuts a stream into lines; ends the connection when a line is longer than any message may be. */
export const onLines = (socket: Socket, take: (line: string) => void): void => {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') take(line);
    if (rest.length > MAX_LINE_BYTES)
      socket.destroy(new Error(`a line is longer than ${MAX_LINE_BYTES} bytes; one JSON document a line is expected`));
  });
};

export type LineHandler = (request: Record<string, unknown>) => Promise<unknown>;

/**
 * Serves requests, one JSON document a line, on a unix socket that only the own user may open. A request's `id` comes
 * back with its answer, so that a client may have several under way. A failing handler answers `{error, name}`.
 * @returns the server, listening.
 */
export const serveLines = (path: string, handle: LineHandler): Promise<Server> => {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    onLines(socket, (line) => {
      const answer = (body: object) => socket.writable && socket.write(`${JSON.stringify(body)}\n`);
      let request: Record<string, unknown>;
      try {
        request = JSON.parse(line) as Record<string, unknown>;
      } catch {
        answer({ error: 'expected one JSON document a line' });
        return;
      }
      handle(request).then(
        (result) => answer({ id: request['id'], result }),
        (error: Error) => answer({ id: request['id'], error: error.message, name: error.name }),
      );
    });
  });
  // A socket file left by a process that was killed would refuse the address.
  rmSync(path, { force: true });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // The socket file is made within this call: it never has another mode, not even for a moment.
    const before = process.umask(0o177);
    try {
      server.listen(path, () => resolve(server));
    } finally {
      process.umask(before);
    }
  });
};

/** The connection ended before the answer; whether the request was carried out is unknown, so ask again. */
export class ConnectionLost extends Error {
  constructor(why: string) {
    super(`the runtime's socket: ${why}`);
    this.name = 'ConnectionLost';
  }
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A client of {@link serveLines}; connects anew by itself with the next request. */
export class LineClient {
  readonly #path: string;
  #connection: { readonly socket: Socket; readonly waiting: Map<number, Waiting> } | null = null;
  #next = 1;

  constructor(path: string) {
    this.#path = path;
  }

  #open(): { readonly socket: Socket; readonly waiting: Map<number, Waiting> } {
    if (this.#connection !== null) return this.#connection;
    const socket = connect(this.#path);
    const waiting = new Map<number, Waiting>();
    const connection = { socket, waiting };
    this.#connection = connection;
    let why = 'closed';
    socket.on('error', (error) => {
      why = error.message;
    });
    socket.on('close', () => {
      if (this.#connection === connection) this.#connection = null;
      for (const w of waiting.values()) w.reject(new ConnectionLost(why));
      waiting.clear();
    });
    onLines(socket, (line) => {
      const answer = JSON.parse(line) as { id?: number; result?: unknown; error?: string; name?: string };
      const asked = waiting.get(answer.id ?? 0);
      waiting.delete(answer.id ?? 0);
      if (answer.error !== undefined) asked?.reject(Object.assign(new Error(answer.error), { name: answer.name }));
      else asked?.resolve(answer.result);
    });
    return connection;
  }

  /**
   * @param body the request, without `id`.
   * @throws {ConnectionLost} when the connection ends first, or after `timeoutMs`.
   * @throws {Error} with the server's message and error name when it refuses.
   */
  request(body: object, timeoutMs: number): Promise<unknown> {
    const id = this.#next++;
    const { socket, waiting } = this.#open();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(new ConnectionLost(`no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      waiting.set(id, {
        resolve: (v) => {
          clearTimeout(timer);
          resolve(v);
        },
        reject: (e) => {
          clearTimeout(timer);
          reject(e);
        },
      });
      socket.write(`${JSON.stringify({ id, ...body })}\n`);
    });
  }

  close(): void {
    this.#connection?.socket.destroy();
    this.#connection = null;
  }
}
