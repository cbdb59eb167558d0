import { eventually } from '@mledger/service-kit/testing';
import { LedgerWorld, numbered, numberOf } from './ledger-world';

interface LiveEvent {
  readonly id: string;
  readonly event: string;
  readonly data: { readonly cursor: string; readonly type: string; readonly data: unknown };
}

/** A client of the live feed that keeps all it got. */
class Client {
  readonly events: LiveEvent[] = [];
  ended = false;
  private readonly abort = new AbortController();

  static async open(url: string, headers: Record<string, string> = {}, query = ''): Promise<Client> {
    const client = new Client();
    const response = await fetch(`${url}/api/mledger/v1/events/live${query}`, { headers, signal: client.abort.signal });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    void client.read(response.body!);
    return client;
  }

  get numbers(): number[] {
    return this.events.filter(({ data }) => data.type === 'ExperimentTagged').map(({ data }) => numberOf(data));
  }

  leave(): void {
    this.abort.abort();
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    let rest = '';
    try {
      const decoder = new TextDecoder();
      for await (const chunk of body) {
        const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
        rest = blocks.pop()!;
        for (const block of blocks) {
          const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s) as [string, string]));
          if (!fields.has('data')) continue;
          this.events.push({
            id: fields.get('id')!,
            event: fields.get('event')!,
            data: JSON.parse(fields.get('data')!),
          });
        }
      }
    } catch (error) {
      if (!this.abort.signal.aborted) throw error;
    }
    this.ended = true;
  }
}

describe('the live feed', () => {
  let world: LedgerWorld;
  beforeAll(async () => {
    world = await LedgerWorld.start();
  });
  afterAll(() => world.stop());

  it('begins with the newest, goes on with what comes, and resumes after the last event that was seen', async () => {
    for (let number = 1; number <= 60; number += 1) {
      await world.tell('experiments', ['experiment', 'live'], [numbered(number)], { correlation: 'live' });
    }
    await world.awaited('events?correlation=live&limit=100', ({ body }) => body.events.length === 60);
    // What other services tell of their start may be among them.
    const { body } = await world.get('events?order=newest&limit=50');
    const newest = (body.events as LiveEvent['data'][]).toReversed();
    const first = await Client.open(world.kit.url);
    await eventually(() =>
      expect(first.events.map(({ data }) => data.cursor)).toEqual(newest.map((event) => event.cursor)),
    );
    const [oldest] = first.numbers;
    await world.tell('experiments', ['experiment', 'live'], [numbered(61), numbered(62)]);
    await eventually(() => expect(first.numbers).toEqual(range(oldest!, 62)));
    const last = first.events.at(-1)!;
    expect(last).toMatchObject({ event: 'event', id: last.data.cursor });
    first.leave();

    await world.tell('experiments', ['experiment', 'live'], [numbered(63)]);
    const [again, byQuery] = await Promise.all([
      Client.open(world.kit.url, { 'last-event-id': last.id }),
      Client.open(world.kit.url, {}, `?after=${last.id}`),
    ]);
    await world.tell('experiments', ['experiment', 'live'], [numbered(64)]);
    for (const client of [again, byQuery]) {
      await eventually(() => expect(client.numbers).toEqual([63, 64]));
      client.leave();
    }
  });

  it('gives each of many followers every event once and in order, whenever they come', async () => {
    const { body } = await world.get('events?order=newest&limit=1');
    const headers = { 'last-event-id': body.events[0].cursor as string };
    const clients: Client[] = [];
    for (let number = 1; number <= 40; number += 1) {
      await world.tell('experiments', ['experiment', 'many'], [numbered(number)]);
      if (number % 4 === 0) clients.push(await Client.open(world.kit.url, headers));
    }
    for (const client of clients) {
      await eventually(() => expect(client.numbers).toEqual(range(1, 40)));
      client.leave();
    }
  });

  it('shows a tenant only its own, and ends when the key is revoked', async () => {
    await world.kit.access!.createTenant('acme');
    const key = await world.kit.access!.issueKey({ tenant: 'acme', roles: ['reader'] });
    const headers = { authorization: key.authorization };
    const client = await eventually(() => Client.open(world.kit.url, headers));
    await world.tell('experiments', ['experiment', 'ours'], [numbered(1)]);
    await world.tell('experiments', ['experiment', 'theirs'], [numbered(2)], { tenant: 'acme' });
    await eventually(() => expect(client.numbers).toEqual([2]));
    await world.kit.access!.revokeKey(key, 'acme');
    await eventually(() => expect(client.ended).toBe(true));
  });

  it('ends when the service stops', async () => {
    const own = await LedgerWorld.start();
    const client = await Client.open(own.kit.url);
    await own.stop();
    await eventually(() => expect(client.ended).toBe(true));
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
