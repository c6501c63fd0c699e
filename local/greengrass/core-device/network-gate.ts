import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * The device's only way out: TCP relays on 127.0.0.1 to the cloud's addresses, all cut and refused while the network
 * is off. The nucleus and its components get the relays' addresses, so pulling the plug hits both alike.
 */
export class NetworkGate {
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();
  private on = true;

  get isOn(): boolean {
    return this.on;
  }

  /** Opens a relay. @returns the port on 127.0.0.1. */
  async relay(host: string, port: number): Promise<number> {
    const server = createServer((inside) => {
      if (!this.on) {
        inside.destroy();
        return;
      }
      const outside = connect({ host, port });
      for (const [a, b] of [
        [inside, outside],
        [outside, inside],
      ] as const) {
        this.sockets.add(a);
        a.setNoDelay(true);
        a.on('error', () => a.destroy());
        a.on('close', () => {
          this.sockets.delete(a);
          b.destroySoon();
        });
        a.pipe(b);
      }
    });
    this.servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** The same URL through a relay. Scheme and path stay. */
  async relayUrl(url: string): Promise<string> {
    const target = new URL(url);
    const port = await this.relay(target.hostname, Number(target.port || (target.protocol === 'https:' ? 443 : 80)));
    target.hostname = '127.0.0.1';
    target.port = String(port);
    return target.toString().replace(/\/$/, '');
  }

  set(on: boolean): void {
    this.on = on;
    if (!on) for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.set(false);
    await Promise.all(this.servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  }
}
