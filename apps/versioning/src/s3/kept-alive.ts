/**
 * A document that may take minutes to come. What is there in time is given as it is, or refused as it should be; else its beginning
 * and then blanks, as S3 sends them, so that no client gives up and asks again. An error is then a connection that breaks: asked again,
 * it shows.
 */
export async function keptAlive(document: Promise<string>, everyMs: number): Promise<string | AsyncGenerator<string>> {
  return (await within(document, everyMs)) ?? blanksBefore(document, everyMs);
}

async function* blanksBefore(document: Promise<string>, everyMs: number): AsyncGenerator<string> {
  // Nothing may stand before a document's declaration.
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
  yield declaration;
  let whole: string | undefined;
  while (whole === undefined) {
    whole = await within(document, everyMs);
    if (whole === undefined) yield ' ';
  }
  yield whole.slice(declaration.length);
}

/** Undefined when it takes longer. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
