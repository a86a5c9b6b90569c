/** Resources of accounts by SID: an account sees its own and no others. They are plain data. */
import type { Kept } from './persistence.ts';

interface Resource {
  sid: string;
  accountSid: string;
}

export class Owned<T extends Resource> implements Kept {
  /** In order of creation. */
  readonly all = new Map<string, T>();

  add(resource: T): T {
    this.all.set(resource.sid, resource);
    return resource;
  }

  /** The resource if it is the account's. */
  get(accountSid: string, sid: string | undefined): T | undefined {
    const resource = this.all.get(sid ?? '');
    return resource?.accountSid === accountSid ? resource : undefined;
  }

  /** The account's, in order of creation. */
  list(accountSid: string): T[] {
    return [...this.all.values()].filter((resource) => resource.accountSid === accountSid);
  }

  delete(resource: T): void {
    this.all.delete(resource.sid);
  }

  /** Forgets all that an account has. */
  deleteAll(accountSid: string): void {
    for (const resource of this.list(accountSid)) this.delete(resource);
  }

  toJSON(): T[] {
    return [...this.all.values()];
  }

  restore(resources: T[]): void {
    this.all.clear();
    for (const resource of resources) this.add(resource);
  }
}
