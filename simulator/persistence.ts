/** Keeps what was set up in a file: written soon after each change, so that it survives a kill as well as a stop. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';

/** A part of what was set up, as plain data in and out. */
export interface Kept {
  /** Everything it holds. */
  toJSON(): unknown[];
  /** Takes in what `toJSON` gave, in place of what it holds. */
  restore(items: unknown[]): void;
}

/** The file stops the start; `message` says why, and what to do. */
export class SetUpFileError extends Error {
  override name = 'SetUpFileError';
}

const FORMAT = 'longwave-simulator';
/** To be raised when a part changes its shape. */
const VERSION = 2;
/** Milliseconds: written when nothing has changed for so long, and at the latest so long after the first change. */
const QUIET_MS = 200;
const AT_MOST_MS = 1_000;

const header = z.object({ format: z.literal(FORMAT), version: z.unknown(), accountSid: z.string() });

interface SetUpFileOptions {
  path: string;
  /** The main account. */
  accountSid: string;
  /** What is kept, by name, in the order in which it is taken in. */
  setUp: Record<string, Kept>;
  /** Told when the file cannot be written; the next change tries again. */
  log: (message: string) => void;
}

export class SetUpFile {
  readonly #options: SetUpFileOptions;
  #text = '';
  #changedAt = 0;
  #unsavedSince = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #saving: Promise<void> = Promise.resolve();

  private constructor(options: SetUpFileOptions) {
    this.#options = options;
  }

  /**
   * Takes in what the file holds, if there is one, and writes it once: a place that cannot be written is known at the start.
   *
   * @throws {SetUpFileError} when it is damaged, of another version or of another main account
   */
  static async open(options: SetUpFileOptions): Promise<SetUpFile> {
    const file = new SetUpFile(options);
    const { path } = options;
    try {
      await file.#load();
      await mkdir(dirname(path), { recursive: true });
      await file.#save();
    } catch (error) {
      if (error instanceof SetUpFileError) throw error;
      throw new SetUpFileError(`${path} (SIMULATOR_DATA) cannot be used: ${String(error)}`, { cause: error });
    }
    return file;
  }

  async #load(): Promise<void> {
    const { path, accountSid, setUp } = this.#options;
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    const refuse = (what: string, cause?: unknown) =>
      new SetUpFileError(
        `${path} ${what}. Delete it to start with nothing set up, or let SIMULATOR_DATA name another file.`,
        { cause },
      );
    try {
      const content: unknown = JSON.parse(text);
      const { version, accountSid: owner } = header.parse(content);
      if (version !== VERSION)
        throw refuse(`is of version ${String(version)}; this simulator reads version ${VERSION}`);
      if (owner !== accountSid)
        throw refuse(`is of the main account ${owner}, and TWILIO_ACCOUNT_SID is ${accountSid}`);
      const parts = z.object({ setUp: z.record(z.string(), z.array(z.unknown())) }).parse(content).setUp;
      for (const [name, part] of Object.entries(setUp)) {
        const items = parts[name];
        if (items === undefined) throw new Error(`${name} is missing`);
        part.restore(items);
      }
    } catch (error) {
      if (error instanceof SetUpFileError) throw error;
      throw refuse(`is damaged, or no file of the simulator (${reasonOf(error)})`, error);
    }
  }

  /** Something may have changed: costs next to nothing, and nothing is written when nothing has. */
  changed(): void {
    this.#changedAt = performance.now();
    if (this.#timer !== undefined || this.#closed) return;
    this.#unsavedSince = this.#changedAt;
    this.#timer = setTimeout(() => this.#saveWhenQuiet(), QUIET_MS);
  }

  #saveWhenQuiet(): void {
    const wait = Math.min(this.#changedAt + QUIET_MS, this.#unsavedSince + AT_MOST_MS) - performance.now();
    if (wait > 0) {
      this.#timer = setTimeout(() => this.#saveWhenQuiet(), wait);
      return;
    }
    this.#timer = undefined;
    void this.#saveOrLog();
  }

  async #saveOrLog(): Promise<void> {
    try {
      await this.#save();
    } catch (error) {
      this.#options.log(`What was set up could not be written to ${this.#options.path}: ${String(error)}`);
    }
  }

  /** One after the other, each with what there is when its turn comes. */
  #save(): Promise<void> {
    const saving = this.#saving.then(() => this.#write());
    this.#saving = saving.catch(() => undefined);
    return saving;
  }

  /** Beside its place and moved there when complete: whoever reads finds the old file or the new one. */
  async #write(): Promise<void> {
    const { path, accountSid, setUp } = this.#options;
    const text = JSON.stringify({ format: FORMAT, version: VERSION, accountSid, setUp });
    if (text === this.#text) return;
    const draft = `${path}.new`;
    // Auth tokens are in it.
    await writeFile(draft, text, { mode: 0o600, flush: true });
    await rename(draft, path);
    this.#text = text;
  }

  /** Writes what is not written yet, for the last time. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#saveOrLog();
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError)
    return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  return error instanceof Error ? error.message : String(error);
}
