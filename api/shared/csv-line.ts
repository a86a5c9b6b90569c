/** CSV as it is written: RFC 4180. */

/** A spreadsheet runs what looks like a formula; a phone number with its plus sign is none. */
const cell = (value: string | number | boolean | null | undefined): string => {
  const written = String(value ?? '').replace(/^(?=[=@\t\r]|[+-](?!\d+$))/, "'");
  return /[",\r\n]/.test(written) ? `"${written.replaceAll('"', '""')}"` : written;
};

/** One line with its end. */
export const csvLine = (values: readonly (string | number | boolean | null | undefined)[]): string =>
  `${values.map(cell).join()}\r\n`;
