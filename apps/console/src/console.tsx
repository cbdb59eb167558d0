import { useEffect, useState } from 'react';
import { clientLines } from './clients';
import type { LedgerEntry } from './event-stream';
import { followEvents, type Connection, type Credentials } from './live-events';

const ENTRIES_SHOWN_MAX = 200;
const HEALTH_POLL_MS = 5_000;

interface Health {
  readonly status: string;
  readonly services: Readonly<Record<string, { ready: boolean; reasons: readonly string[] }>>;
}

export function Console() {
  const [credentials, setCredentials] = useState<Credentials>();
  return (
    <main>
      <header>
        <h1>MLedger</h1>
        <p>One replayable, tamper-evident history, from datum to prediction.</p>
      </header>
      <div className="columns">
        <div>
          <Services />
          <Clients credentials={credentials} />
        </div>
        <Timeline credentials={credentials} onCredentials={setCredentials} />
      </div>
    </main>
  );
}

function Services() {
  const [health, setHealth] = useState<Health>();
  useEffect(() => {
    const ask = () =>
      fetch('/health/ready')
        .then((response) => response.json() as Promise<Health>)
        .then(setHealth)
        .catch(() => setHealth(undefined));
    void ask();
    const timer = setInterval(ask, HEALTH_POLL_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <section aria-label="Services">
      <h2>What is running</h2>
      {health ? (
        <ul className="services">
          {Object.entries(health.services).map(([name, { ready, reasons }]) => (
            <li key={name} className={ready ? 'ready' : 'unready'} title={reasons.join('\n')}>
              {name}
            </li>
          ))}
        </ul>
      ) : (
        <p role="status">The server does not answer.</p>
      )}
    </section>
  );
}

function Clients({ credentials }: { credentials: Credentials | undefined }) {
  const clients = clientLines(window.location.origin, credentials);
  const [chosen, choose] = useState(clients[0]!.client);
  const { lines } = clients.find(({ client }) => client === chosen)!;
  return (
    <section aria-label="Clients">
      <h2>Lines to paste</h2>
      <nav>
        {clients.map(({ client }) => (
          <button key={client} aria-pressed={client === chosen} onClick={() => choose(client)}>
            {client}
          </button>
        ))}
      </nav>
      <pre data-testid="lines">{lines}</pre>
      <button onClick={() => void navigator.clipboard.writeText(lines)}>Copy</button>
      <p>
        What MLedger adds to these is its own API: <a href="/api/mledger/v1/openapi.json">openapi.json</a>
      </p>
    </section>
  );
}

function Timeline(props: { credentials: Credentials | undefined; onCredentials: (credentials: Credentials) => void }) {
  const { credentials, onCredentials } = props;
  const [entries, setEntries] = useState<readonly LedgerEntry[]>([]);
  const [connection, setConnection] = useState<Connection>('connecting');
  useEffect(() => {
    setEntries([]);
    const prepend = (news: readonly LedgerEntry[]) =>
      setEntries((shown) => [...news.toReversed(), ...shown].slice(0, ENTRIES_SHOWN_MAX));
    return followEvents(credentials, prepend, setConnection);
  }, [credentials]);
  return (
    <section aria-label="Timeline">
      <h2>
        The ledger, live <span className={`connection ${connection}`}>{connection}</span>
      </h2>
      {connection === 'unauthorized' && <SignIn onCredentials={onCredentials} />}
      {connection !== 'unauthorized' && entries.length === 0 && <p>Nothing has happened yet.</p>}
      <ol>
        {entries.map((entry) => (
          <li key={entry.cursor}>
            <time dateTime={entry.time}>{entry.time.slice(11, 23)}</time>
            <span className="service">{entry.service}</span>
            <details>
              <summary>
                <b>{entry.type}</b> <code>{entry.stream}</code>
              </summary>
              <pre>{JSON.stringify(entry.data, null, 2)}</pre>
              <p>by {entry.actor}</p>
            </details>
          </li>
        ))}
      </ol>
    </section>
  );
}

function SignIn({ onCredentials }: { onCredentials: (credentials: Credentials) => void }) {
  const submit = (form: FormData) =>
    onCredentials({ keyId: String(form.get('keyId')), secret: String(form.get('secret')) });
  return (
    <form action={submit}>
      <p>This server wants a key.</p>
      <input name="keyId" placeholder="key id" required autoComplete="username" />
      <input name="secret" placeholder="secret" required type="password" autoComplete="current-password" />
      <button>Use this key</button>
    </form>
  );
}
