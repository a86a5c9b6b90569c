/** The arrows of the architecture: who may import whom, where the environment is read, and what goes into the workflow bundle. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { workflowBundle } from './replay/bundle.ts';

const root = path.join(import.meta.dirname, '..');

interface Rule {
  /** Folders and files at the root this folder may import, or parts of them. Its own folder always. */
  may: readonly string[];
  /** Of these it may import types only. */
  typesOf?: readonly string[];
}

/** What the other sides may know of workflows. */
const addresses = ['workflows/ids.ts', 'workflows/task-queues.ts'];
const contracts = [...addresses, 'workflows/*/messages.ts', 'workflows/*/start.ts'];
const shared = ['domain', 'config.ts', 'clock.ts', 'log.ts', 'temporal.ts'];

const rules: Record<string, Rule> = {
  domain: { may: [] },
  workflows: { may: ['domain'], typesOf: ['activities'] },
  db: { may: ['domain', 'config.ts'] },
  twilio: { may: ['domain'] },
  email: { may: ['domain'] },
  activities: { may: ['domain', 'db', 'twilio', 'email', 'clock.ts'] },
  api: { may: [...shared, 'db', 'twilio', 'email/replies.ts', 'egress.ts', ...contracts, 'package.json'] },
  worker: { may: [...shared, 'db', 'twilio', 'email', 'egress.ts', 'workflows', 'activities', 'package.json'] },
  simulator: { may: ['config.ts'] },
  launcher: { may: ['domain', 'config.ts', 'db', 'twilio', 'api', 'package.json', 'docs/example-intake.json'] },
  scripts: { may: ['domain'] },
  bench: { may: ['*'] },
  tests: { may: ['*'] },
  'config.ts': { may: [] },
  'clock.ts': { may: [] },
  'egress.ts': { may: [] },
  'log.ts': { may: [] },
  'temporal.ts': { may: [] },
  'vitest.config.ts': { may: [] },
};
/** Not TypeScript of ours. */
const withoutSource = new Set(['docs', 'node_modules']);
/** Launched as programs, for which a stack is started; imported by nobody. */
const importedByNobody = new Set(['simulator', 'worker', 'launcher', 'bench', 'scripts', 'tests']);
const mayImportPrograms: Record<string, readonly string[]> = {
  tests: ['simulator', 'launcher', 'bench', 'worker'],
  bench: ['simulator', 'launcher', 'tests', 'worker'],
};

interface Import {
  file: string;
  /** The folder or file at the root that the importing file belongs to. */
  from: string;
  /** Relative to the root. */
  target: string;
  typeOnly: boolean;
}

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s+(?<type>type\s)?(?<names>[^'";]*?\sfrom\s+)?'(?<specifier>[^']+)'|import\(\s*'(?<dynamic>[^']+)'/g;

/** All names of an import without `type` before the braces are types one by one. */
const namesAreTypes = (names: string): boolean => {
  const inner = /^\{([^]*)\}\s+from\s+$/.exec(names.trimStart())?.[1];
  return (
    inner !== undefined &&
    inner
      .split(',')
      .filter((name) => name.trim() !== '')
      .every((name) => name.trim().startsWith('type '))
  );
};

async function sourceFiles(): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.') || withoutSource.has(entry.name)) continue;
    if (entry.isFile() && /\.(ts|mts|mjs)$/.test(entry.name)) files.push(entry.name);
    if (!entry.isDirectory()) continue;
    for (const file of await readdir(path.join(root, entry.name), { recursive: true })) {
      if (/\.(ts|tsx|mts|mjs)$/.test(file) && !file.includes('node_modules')) files.push(path.join(entry.name, file));
    }
  }
  return files;
}

const files = await sourceFiles();
const sources = new Map(
  await Promise.all(files.map(async (file) => [file, await readFile(path.join(root, file), 'utf8')] as const)),
);
const topOf = (file: string): string => file.split(path.sep)[0]!;

const imports: Import[] = [...sources].flatMap(([file, text]) =>
  [...text.matchAll(importPattern)].flatMap(({ groups }) => {
    const specifier = groups!['specifier'] ?? groups!['dynamic']!;
    if (!specifier.startsWith('.')) return [];
    const target = path.relative(root, path.resolve(root, path.dirname(file), specifier));
    const typeOnly = groups!['type'] !== undefined || namesAreTypes(groups!['names'] ?? '');
    return [{ file, from: topOf(file), target, typeOnly }];
  }),
);

const fits = (target: string, pattern: string): boolean => {
  if (pattern === '*') return true;
  const expected = pattern.split('/');
  const actual = target.split(path.sep);
  return expected.every((part, index) => part === '*' || part === actual[index]);
};

const show = ({ file, target, typeOnly }: Import): string => `${file} imports ${typeOnly ? 'types of ' : ''}${target}`;

describe('imports', () => {
  it('are found: the check sees what it is meant to see', () => {
    expect(imports.length).toBeGreaterThan(200);
    expect(imports).toContainEqual({
      file: 'workflows/mass-sms/workflow.ts',
      from: 'workflows',
      target: 'activities/mass-sms/batches.ts',
      typeOnly: true,
    });
    expect(imports).toContainEqual(
      expect.objectContaining({ file: 'db/conversations/inbound.ts', target: 'domain/settings.ts', typeOnly: false }),
    );
  });

  it('every source folder has a rule', () => {
    const unruled = [...new Set(files.map(topOf))].filter((folder) => !(folder in rules));
    expect(unruled, 'say in tests/architecture.test.ts what a new folder may import').toEqual([]);
  });

  it('point one way: each folder imports only what its rule names', () => {
    const wrong = imports.filter(({ from, target, typeOnly }) => {
      if (topOf(target) === from) return false;
      const rule = rules[from];
      const allowed = [...(rule?.may ?? []), ...(typeOnly ? (rule?.typesOf ?? []) : [])];
      return !allowed.some((pattern) => fits(target, pattern));
    });
    expect(wrong.map(show)).toEqual([]);
  });

  it('programs are imported by no part of the product', () => {
    const wrong = imports.filter(
      ({ from, target }) =>
        topOf(target) !== from &&
        importedByNobody.has(topOf(target)) &&
        !mayImportPrograms[from]?.includes(topOf(target)),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it('what the other sides know of workflows imports nothing but domain, more of the same, and types', () => {
    const wrong = imports.filter(
      ({ file, target, typeOnly }) =>
        contracts.some((pattern) => fits(file, pattern)) &&
        !typeOnly &&
        !fits(target, 'domain') &&
        !contracts.some((pattern) => fits(target, pattern)),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it('workflows and domain use no Node API, no database and no Twilio', () => {
    const foreign = [...sources].flatMap(([file, text]) =>
      (topOf(file) === 'workflows' && !fits(file, 'workflows/*/start.ts')) || topOf(file) === 'domain'
        ? [...text.matchAll(/from '((?:node:|kysely|pg\b|twilio|zod|fastify|undici)[^']*)'/g)].map(
            (match) => `${file}: ${match[1]}`,
          )
        : [],
    );
    expect(foreign).toEqual([]);
  });
});

describe('the environment', () => {
  it('is read in config.ts only, and by the launcher, the tests and the bench, which make it', () => {
    const readers = [...sources].filter(([, text]) =>
      /process\s*\.\s*env\b/.test(text.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, '')),
    );
    const others = readers
      .map(([file]) => file)
      .filter((file) => !['launcher', 'tests', 'bench'].includes(topOf(file)));
    expect(others).toEqual(['config.ts']);
  });
});

describe('the workflow bundle', () => {
  it('builds and stays small, without the libraries that fill an isolate', async () => {
    const { code } = await workflowBundle();
    const modules = [...code.matchAll(/node_modules\/((?:@[\w-]+\/)?[\w.-]+)/g)].map((match) => match[1]!);
    expect(modules).toContain('@temporalio/workflow');
    for (const library of ['luxon', 'zod', 'kysely', 'pg', 'twilio', 'libphonenumber-js', 'sms-segments-calculator'])
      expect(modules).not.toContain(library);
    // It reads time zone data, which differs between versions of Node: a replay would decide otherwise.
    expect(code).not.toContain('lawful-hours');
    // Without its source map; measured: 608,226 bytes, most of them the SDK.
    const bytes = code.replace(/\/\/# sourceMappingURL=.*/, '').length;
    expect(bytes).toBeLessThan(650_000);
  });
});
