/**
 * Hours from UTC in winter and summer, before western Canada ended its clock changes: zones of which they are the same had
 * the same clocks.
 */
export const clockOf = (timeZone: string): string =>
  ['2025-01-15T12:00:00Z', '2025-07-15T12:00:00Z']
    .map((instant) =>
      new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
        .formatToParts(new Date(instant))
        .find(({ type }) => type === 'timeZoneName'),
    )
    .map((part) => part!.value)
    .join(' ');
