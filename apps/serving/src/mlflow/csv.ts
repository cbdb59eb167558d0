/** Splits RFC 4180 text into rows of fields: quotes, doubled quotes, line breaks inside quotes. Blank lines are no rows. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  let lineStart = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index]!;
    if (quoted) {
      if (character !== '"') field += character;
      else if (text[index + 1] === '"') {
        field += '"';
        index += 1;
      } else quoted = false;
    } else if (character === '"' && field === '') quoted = true;
    else if (character === ',') {
      row.push(field);
      field = '';
    } else if (character === '\n') {
      if (!/^\r?$/.test(text.slice(lineStart, Math.min(index, lineStart + 2))))
        rows.push([...row, field.replace(/\r$/, '')]);
      row = [];
      field = '';
      lineStart = index + 1;
    } else field += character;
  }
  if (text.slice(lineStart) !== '') rows.push([...row, field.replace(/\r$/, '')]);
  return rows;
}
