import { keptAlive } from './kept-alive';
import { xmlDocument } from './xml';

const DOCUMENT = xmlDocument('Result', { Key: 'a' });

describe('a document that takes its time', () => {
  it('is given as it is when it comes soon, and so is its refusal', async () => {
    expect(await keptAlive(Promise.resolve(DOCUMENT), 60_000)).toBe(DOCUMENT);
    await expect(keptAlive(Promise.reject(new Error('refused')), 60_000)).rejects.toThrow('refused');
  });

  it('has blanks in it while it is waited for', async () => {
    let resolve!: (document: string) => void;
    const answer = await keptAlive(new Promise<string>((give) => (resolve = give)), 1);
    let text = '';
    for await (const chunk of answer as AsyncGenerator<string>) {
      text += chunk;
      if (text.endsWith('  ')) resolve(DOCUMENT);
    }
    expect(text).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n {2,}<Result/);
    expect(text.replace(/\n +/, '\n')).toBe(DOCUMENT);
  });

  it('breaks off when it fails late', async () => {
    let reject!: (error: Error) => void;
    const answer = (await keptAlive(
      new Promise<string>((_, refuse) => (reject = refuse)),
      1,
    )) as AsyncGenerator<string>;
    await answer.next();
    reject(new Error('refused'));
    await expect(answer.next()).rejects.toThrow('refused');
  });
});
