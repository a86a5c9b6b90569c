/**
 * Twilio's errors: one class for all of them, and the ones that more than one resource answers.
 * Codes are those of https://www.twilio.com/docs/api/errors; the texts follow Twilio's but are not verbatim.
 */

/** An error answer of Twilio's API: `{ code, message, more_info, status }`. */
export class TwilioError extends Error {
  override name = 'TwilioError';
  readonly status: number;
  readonly code: number;
  readonly detail: string | undefined;

  /**
   * @param status the HTTP status
   * @param code Twilio's error code
   * @param message what went wrong
   * @param detail a second sentence, which Twilio adds to 401 answers
   */
  constructor(status: number, code: number, message: string, detail?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.detail = detail;
  }

  /** The body as Twilio writes it. */
  toJSON(): Record<string, unknown> {
    return {
      code: this.code,
      ...(this.detail === undefined ? {} : { detail: this.detail }),
      message: this.message,
      more_info: `https://www.twilio.com/docs/errors/${this.code}`,
      status: this.status,
    };
  }
}

/** 401 / 20003: no or wrong credentials, or a closed account. */
export function unauthorized(): TwilioError {
  return new TwilioError(401, 20003, 'Authenticate', 'Your AccountSid or AuthToken was incorrect.');
}

/** 404 / 20404: nothing at this path, or nothing the account may see. */
export function notFound(path: string): TwilioError {
  return new TwilioError(404, 20404, `The requested resource ${path} was not found`);
}

/** 400 / 20001: a parameter that Twilio's OpenAPI document does not allow. */
export function invalidParameter(message: string): TwilioError {
  return new TwilioError(400, 20001, message);
}

/** 429 / 20429: too many concurrent requests; the request was not processed. */
export function tooManyRequests(): TwilioError {
  return new TwilioError(429, 20429, 'Too Many Requests');
}

/** 500 / 20500: whether the request was processed is not known to the caller. */
export function internalError(message = 'An internal server error has occurred'): TwilioError {
  return new TwilioError(500, 20500, message);
}

/** 501 / 20501: an operation of the OpenAPI document that the simulator does not model. */
export function notModelled(what: string): TwilioError {
  return new TwilioError(501, 20501, `${what} is part of Twilio's API, but the simulator does not model it`);
}
