/** One operation of Twilio's API: whether a request is allowed, and whether an answer of ours is one that Twilio could give. */
import type { ErrorObject, ValidateFunction } from 'ajv';
import { invalidParameter, notFound, TwilioError } from '../http/errors.ts';
import {
  answerAjv,
  closedAnswer,
  closedRequest,
  requestAjv,
  toJsonSchema,
  type Product,
  type RawOperation,
  type Schema,
} from './schema.ts';

export type Method = 'GET' | 'POST' | 'DELETE';

/** Values of one request: strings as they came in; after validation numbers, booleans, lists and parsed JSON. */
export type Values = Record<string, unknown>;

/** Parameters whose absence has an error code of its own, by operation and name. */
const MISSING: Record<string, Record<string, [code: number, message: string]>> = {
  CreateMessage: { To: [21604, "A 'To' phone number is required."] },
};

export class Operation {
  readonly id: string;
  readonly product: Product;
  readonly method: Method;
  /** Path template on Twilio's host, such as `/v1/Services/{Sid}`. */
  readonly template: string;
  /** The names in the template, in order. */
  readonly pathNames: string[];
  readonly #raw: RawOperation;
  readonly #formSchema: Schema;
  readonly #jsonFields: string[];
  /** Compiled on first use: there are more than a hundred operations, and a test uses a few. */
  readonly #checks = new Map<string, ValidateFunction>();
  readonly #answerChecks = new Map<number, ValidateFunction>();

  constructor(product: Product, template: string, method: Method, raw: RawOperation) {
    this.product = product;
    this.template = template;
    this.method = method;
    this.id = raw.operationId;
    this.#raw = raw;
    this.pathNames = [...template.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    this.#formSchema = raw.requestBody?.content['application/x-www-form-urlencoded']?.schema ?? {
      type: 'object',
      properties: {},
    };
    this.#jsonFields = Object.entries(this.#formSchema.properties ?? {})
      .filter(([, schema]) => isJson(schema.items ?? schema))
      .map(([name]) => name);
  }

  #check(part: 'path' | 'query' | 'form'): ValidateFunction {
    let check = this.#checks.get(part);
    if (check === undefined) {
      const schema = part === 'form' ? this.#formSchema : this.#parameterSchema(part);
      check = requestAjv.compile(closedRequest(toJsonSchema(this.product, schema)));
      this.#checks.set(part, check);
    }
    return check;
  }

  #parameterSchema(part: 'path' | 'query'): Schema {
    const parameters = (this.#raw.parameters ?? []).filter((parameter) => parameter.in === part);
    return {
      type: 'object',
      properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, schema])),
      required: parameters.filter(({ required }) => required).map(({ name }) => name),
    };
  }

  /**
   * Checks a request and converts its values in place to the types of the document.
   *
   * @param path for the words of an error
   * @throws {TwilioError} 404 for a path that cannot exist, otherwise 400 / 20001 naming the parameter
   */
  checkRequest(path: string, params: Values, query: Values, form: Values): void {
    if (!this.#check('path')(params)) throw notFound(path);
    const checkQuery = this.#check('query');
    if (!checkQuery(query)) throw this.#refusal('query string', checkQuery.errors);
    for (const name of this.#jsonFields) {
      if (form[name] !== undefined) form[name] = parseJson(name, form[name], this.#formSchema.properties?.[name]);
    }
    const checkForm = this.#check('form');
    if (!checkForm(form)) throw this.#refusal('post body', checkForm.errors);
  }

  #refusal(where: string, errors: ErrorObject[] | null | undefined): TwilioError {
    const error = errors?.[0];
    const params: Record<string, unknown> = error?.params ?? {};
    if (error?.keyword === 'additionalProperties') {
      const name = String(params['additionalProperty']);
      return invalidParameter(`Unknown parameter ${name} in the ${where}: ${this.id} has none of that name`);
    }
    if (error?.keyword === 'required') {
      const name = String(params['missingProperty']);
      const special = MISSING[this.id]?.[name];
      if (special !== undefined) return new TwilioError(400, ...special);
      return invalidParameter(`Missing required parameter ${name} in the ${where}`);
    }
    const name = error?.instancePath.slice(1);
    const allowed = Array.isArray(params['allowedValues']) ? `: ${params['allowedValues'].join(', ')}` : '';
    return invalidParameter(
      `Invalid parameter ${name} in the ${where}: it ${error?.message ?? 'is not valid'}${allowed}`,
    );
  }

  /** What is wrong with an answer of ours; undefined when Twilio could have given it. */
  answerFault(status: number, body: unknown): string | undefined {
    const response = this.#raw.responses[String(status)];
    if (response === undefined) return `${this.id} never answers ${status}`;
    const schema = response.content?.['application/json']?.schema;
    if (schema === undefined) return body === undefined ? undefined : `${this.id} answers ${status} without a body`;
    let check = this.#answerChecks.get(status);
    if (check === undefined) {
      check = answerAjv.compile(closedAnswer(toJsonSchema(this.product, schema)));
      this.#answerChecks.set(status, check);
    }
    if (check(body)) return undefined;
    const [error] = check.errors ?? [];
    return `${this.id} ${status} ${error?.instancePath}: ${error?.message} ${JSON.stringify(error?.params)}`;
  }
}

/** What has no type in the document is an object, and travels as JSON in one field. */
function isJson(schema: Schema): boolean {
  return schema.type === undefined && schema.$ref === undefined;
}

function parseJson(name: string, value: unknown, schema: Schema | undefined): unknown {
  try {
    // A list of one comes as one value.
    if (schema?.type === 'array') return [value].flat().map((item) => JSON.parse(String(item)) as unknown);
    return JSON.parse(String(value));
  } catch {
    throw invalidParameter(`Invalid parameter ${name} in the post body: it should be JSON`);
  }
}
