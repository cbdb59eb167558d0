import { buffer } from 'node:stream/consumers';
import { Transform, type Readable } from 'node:stream';
import { XMLBuilder, XMLParser, XMLValidator } from 'fast-xml-parser';
import { malformedXml } from './s3-errors';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
const REQUEST_BYTES_MAX = 4 * 1024 * 1024;

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true });
// Keys are texts to the last blank: neither numbers nor trimmed.
const parser = new XMLParser({ parseTagValue: false, trimValues: false, isArray: (name) => LISTS.has(name) });
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

/** The element `root` of a request's document. @throws MalformedXML */
export async function readXml(body: Readable, root: string): Promise<Record<string, unknown>> {
  const text = (await buffer(body.pipe(limited()))).toString('utf8');
  // No client of S3 declares entities; those who do want them expanded at our cost.
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw malformedXml('A document type is not allowed here');
  if (XMLValidator.validate(text) !== true) throw malformedXml('The XML you provided was not well-formed');
  const document = parser.parse(text) as Record<string, unknown>;
  const element = document[root];
  if (typeof element !== 'object' || element === null) throw malformedXml(`The document has no element ${root}`);
  return element as Record<string, unknown>;
}

function limited(): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > REQUEST_BYTES_MAX) done(malformedXml(`The document has over ${REQUEST_BYTES_MAX} bytes`));
      else done(null, chunk);
    },
  });
}
