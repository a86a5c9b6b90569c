/** What an error of the Twilio SDK means for whoever asked. */

/** Twilio refused the request as it is: asking again will not help. */
export interface Refusal {
  status: number;
  /** Twilio's error code, 0 if it gave none. */
  code: number;
  /** Twilio's words; they may repeat what was sent, so they go neither to logs nor to workflow histories. */
  message: string;
}

/**
 * The refusal, or null when asking again may help: too many requests, a server error, no answer; something made a moment
 * ago that is not there yet (404) or in use (409); and wrong credentials (401, 403), which are not about the request and
 * are mended by whoever runs this.
 */
export function refusalOf(error: unknown): Refusal | null {
  const { status, code, message } = error as { status?: unknown; code?: unknown; message?: unknown };
  if (status !== 400 && status !== 422) return null;
  return { status, code: typeof code === 'number' ? code : 0, message: String(message) };
}

/** Whether Twilio says that there is no such thing. */
export const isNotFound = (error: unknown): boolean => (error as { status?: unknown }).status === 404;

/** What Twilio answers, or null when it says that there is no such thing. */
export async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

/** Why a brand or a campaign was rejected. */
export interface ComplianceError {
  code: number;
  /** Twilio's names of what was submitted, such as `MESSAGE_FLOW`. */
  fields: string[];
  description?: string;
}

/** The `errors` of a brand or a campaign. */
export function complianceErrors(errors: unknown): ComplianceError[] {
  const listed = (errors ?? []) as { error_code?: number | string; fields?: string[]; description?: string }[];
  return listed.map(({ error_code: code, fields, description }) => {
    const error: ComplianceError = { code: Number(code ?? 0), fields: fields ?? [] };
    if (description !== undefined) error.description = description;
    return error;
  });
}
