/** The CSV reader: any cells come back, in any pieces, and a bad record costs only itself. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CsvItem, maxRecordBytes, readCsv } from '../../../api/contacts/csv.ts';
import { importContacts } from '../../../api/contacts/importer.ts';

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string | Buffer, size = 7): Promise<CsvItem[]> {
  const items: CsvItem[] = [];
  for await (const some of readCsv(pieces(Buffer.from(text), size))) items.push(...some);
  return items;
}

const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
/** As writers of CSV do: quotation marks only where they are needed. */
const sparing = (cell: string): string => (/[",\r\n]/.test(cell) ? quoted(cell) : cell);

const cell = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.toWellFormed()),
  fc
    .array(fc.constantFrom('"', ',', '\n', '\r', '\r\n', ' ', 'a', 'é', '😀', '\0', '""'), { maxLength: 8 })
    .map((parts) => parts.join('')),
);
const record = fc.array(cell, { minLength: 1, maxLength: 5 });

describe('any cells come back as they were written', () => {
  test.each([
    ['LF, all quoted', '\n', quoted],
    ['CRLF, all quoted', '\r\n', quoted],
    ['LF, quoted where needed', '\n', sparing],
    ['CRLF, quoted where needed', '\r\n', sparing],
    ['CR, all quoted', '\r', quoted],
    ['CR, quoted where needed', '\r', sparing],
  ])('%s', async (_what, newline, write) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { maxLength: 6 }),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        async (records, size, mark) => {
          // A row that is blank when written is no row; a lone mark at the start is a byte order mark.
          const rows = records.filter(
            (cells) => cells.map(write).join().trim() !== '' && !cells[0]!.startsWith('\uFEFF'),
          );
          const text = rows.map((cells) => cells.map(write).join()).join(newline);
          const items = await read((mark ? '\uFEFF' : '') + text, size);
          expect(items.map((item) => ('cells' in item ? item.cells : item))).toEqual(rows);
          const lines = rows.map(
            (_, n) =>
              rows
                .slice(0, n)
                .map((cells) => cells.map(write).join())
                .join(newline)
                .split(/\r\n|\r|\n/).length + (n ? 1 : 0),
          );
          expect(items.map(({ line }) => line)).toEqual(lines);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a bad record costs only itself', () => {
  const good = ['a,b', '"c",d', '"e""f","g"', '"h\ni",j'];
  const bad = ['"open,1', 'x"y,1', '"x"y,1', 'a,"b" ,c', '"a""', ',"'];

  test('wherever it stands among good ones', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...good), { maxLength: 4 }),
        fc.constantFrom(...bad),
        async (before, row) => {
          // After a row whose quotation mark stays open, one that begins with a mark cannot be told from its end.
          const after = ['k,l', 'm,n', '"o",p'];
          const items = await read([...before, row, ...after].join('\n'), 5);
          const faults = items.filter((item) => 'fault' in item);
          expect(faults).toHaveLength(1);
          expect(faults[0]!.line).toBe(before.join('\n').split('\n').length + (before.length ? 1 : 0));
          expect(items).toHaveLength(before.length + after.length + 1);
        },
      ),
    );
  });

  test('an open quotation mark does not swallow the rest, up to the end of the file', async () => {
    const rows = Array.from({ length: 5_000 }, (_, n) => `${n},x`);
    const items = await read(['a,b', '"open,1', ...rows].join('\n'), 4_096);
    expect(items[1]).toEqual({ line: 2, fault: expect.stringContaining('never closed') });
    expect(items.slice(2)).toEqual(rows.map((row, n) => ({ line: n + 3, cells: row.split(',') })));
  });

  test('a line without end is skipped without being kept', async () => {
    const long = 'x'.repeat(maxRecordBytes * 3);
    expect(await read(`a\n${long}\nb`, 10_000)).toEqual([
      { line: 1, cells: ['a'] },
      { line: 2, fault: expect.stringContaining('longer than') },
      { line: 3, cells: ['b'] },
    ]);
  });

  test.each(['\n', '\r\n', '\r'])(
    'a line without end is skipped up to its %j, wherever the pieces are cut',
    async (end) => {
      const file = `a${end}${'x'.repeat(maxRecordBytes + 1)}${end}b${end}"c"${end}`;
      for (const size of [1, 7, maxRecordBytes + 3, maxRecordBytes + 4, 100_000]) {
        expect(await read(file, size), String(size)).toEqual([
          { line: 1, cells: ['a'] },
          { line: 2, fault: expect.stringContaining('longer than') },
          { line: 3, cells: ['b'] },
          { line: 4, cells: ['c'] },
        ]);
      }
    },
  );

  test('whatever the bytes, every line is accounted for once, in order', async () => {
    const bytes = fc.array(fc.constantFrom(34, 44, 10, 13, 65, 0, 0xc3, 0xa9, 0xff, 0xef, 0xbb, 0xbf), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 9 }), async (given, size) => {
        const items = await read(Buffer.from(given), size);
        const lines = items.map(({ line }) => line);
        expect(lines).toEqual([...new Set(lines)].toSorted((a, b) => a - b));
        expect(items).toEqual(await read(Buffer.from(given), 1_000));
      }),
      { numRuns: 500 },
    );
  });
});

test('the next chunk is read while one is written, and no more: the sender is held back', async () => {
  let sent = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    yield Buffer.from('mobile\n');
    for (; sent < 20_000; sent += 1) yield Buffer.from(`415555${String(sent % 10_000).padStart(4, '0')}\n`);
  }
  const ahead: number[] = [];
  let written = 0;
  await importContacts({
    bytes: endless(),
    list: undefined,
    write: async (rows) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      ahead.push(sent - written);
      written += rows.length;
      return { imported: rows.length, updated: 0 };
    },
  });
  expect(written).toBe(20_000);
  expect(Math.max(...ahead)).toBeLessThanOrEqual(3_000);
});
