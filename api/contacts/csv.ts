/**
 * Reads CSV from bytes as they arrive, record by record, and goes on after a bad one. Fields are parsed by `csv-parse`;
 * where records begin and end is decided here, because a strict parser that meets a quotation mark in the wrong place
 * swallows everything up to the next one.
 */
import { isUtf8 } from 'node:buffer';
import { parse } from 'csv-parse/sync';

/** A record, or why there is none. `line` is the line of the file it begins in, from 1. */
export type CsvItem = { line: number; cells: string[] } | { line: number; fault: string };

/** Bytes of one record. */
export const maxRecordBytes = 65_536;
const maxRecordLines = 1_000;

const faults = {
  tooLong: `the row is longer than ${maxRecordBytes.toLocaleString('en')} bytes: shorten it`,
  notUtf8: 'the row is not valid UTF-8: save the file as CSV UTF-8',
  quote: 'a quotation mark stands in the wrong place: put the whole cell in quotation marks and double those inside it',
  unclosed: 'a quotation mark opens in this row and is never closed: close it; reading went on with the next line',
};

interface Line {
  number: number;
  text: string;
  /** What ends it: in a quoted cell it belongs to the text. */
  end: string;
  bytes: number;
  valid: boolean;
}

const [lineFeed, carriageReturn] = [10, 13];

/**
 * Splits bytes into lines, which end with LF, CRLF or, in files of old Macs, CR. A line that is too long is skipped without
 * being kept.
 */
class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);
  #number = 0;
  #skipping = false;

  *push(chunk: Buffer): Generator<Line | { number: number; tooLong: true }> {
    const data = this.#rest.length ? Buffer.concat([this.#rest, chunk]) : chunk;
    let from = 0;
    let feed = data.indexOf(lineFeed);
    let ret = data.indexOf(carriageReturn);
    // A CR at the very end may be half of a CRLF: the next chunk tells.
    while (feed !== -1 || (ret !== -1 && ret + 1 < data.length)) {
      const isReturn = ret !== -1 && (feed === -1 || ret < feed);
      const at = isReturn ? ret : feed;
      const end = !isReturn ? '\n' : data[at + 1] === lineFeed ? '\r\n' : '\r';
      yield* this.#line(data.subarray(from, at), end);
      from = at + end.length;
      if (feed !== -1 && feed < from) feed = data.indexOf(lineFeed, from);
      if (ret !== -1 && ret < from) ret = data.indexOf(carriageReturn, from);
    }
    const open = data.subarray(from);
    const length = ret === -1 ? open.length : open.length - 1;
    if (length > maxRecordBytes && !this.#skipping) {
      this.#skipping = true;
      yield { number: this.#number + 1, tooLong: true };
    }
    // Copied: a small rest must not keep a whole chunk alive.
    this.#rest = Buffer.from(this.#skipping ? open.subarray(length) : open);
  }

  *end(): Generator<Line | { number: number; tooLong: true }> {
    if (this.#rest.length === 0) return;
    const isEnded = this.#rest.at(-1) === carriageReturn;
    yield* this.#line(isEnded ? this.#rest.subarray(0, -1) : this.#rest, isEnded ? '\r' : '');
  }

  *#line(bytes: Buffer, end: string): Generator<Line | { number: number; tooLong: true }> {
    this.#number += 1;
    const number = this.#number;
    if (this.#skipping) {
      this.#skipping = false;
    } else if (bytes.length > maxRecordBytes) {
      yield { number, tooLong: true };
    } else {
      const withoutMark =
        number === 1 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
      const text = withoutMark.toString('utf8');
      yield { number, text, end, bytes: bytes.length, valid: !text.includes('\uFFFD') || isUtf8(withoutMark) };
    }
  }
}

/** How the quotation marks of a line leave a record: complete, with a cell still open, or malformed. */
function scan(text: string, open: boolean): 'complete' | 'open' | 'malformed' {
  let quoted = open;
  let at = 0;
  while (at < text.length) {
    if (quoted) {
      const mark = text.indexOf('"', at);
      if (mark === -1) return 'open';
      if (text[mark + 1] === '"') {
        at = mark + 2;
        continue;
      }
      quoted = false;
      at = mark + 1;
      if (at < text.length && text[at] !== ',') return 'malformed';
      at += 1;
      // The next cell is empty and the line ends: nothing more to look at.
    } else if (text[at] === '"') {
      quoted = true;
      at += 1;
    } else {
      const comma = text.indexOf(',', at);
      const cell = comma === -1 ? text.slice(at) : text.slice(at, comma);
      if (cell.includes('"')) return 'malformed';
      if (comma === -1) break;
      at = comma + 1;
    }
  }
  return quoted ? 'open' : 'complete';
}

/** Puts lines together to records. */
class RecordReader {
  #open: Line[] = [];

  *push(line: Line): Generator<CsvItem> {
    if (this.#open.length === 0 && !line.text.includes('"')) yield* plainRecord(line);
    else yield* this.#settle([line]);
  }

  /** At the end of the file, or before a line that cannot be part of any record. */
  *end(): Generator<CsvItem> {
    while (this.#open.length) yield* this.#giveUp();
  }

  *#settle(lines: Line[]): Generator<CsvItem> {
    for (const line of lines) {
      const state = scan(line.text, this.#open.length > 0);
      if (state === 'complete') {
        const record = [...this.#open, line];
        this.#open = [];
        yield* quotedRecord(record);
      } else if (state === 'malformed' && this.#open.length === 0) {
        yield { line: line.number, fault: line.valid ? faults.quote : faults.notUtf8 };
      } else {
        this.#open.push(line);
        const bytes = this.#open.reduce((sum, part) => sum + part.bytes, 0);
        if (state === 'malformed' || bytes > maxRecordBytes || this.#open.length > maxRecordLines)
          yield* this.#giveUp();
      }
    }
  }

  /** The first open line is at fault; those after it are read again as rows of their own. */
  *#giveUp(): Generator<CsvItem> {
    const [first, ...rest] = this.#open;
    this.#open = [];
    yield { line: first!.number, fault: faults.unclosed };
    yield* this.#settle(rest);
  }
}

function* plainRecord({ number, text, valid }: Line): Generator<CsvItem> {
  if (text.trim() === '') return;
  yield valid ? { line: number, cells: text.split(',') } : { line: number, fault: faults.notUtf8 };
}

function* quotedRecord(lines: Line[]): Generator<CsvItem> {
  const line = lines[0]!.number;
  const text = lines.map((part) => (part === lines.at(-1) ? part.text : part.text + part.end)).join('');
  if (!lines.every(({ valid }) => valid)) {
    yield { line, fault: faults.notUtf8 };
    return;
  }
  try {
    const [cells = []] = parse(text, { record_delimiter: '\n', relax_column_count: true });
    yield { line, cells };
  } catch {
    yield { line, fault: faults.quote };
  }
}

/** Reads records from bytes; yields what each piece of them completes. Blank lines are no records. */
export async function* readCsv(chunks: AsyncIterable<Buffer>): AsyncGenerator<CsvItem[]> {
  const splitter = new LineSplitter();
  const reader = new RecordReader();
  function* records(lines: Iterable<Line | { number: number; tooLong: true }>): Generator<CsvItem> {
    for (const line of lines) {
      if ('tooLong' in line) {
        yield* reader.end();
        yield { line: line.number, fault: faults.tooLong };
      } else {
        yield* reader.push(line);
      }
    }
  }
  for await (const chunk of chunks) yield [...records(splitter.push(chunk))];
  yield [...records(splitter.end()), ...reader.end()];
}
