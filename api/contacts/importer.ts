/** Imports contacts from CSV as it arrives: a thousand rows a transaction, the next ones read meanwhile. */
import type { ImportRow } from '../../db/contacts/import.ts';
import { readCsv } from './csv.ts';
import { readHeader, readRow, type Header } from './import-row.ts';

const chunkRows = 1_000;
const mostListed = 10_000;

export interface ImportResult {
  imported: number;
  updated: number;
  /** The first so many; `rejectedCount` counts all. */
  rejected: { line: number; reason: string }[];
  rejectedCount: number;
}

export interface ImportOptions {
  bytes: AsyncIterable<Buffer>;
  /** Every contact is put on this list. */
  list: string | undefined;
  /** Writes rows in one transaction; called for one chunk at a time. */
  write: (rows: ImportRow[]) => Promise<{ imported: number; updated: number }>;
}

/**
 * Rows of a chunk must not depend on each other in ways a chunk cannot see: a row that is matched by email must not
 * follow one with that email and a mobile number.
 */
class Chunk {
  rows: ImportRow[] = [];
  #emails = new Set<string>();

  mustEndBefore({ mobile, email }: ImportRow): boolean {
    return (
      this.rows.length >= chunkRows || (mobile === null && email !== null && this.#emails.has(email.toLowerCase()))
    );
  }

  add(row: ImportRow): void {
    this.rows.push(row);
    if (row.mobile !== null && row.email !== null) this.#emails.add(row.email.toLowerCase());
  }
}

/**
 * Reads all of `bytes`. Good rows are kept whatever the bad ones are.
 *
 * @throws {Problem} 400 when the header cannot be used; nothing was written then
 */
export async function importContacts({ bytes, list, write }: ImportOptions): Promise<ImportResult> {
  const result: ImportResult = { imported: 0, updated: 0, rejected: [], rejectedCount: 0 };
  let header: Header | undefined;
  let chunk = new Chunk();
  let writing: Promise<void> = Promise.resolve();

  const flush = async () => {
    const { rows } = chunk;
    chunk = new Chunk();
    // Waiting for the chunk before is what slows the sender down to what Postgres takes.
    await writing;
    writing = write(rows).then(({ imported, updated }) => {
      result.imported += imported;
      result.updated += updated;
    });
    // Awaited with the next chunk or at the end; until then a failure must not count as unhandled.
    writing.catch(() => {});
  };
  const reject = (line: number, reason: string) => {
    result.rejectedCount += 1;
    if (result.rejected.length < mostListed) result.rejected.push({ line, reason });
  };

  for await (const items of readCsv(bytes)) {
    for (const item of items) {
      if (!header) {
        header = readHeader(item);
      } else if ('fault' in item) {
        reject(item.line, item.fault);
      } else {
        const row = readRow(header, item, list);
        if ('reason' in row) {
          reject(item.line, row.reason);
        } else {
          if (chunk.mustEndBefore(row)) await flush();
          chunk.add(row);
        }
      }
    }
  }
  if (!header) readHeader(undefined);
  if (chunk.rows.length) await flush();
  await writing;
  return result;
}
