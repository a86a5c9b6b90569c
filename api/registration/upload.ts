/** One file out of a multipart form, in memory, and what it really is. */
import type { Multipart } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { fileTypeFromBuffer } from 'file-type';
import type { NewEvidence } from '../../db/registration/evidence.ts';
import { invalid, Problem, refused } from '../shared/problems.ts';

const maxBytes = 5 * 1024 * 1024;

export interface Upload {
  /** As it was sent. */
  fileName: string;
  content: Buffer;
}

const extensions: Readonly<Record<NewEvidence['mediaType'], string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'application/pdf': 'pdf',
};

const pngSignature = Buffer.from('89504e470d0a1a0a', 'hex');

const notOneFile = (message: string): Problem =>
  invalid([{ path: 'file', message }], 'Send a multipart form with one file in the field `file`, and nothing else.');

const tooLarge = (): Problem =>
  new Problem({
    status: 413,
    slug: 'payload-too-large',
    detail: `The file is larger than ${maxBytes / 1024 / 1024} MiB (${maxBytes} bytes): send a smaller one.`,
  });

/** What the parser throws, in terms of this route. */
function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { code } = error as { code?: unknown };
  if (code === 'FST_REQ_FILE_TOO_LARGE') return tooLarge();
  if (/^FST_(FILES|FIELDS|PARTS)_LIMIT$/.test(String(code))) return notOneFile('must be one file only');
  return invalid([{ path: 'body', message: 'is not a complete multipart form with a boundary' }]);
}

async function readPart(part: Multipart): Promise<Upload> {
  if (part.fieldname !== 'file') throw notOneFile('must be the name of the only field');
  if (part.type === 'field') throw notOneFile('must be a file, with a file name');
  return { fileName: part.filename ?? '', content: await part.toBuffer() };
}

/** @throws {Problem} 400 unless there is one file in the field `file`; 413 when it is too large */
export async function readUpload(request: FastifyRequest): Promise<Upload> {
  // The form around the file is small.
  if (Number(request.headers['content-length'] ?? 0) > maxBytes + 64 * 1024) throw tooLarge();
  const limits = { fileSize: maxBytes, files: 1, fields: 1, parts: 2, fieldNameSize: 100, headerPairs: 20 };
  let upload: Upload | undefined;
  try {
    for await (const part of request.parts({ limits })) upload = await readPart(part);
  } catch (error) {
    // The parser waits for whoever reads the part: without it, the rest of the request passes.
    request.raw.unpipe().resume();
    throw problemOf(error);
  }
  if (!upload) throw notOneFile('is missing');
  return upload;
}

/** What its bytes say it is, whatever its name and its declared type. @throws {Problem} 422 */
export async function mediaTypeOf({ content }: Upload): Promise<NewEvidence['mediaType']> {
  if (content.length === 0) throw refused('empty_file', 'The file is empty: send a PNG, a JPEG or a PDF.');
  const found = await fileTypeFromBuffer(content);
  // The library reads on to tell an animated PNG; a signature is enough here, as it is for the other two.
  if (!found && content.subarray(0, pngSignature.length).equals(pngSignature)) return 'image/png';
  if (found && found.mime in extensions) return found.mime as NewEvidence['mediaType'];
  throw refused(
    'unsupported_file_type',
    `The file is ${found ? `of type ${found.mime}` : 'of a type that cannot be told'}, whatever its name says: send a PNG, a JPEG or a PDF.`,
  );
}

/** A name to show and to save by: without folders, without characters that are not seen, and those that browsers escape. */
export function cleanFileName(fileName: string, mediaType: NewEvidence['mediaType']): string {
  const last = fileName.toWellFormed().split(/[/\\]/).at(-1)!;
  const visible = last
    .normalize('NFC')
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}"<>:|?*]|%(22|0A|0D)/giu, '')
    .trim();
  return Array.from(visible).slice(0, 120).join('') || `evidence.${extensions[mediaType]}`;
}
