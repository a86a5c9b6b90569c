/** The day by which carriers count a brand's segments: that of the Pacific coast. */
import { localTime } from '../send-window.ts';

const carrierTimeZone = 'America/Los_Angeles';

export interface CarrierDay {
  /** `YYYY-MM-DD`. */
  date: string;
  /** When the next one begins. */
  ends: Date;
}

export function carrierDay(instant: Date): CarrierDay {
  const local = localTime(instant, carrierTimeZone);
  return { date: local.toISODate()!, ends: local.plus({ days: 1 }).startOf('day').toJSDate() };
}
