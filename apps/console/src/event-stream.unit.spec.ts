import { eventsInText } from './event-stream';

const ENTRY = {
  id: 'e1',
  service: 'registry',
  type: 'AliasMoved',
  stream: 'default/model:1',
  time: 't',
  actor: 'user:a',
  data: {},
};

describe('reading server-sent events', () => {
  it('takes whole events and keeps the rest', () => {
    const text = `id: c1\nevent: event\ndata: ${JSON.stringify(ENTRY)}\n\nid: c2\ndata: {"id`;
    const { entries, rest } = eventsInText(text);
    expect(entries).toEqual([{ ...ENTRY, cursor: 'c1' }]);
    expect(rest).toBe('id: c2\ndata: {"id');
  });

  it('passes over comments, which only keep the connection open', () => {
    expect(eventsInText(': still here\n\n').entries).toEqual([]);
  });
});
