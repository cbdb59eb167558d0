import type { Readable } from 'node:stream';
import { XMLBuilder, XMLParser, XMLValidator } from 'fast-xml-parser';
import { malformedXml } from './s3-errors';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
const REQUEST_BYTES_MAX = 4 * 1024 * 1024;

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true });
const NAMED_CHARACTERS: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', apos: "'", quot: '"' };
// Keys are texts to the last blank: neither numbers nor trimmed. Clients write a line end in a key as a numeric reference, which
// the parser would leave as it stands, and of a control character's would make nothing.
const parser = new XMLParser({
  parseTagValue: false,
  trimValues: false,
  processEntities: false,
  tagValueProcessor: (_name, text) => withoutReferences(text),
  isArray: (name) => LISTS.has(name),
});
const LISTS = new Set(['Object', 'Part']);

/** An answer's document. What is undefined is left out. */
export function xmlDocument(root: string, content: object): string {
  const body = builder.build({ [root]: { '@xmlns': NAMESPACE, ...content } }) as string;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${withoutControls(body)}`;
}

/** XML has no way to write most control characters; a client that has such keys asks for them percent-encoded. */
function withoutControls(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '?');
}

/** A key where a client asks for `encoding-type=url`, as S3 does it: slashes stay. */
export function encodeKey(key: string): string {
  return encodeURIComponent(key).replaceAll('%2F', '/');
}

function withoutReferences(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (reference, hex, decimal, name) => {
    if (name !== undefined) return NAMED_CHARACTERS[name as string] ?? reference;
    const codePoint = hex === undefined ? Number(decimal) : Number.parseInt(hex as string, 16);
    if (codePoint > 0x10ffff) throw malformedXml(`${reference} is no character`);
    return String.fromCodePoint(codePoint);
  });
}

/** The element `root` of a request's document. @throws MalformedXML */
export async function readXml(body: Readable, root: string): Promise<Record<string, unknown>> {
  const text = await textOf(body);
  // No client of S3 declares entities; those who do want them expanded at our cost.
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw malformedXml('A document type is not allowed here');
  if (XMLValidator.validate(text) !== true) throw malformedXml('The XML you provided was not well-formed');
  const document = parser.parse(text) as Record<string, unknown>;
  const element = document[root];
  if (typeof element !== 'object' || element === null) throw malformedXml(`The document has no element ${root}`);
  return element as Record<string, unknown>;
}

async function textOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Not destroyed when it is too long: the refusal is still to be sent on the same socket.
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > REQUEST_BYTES_MAX) throw malformedXml(`The document has over ${REQUEST_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
