/** When the daily digest goes out. For activities only: it reads zone data. */
import { instantOf, localTime } from '../send-window.ts';

/**
 * The first digest after something happened: local clocks show `time` then. A time that a clock change skips becomes the
 * instant of the change; one that occurs twice, its first occurrence.
 *
 * @param time `HH:MM`
 */
export function nextDigestAt(after: Date, time: string, timeZone: string): Date {
  const day = localTime(after, timeZone).startOf('day');
  const today = instantOf(day, time).toJSDate();
  return today > after ? today : instantOf(day.plus({ days: 1 }).startOf('day'), time).toJSDate();
}
