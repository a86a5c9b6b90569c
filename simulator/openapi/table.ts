/** All operations of Twilio's documents, found by method and path in as many steps as the path has segments. */
import { Operation } from './operation.ts';
import { loadDocuments } from './schema.ts';

interface Branch {
  fixed: Map<string, Branch>;
  any: Branch | undefined;
  operations: Map<string, Operation>;
}

const branch = (): Branch => ({ fixed: new Map(), any: undefined, operations: new Map() });

/** `/a/b.json` → `['a', 'b']`: the suffix of the 2010 API is the same on every path. */
function segments(path: string): string[] {
  return path.slice(1, path.endsWith('.json') ? -5 : undefined).split('/');
}

export class OperationTable {
  readonly byId = new Map<string, Operation>();
  /** The first segment is the product. */
  readonly #root = branch();

  constructor() {
    for (const [product, document] of loadDocuments()) {
      for (const [template, item] of Object.entries(document.paths)) {
        for (const method of ['GET', 'POST', 'DELETE'] as const) {
          const raw = item[method.toLowerCase()];
          if (raw !== undefined) this.#add(new Operation(product, template, method, raw));
        }
      }
    }
  }

  #add(operation: Operation): void {
    if (this.byId.has(operation.id)) throw new Error(`Two operations are called ${operation.id}`);
    this.byId.set(operation.id, operation);
    let at = this.#root;
    for (const segment of segments(`/${operation.product}${operation.template}`)) {
      if (segment.startsWith('{')) at = at.any ??= branch();
      else {
        const next = at.fixed.get(segment) ?? branch();
        at.fixed.set(segment, next);
        at = next;
      }
    }
    at.operations.set(operation.method, operation);
  }

  /** The operation of a method and a path (product first), with the values in the path; undefined when Twilio has none there. */
  find(method: string, path: string): { operation: Operation; params: Record<string, string | undefined> } | undefined {
    let at = this.#root;
    const values: string[] = [];
    for (const segment of segments(path)) {
      const fixed = at.fixed.get(segment);
      if (fixed === undefined) values.push(segment);
      const next = fixed ?? at.any;
      if (next === undefined) return undefined;
      at = next;
    }
    const operation = at.operations.get(method);
    if (operation === undefined) return undefined;
    const params: Record<string, string | undefined> = {};
    operation.pathNames.forEach((name, index) => (params[name] = values[index]));
    return { operation, params };
  }
}

let table: OperationTable | undefined;

/** The table, read once for the process. */
export function operationTable(): OperationTable {
  return (table ??= new OperationTable());
}
