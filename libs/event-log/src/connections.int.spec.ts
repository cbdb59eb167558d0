import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { openEventLog, type EventLog } from './event-log';
import { accountCatalog } from './testing/account';
import { eventually } from './testing/eventually';
import { openTestDatabase, type TestDatabase } from './testing/open-test-database';

const READY_FOR_QUERY = Buffer.from([0x5a, 0, 0, 0, 5]);
/** ErrorResponse: what Postgres says to each session as it stops. */
const FAREWELL = Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0');

/** The way to Postgres; while it is stopping, whoever is let in is told in the same breath that it stops. */
class Way {
  isStopping = false;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async to(url: string): Promise<Way> {
    const { hostname, port } = new URL(url);
    const server = createServer((client) => way.join(client, connect(Number(port), hostname)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const own = new URL(url);
    own.port = String((server.address() as AddressInfo).port);
    const way = new Way(server, own.href);
    return way;
  }

  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private join(client: Socket, postgres: Socket): void {
    for (const [from, to] of [
      [client, postgres],
      [postgres, client],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => to.destroy());
    }
    client.on('data', (chunk) => postgres.write(chunk));
    postgres.on('data', (chunk) => {
      const isLetIn = chunk.subarray(-6, -1).equals(READY_FOR_QUERY);
      if (!this.isStopping || !isLetIn) return void client.write(chunk);
      const header = Buffer.alloc(5, 'E');
      header.writeInt32BE(FAREWELL.length + 4, 1);
      client.end(Buffer.concat([chunk, header, FAREWELL]));
    });
  }
}

describe('the connections of a log', () => {
  let database: TestDatabase;
  let way: Way;
  let log: EventLog;

  beforeAll(async () => {
    database = await openTestDatabase();
    way = await Way.to(database.url);
    log = await openEventLog({
      service: 'bank',
      url: way.url,
      catalog: accountCatalog,
      projections: [],
      onError: () => undefined,
    });
  });
  afterAll(async () => {
    way.isStopping = false;
    await log.stop();
    way.close();
    await database.drop();
  });

  it('fail who uses them, and not the process, when Postgres stops in the moment that it lets them in', async () => {
    expect(await log.store.head()).toBe(0);
    way.isStopping = true;
    way.cut();
    for (const use of [
      () => log.store.head(),
      () => log.dataSource.query('select 1'),
      () => log.dataSource.transaction((manager) => manager.query('select 1')),
    ]) {
      await eventually('a new connection is refused', () =>
        use().then(
          () => false,
          (error: Error) => /terminat|not queryable/.test(error.message),
        ),
      );
    }
    await expect(
      openEventLog({ service: 'other', url: way.url, catalog: accountCatalog, projections: [] }),
    ).rejects.toThrow();
    way.isStopping = false;
    await eventually('it is there again', () =>
      log.store.head().then(
        (head) => head === 0,
        () => false,
      ),
    );
  });
});
