import { eventsInText, type LedgerEntry } from './event-stream';

export interface Credentials {
  readonly keyId: string;
  readonly secret: string;
}

export type Connection = 'connecting' | 'live' | 'lost' | 'unauthorized';

const RECONNECT_MS = 2_000;

/** Request headers for a caller; none in open mode, where the loopback address is credential enough. */
export function authorization(credentials: Credentials | undefined): Record<string, string> {
  return credentials ? { authorization: `Bearer ${credentials.keyId}.${credentials.secret}` } : {};
}

/**
 * Follows the ledger's live feed until stopped, reconnecting after the last event seen.
 * Fetch and not EventSource, which cannot send credentials.
 *
 * @returns the function that stops it.
 */
export function followEvents(
  credentials: Credentials | undefined,
  onEntries: (entries: readonly LedgerEntry[]) => void,
  onConnection: (connection: Connection) => void,
): () => void {
  const abort = new AbortController();
  let lastCursor: string | undefined;
  const keepLast = (entries: readonly LedgerEntry[]) => {
    lastCursor = entries.at(-1)?.cursor ?? lastCursor;
    onEntries(entries);
  };
  const connect = async () => {
    while (!abort.signal.aborted) {
      onConnection('connecting');
      const outcome = await readOnce(credentials, lastCursor, abort.signal, keepLast, onConnection);
      if (outcome === 'unauthorized') return onConnection('unauthorized');
      if (abort.signal.aborted) return;
      onConnection('lost');
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
    }
  };
  void connect();
  return () => abort.abort();
}

async function readOnce(
  credentials: Credentials | undefined,
  lastCursor: string | undefined,
  signal: AbortSignal,
  onEntries: (entries: readonly LedgerEntry[]) => void,
  onConnection: (connection: Connection) => void,
): Promise<'unauthorized' | 'ended'> {
  try {
    const response = await fetch('/api/mledger/v1/events/live', {
      signal,
      headers: { ...authorization(credentials), ...(lastCursor && { 'last-event-id': lastCursor }) },
    });
    if (response.status === 401 || response.status === 403) return 'unauthorized';
    if (!response.ok || !response.body) return 'ended';
    onConnection('live');
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return 'ended';
      const read = eventsInText(rest + value);
      rest = read.rest;
      if (read.entries.length > 0) onEntries(read.entries);
    }
  } catch {
    return 'ended';
  }
}
