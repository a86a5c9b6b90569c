/** Encryption at rest, ids and the environment: what fails must fail loudly and say why. */
import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigurationError, readConfig } from '../../config.ts';
import { idPrefixes, type IdKind, newId } from '../../db/ids.ts';
import { secretBox } from '../../db/secrets.ts';

const ringKey = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;

describe('secrets', () => {
  const old = ringKey('2025');
  const current = ringKey('2026');

  test('any text comes back, and looks different every time', () => {
    const box = secretBox(current);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (plain) => {
        const sealed = box.encrypt(plain);
        expect(box.decrypt(sealed)).toBe(plain);
        expect(box.encrypt(plain)).not.toBe(sealed);
        if (plain.length > 3) expect(sealed).not.toContain(plain);
      }),
    );
  });

  test('the first key of the ring encrypts, every key decrypts: keys can be rotated', () => {
    const sealed = secretBox(old).encrypt('token');
    const rotated = secretBox(`${current},${old}`);
    expect(rotated.decrypt(sealed)).toBe('token');
    expect(rotated.encrypt('token')).toMatch(/^2026\./);
    expect(() => secretBox(current).decrypt(sealed)).toThrow('sealed with key "2025", which is not in SECRETS_KEYS');
  });

  test('a text that was changed anywhere, or sealed with another key of the same name, is refused', () => {
    const box = secretBox(current);
    const sealed = box.encrypt('token');
    for (let at = sealed.indexOf('.') + 1; at < sealed.length; at += 3) {
      if (sealed[at] === '.') continue;
      const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
      // The last character of a base64 text may hold bits that are not used.
      if (
        Buffer.from(changed.split('.')[3]!, 'base64url').equals(Buffer.from(sealed.split('.')[3]!, 'base64url')) &&
        at > sealed.lastIndexOf('.')
      )
        continue;
      expect(() => box.decrypt(changed), changed).toThrow(/./);
    }
    expect(() => secretBox(ringKey('2026')).decrypt(sealed)).toThrow(/authenticate/);
    expect(() => box.decrypt('')).toThrow('sealed with key ""');
  });

  test('a ring without a key of 32 bytes is refused', () => {
    for (const ring of ['', 'a:', 'a:c2hvcnQ=']) expect(() => secretBox(ring)).toThrow('32 bytes');
  });
});

describe('ids', () => {
  test('name what they are for, and are unique and in order of making within a process', () => {
    const at = new Date('2026-11-22T12:00:00Z');
    const ids = Array.from({ length: 20_000 }, () => newId('contact', at));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
    expect(ids[0]).toMatch(/^con_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test('carry the time of the product, to the millisecond', () => {
    const at = new Date('2031-01-02T03:04:05.678Z');
    const hex = newId('message', at).slice(4).replaceAll('-', '').slice(0, 12);
    expect(Number.parseInt(hex, 16)).toBe(at.getTime());
  });

  test('have prefixes of three letters that differ', () => {
    const prefixes = Object.values(idPrefixes);
    expect(new Set(prefixes).size).toBe(prefixes.length);
    for (const kind of Object.keys(idPrefixes) as IdKind[]) expect(newId(kind, new Date())).toMatch(/^[a-z]{3}_/);
  });
});

describe('the environment', () => {
  const good = {
    DATABASE_URL: 'postgres://u:p@localhost:5432/longwave',
    SECRETS_KEYS: ringKey('k1'),
    TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  };

  test('gives defaults for what may be missing', () => {
    expect(readConfig(['PORT', 'HOST', 'LOG_LEVEL', 'TEMPORAL_TLS', 'PUBLIC_URL'], {})).toEqual({
      PORT: 3000,
      HOST: '127.0.0.1',
      LOG_LEVEL: 'info',
      TEMPORAL_TLS: false,
    });
  });

  test('asks for what a process needs only', () => {
    expect(readConfig(['DATABASE_URL'], { ...good, PORT: 'nonsense' })).toEqual({ DATABASE_URL: good.DATABASE_URL });
  });

  test.each([
    ['DATABASE_URL', 'mysql://localhost', /DATABASE_URL is malformed: it should be a Postgres address/],
    ['DATABASE_URL', undefined, /DATABASE_URL is missing/],
    ['DATABASE_URL', '', /DATABASE_URL is missing/],
    ['SECRETS_KEYS', 'k1:short', /SECRETS_KEYS is malformed: it should be id:key pairs/],
    ['TWILIO_ACCOUNT_SID', 'AC1', /TWILIO_ACCOUNT_SID is malformed: it should be an account SID/],
    ['PORT', '70000', /PORT is malformed/],
    ['LOG_LEVEL', 'loud', /LOG_LEVEL is malformed/],
    ['TEMPORAL_ADDRESS', 'http://localhost:7233', /TEMPORAL_ADDRESS is malformed: it should be host:port/],
    ['LONGWAVE_OPERATOR_KEY', 'short', /LONGWAVE_OPERATOR_KEY is malformed: it should be at least 16/],
  ] as const)('%s=%j stops the start with its name and what it should look like', (name, value, message) => {
    expect(() => readConfig([name], { ...good, [name]: value })).toThrow(ConfigurationError);
    expect(() => readConfig([name], { ...good, [name]: value })).toThrow(message);
  });

  test('names every variable at fault at once', () => {
    expect(() => readConfig(['DATABASE_URL', 'SECRETS_KEYS', 'PORT'], { PORT: 'x' })).toThrow(
      /DATABASE_URL[\s\S]*SECRETS_KEYS[\s\S]*PORT/,
    );
  });

  test('never repeats the value of a variable: it may be a secret', () => {
    let said = '';
    try {
      readConfig(['SECRETS_KEYS'], { SECRETS_KEYS: 'k1:topsecret' });
    } catch (error) {
      said = String(error);
    }
    expect(said).toContain('SECRETS_KEYS');
    expect(said).not.toContain('topsecret');
  });
});
