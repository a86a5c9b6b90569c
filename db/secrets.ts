/** Encryption at rest for auth tokens: AES-256-GCM under a key ring, so that keys can be rotated. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

export interface SecretBox {
  encrypt(plain: string): string;
  /** @throws when the key is not on the ring any more, or the text was changed */
  decrypt(sealed: string): string;
}

/**
 * @param ring `id:base64key,…` as in `SECRETS_KEYS`: the first key encrypts, every key decrypts.
 * A sealed text reads `keyId.iv.tag.cipher`, each in base64url.
 */
export function secretBox(ring: string): SecretBox {
  const keys = new Map(
    ring.split(',').map((entry) => {
      const at = entry.indexOf(':');
      return [entry.slice(0, at), Buffer.from(entry.slice(at + 1), 'base64')] as const;
    }),
  );
  const [currentId, currentKey] = [...keys][0] ?? [];
  if (!currentId || currentKey?.length !== 32) throw new Error('SECRETS_KEYS holds no key of 32 bytes');
  return {
    encrypt(plain) {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', currentKey, iv);
      const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return [currentId, ...[iv, cipher.getAuthTag(), text].map((part) => part.toString('base64url'))].join('.');
    },
    decrypt(sealed) {
      const [id = '', iv = '', tag = '', text = ''] = sealed.split('.');
      const key = keys.get(id);
      if (!key) throw new Error(`the secret was sealed with key "${id}", which is not in SECRETS_KEYS`);
      const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64url'));
      decipher.setAuthTag(Buffer.from(tag, 'base64url'));
      return Buffer.concat([decipher.update(Buffer.from(text, 'base64url')), decipher.final()]).toString('utf8');
    },
  };
}
