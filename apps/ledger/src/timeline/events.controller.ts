import { PassThrough } from 'node:stream';
import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { AccessControl } from '@mledger/access-control';
import { ApiError, Caller, Lifecycle, parse, type FastifyReply, type FastifyRequest } from '@mledger/service-kit';
import { eventsQuery, liveQuery } from '../api/ledger.schemas';
import { positionOf, type LedgerEvent } from './ledger-event';
import { LiveFeed } from './live-feed';
import { TimelineOrder } from './timeline-order';
import { TimelineQueries } from './timeline-queries';

/** What a follower that names no cursor gets first. */
const NEWEST_EVENTS = 50;
const HEARTBEAT_MS = 15_000;
/** A revoked key ends what it had opened as soon as it is refused elsewhere. */
const CHECK_MS = 1_000;
/** What may wait for a slow follower; past it, it is let go and may resume. */
const UNSENT_BYTES_MAX = 8 * 1024 * 1024;
const RECONNECT_MS = 2_000;

/** The timeline of a tenant: page by page, or as it grows. */
@Controller('api/mledger/v1/events')
export class EventsController {
  constructor(
    private readonly queries: TimelineQueries,
    private readonly order: TimelineOrder,
    private readonly feed: LiveFeed,
    private readonly access: AccessControl,
    private readonly lifecycle: Lifecycle,
  ) {}

  @Get()
  async page(@Query() query: unknown, @Caller() { tenant }: Caller): Promise<object> {
    const { after, limit, ...rest } = parse(eventsQuery, query, 'query');
    // What has arrived is shown at once, and not when the feed looks next.
    await this.order.advance();
    const position = after === undefined ? undefined : positionOf(after, 'after');
    const { events, more } = await this.queries.page(tenant, { ...rest, after: position, limit });
    return { events, next: more ? events.at(-1)!.cursor : null };
  }

  /** Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */
  @Get('live')
  async live(
    @Query() query: unknown,
    @Caller() { tenant }: Caller,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const cursor = request.headers['last-event-id'] ?? parse(liveQuery, query, 'query').after;
    const resumed = cursor === undefined ? undefined : positionOf(String(cursor), 'Last-Event-ID');
    if (this.feed.isFull) throw ApiError.unavailable('too many follow the timeline already: try again later');
    const after = resumed ?? (await this.beforeNewest(tenant));
    const answer = new PassThrough();
    answer.write(`retry: ${RECONNECT_MS}\n\n`);
    const end = () => {
      clearInterval(heartbeat);
      clearInterval(check);
      unfollow();
      answer.end();
    };
    const send = (events: readonly LedgerEvent[]) => {
      answer.write(events.map(sseText).join(''));
      return answer.writableLength + answer.readableLength <= UNSENT_BYTES_MAX;
    };
    const heartbeat = setInterval(() => void answer.write(': still here\n\n'), HEARTBEAT_MS);
    const check = setInterval(() => void this.mayStay(request).then((may) => may || end()), CHECK_MS);
    const unfollow = this.feed.follow({ tenant, after, send, end });
    // Also when the client goes away: then the framework destroys what it was sending.
    answer.once('close', end);
    if (this.lifecycle.stopping) end();
    void reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'no-store')
      // A proxy must not gather what should be seen at once.
      .header('x-accel-buffering', 'no')
      .send(answer);
  }

  private async beforeNewest(tenant: string): Promise<number> {
    await this.order.advance();
    const { events } = await this.queries.page(tenant, { order: 'newest', limit: NEWEST_EVENTS });
    const oldest = events.at(-1);
    return oldest ? Number(oldest.cursor) - 1 : this.order.head();
  }

  private async mayStay(request: FastifyRequest): Promise<boolean> {
    const { method, headers, edge } = request;
    try {
      const identity = await this.access.authenticate({ method, target: edge.target, headers });
      this.access.authorise(identity, edge.rule!);
      return identity?.tenant === edge.identity?.tenant;
    } catch {
      return false;
    }
  }
}

/** JSON has no line breaks of its own, so the data is one line. */
function sseText(event: LedgerEvent): string {
  return `id: ${event.cursor}\nevent: event\ndata: ${JSON.stringify(event)}\n\n`;
}
