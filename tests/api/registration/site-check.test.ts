/** Pages that customers name: opened as a reviewer would, and never inside our own network. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkSites, createSiteCheck } from '../../../api/registration/site-check.ts';
import { createEgress, type Egress, EgressError } from '../../../egress.ts';

let server: Server;
let origin: string;
const visits: string[] = [];
let closedEarly = false;

const answers: Record<string, (response: ServerResponse) => void> = {
  '/': (response) => response.end('<h1>Welcome</h1>'),
  '/login': (response) => response.writeHead(401).end(),
  '/silent': () => {},
  '/slow': (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'), 200);
    response.on('close', () => clearInterval(timer));
  },
  '/endless': (response) => {
    response.writeHead(200);
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(16_384)));
    };
    response.on('drain', more).on('close', () => (closedEarly = true));
    more();
  },
  '/broken': (response) => response.socket?.destroy(),
  // Also this machine, by an address that is not allowed: nothing outside is asked if the rule does not hold.
  '/inside': (response) => response.writeHead(302, { location: origin.replace('127.0.0.1', '127.0.0.2') }).end(),
  '/file': (response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
  '/relative': (response) => response.writeHead(308, { location: '/' }).end(),
};

beforeAll(async () => {
  server = createServer((request, response) => {
    const path = request.url ?? '';
    visits.push(path);
    const hops = /^\/hops\/(\d)$/.exec(path)?.[1];
    if (hops) response.writeHead(301, { location: hops === '0' ? '/' : `/hops/${Number(hops) - 1}` }).end();
    else (answers[path] ?? ((other) => other.writeHead(404).end()))(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Reaches the server of this test, and no other private address. */
const lenient = createEgress({ mayReach: (address) => address === '127.0.0.1' });
const strict = createEgress();
afterAll(async () => {
  await lenient.close();
  await strict.close();
});
const check = (url: string) => createSiteCheck(lenient)(url);

describe('a page', () => {
  test('that answers is reachable, whatever its status', async () => {
    expect(await check(`${origin}/`)).toEqual({ reachable: true, status: 200 });
    expect(await check(`${origin}/login`)).toEqual({ reachable: true, status: 401 });
    expect(await check(`${origin}/nothing`)).toEqual({ reachable: true, status: 404 });
  });

  test('is found by its name', async () => {
    const local = createEgress({ mayReach: (address) => ['127.0.0.1', '::1'].includes(address) });
    expect(await local.get(origin.replace('127.0.0.1', 'localhost'))).toEqual({
      status: 200,
      text: '<h1>Welcome</h1>',
    });
    await local.close();
  });

  test('that does not answer, or not to the end, is not', async () => {
    const took = performance.now();
    const [silent, slow, broken] = await Promise.all(
      ['/silent', '/slow', '/broken'].map((path) => check(origin + path)),
    );
    expect(silent).toEqual({ reachable: false, detail: 'no answer within 3 seconds' });
    expect(slow).toEqual({ reachable: false, detail: 'no answer within 3 seconds' });
    expect(broken).toMatchObject({ reachable: false });
    expect(performance.now() - took).toBeLessThan(10_000);
  });

  test('whose server refuses connections, or that is no web address, is not', async () => {
    expect(await check('http://127.0.0.1:1/')).toEqual({
      reachable: false,
      detail: 'the server refused the connection',
    });
    for (const url of ['', 'x', 'ftp://acme.com', 'file:///etc/passwd', 'javascript:alert(1)']) {
      expect(await check(url)).toEqual({ reachable: false, detail: 'it is not a web address' });
    }
  });

  test('without end is read no further than 64 KiB', async () => {
    const { text } = await lenient.get(`${origin}/endless`);
    expect(text).toHaveLength(64 * 1024);
    await expect.poll(() => closedEarly).toBe(true);
  });

  test('is followed through three redirects, and no further', async () => {
    expect(await check(`${origin}/hops/2`)).toEqual({ reachable: true, status: 200 });
    expect(await check(`${origin}/relative`)).toEqual({ reachable: true, status: 200 });
    expect(await check(`${origin}/hops/3`)).toEqual({ reachable: false, detail: 'it redirects more than 3 times' });
    expect(await check(`${origin}/file`)).toEqual({ reachable: false, detail: 'it is not a web address' });
  });
});

describe('an address inside', () => {
  const nowhere = { reachable: false, detail: 'the address leads to no public server' };
  test.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f.0.0.1/',
    'http://0.0.0.0/',
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://192.168.1.1/',
    'http://169.254.0.1/',
    'http://100.64.0.1/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://[::1]/',
    'http://[::]/',
    'http://[fe80::1]/',
    'http://[fc00::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:10.0.0.1]/',
    'http://[64:ff9b::a00:1]/',
    'http://[2002:a00:1::]/',
  ])('%s is never asked', async (url) => {
    expect(await createSiteCheck(strict)(url)).toEqual(nowhere);
  });

  test('is not asked by name either', async () => {
    visits.length = 0;
    // Resolves to this machine without any name server.
    await expect(strict.get(origin.replace('127.0.0.1', 'localhost'))).rejects.toThrow(EgressError);
    await expect(strict.get(origin.replace('127.0.0.1', 'localhost'))).rejects.toThrow('leads to no public server');
    expect(visits).toEqual([]);
  });

  test('is not reached by a redirect', async () => {
    await expect(lenient.get(`${origin}/inside`)).rejects.toThrow('leads to no public server');
  });
});

test.each([
  'https://acme.example',
  'http://www.acme.test/x',
  'https://a.invalid',
  'http://localhost:3000',
  'http://x.localhost.',
])('%s is reserved, and nobody is asked for it', async (url) => {
  const nobody: Pick<Egress, 'get'> = {
    get: () => {
      throw new Error('asked');
    },
  };
  expect(await createSiteCheck(nobody)(url)).toEqual({
    reachable: false,
    detail: 'its name is reserved, and belongs to nobody',
  });
});

test('pages that are not named are not opened', async () => {
  const opened: string[] = [];
  const sites = await checkSites({ termsUrl: 'https://a.com/terms' }, async (url) => {
    opened.push(url);
    return { reachable: true, status: 200 };
  });
  expect(sites).toEqual({ website: null, privacyPolicyUrl: null, termsUrl: { reachable: true, status: 200 } });
  expect(opened).toEqual(['https://a.com/terms']);
});
