/** The email that tells of a day's notifications, by what they are about (G3). */

/** What has happened to one thing: a conversation, a mass SMS, the registration. */
export interface DigestSubject {
  /** Oldest first. */
  titles: readonly string[];
}

const mostSubjects = 100;
const mostTitles = 10;

const more = (count: number, of: string): string[] => (count > 0 ? [`… and ${count} more ${of}`] : []);

/** The same title once, with how often. */
function countedTitles(titles: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const title of titles) counts.set(title, (counts.get(title) ?? 0) + 1);
  return [...counts].map(([title, count]) => (count === 1 ? title : `${title} (${count} times)`));
}

function subjectText({ titles }: DigestSubject): string {
  const shown = countedTitles(titles);
  return [...shown.slice(0, mostTitles), ...more(shown.length - mostTitles, 'about this')]
    .map((line, index) => (index === 0 ? `- ${line}` : `  ${line}`))
    .join('\n');
}

export function digestEmail({
  organization,
  subjects,
  link,
}: {
  organization: string;
  subjects: readonly DigestSubject[];
  /** Where all notifications are shown. */
  link: string;
}): { subject: string; text: string } {
  const count = subjects.reduce((sum, { titles }) => sum + titles.length, 0);
  const list = subjects.slice(0, mostSubjects).map(subjectText);
  const rest = more(subjects.length - mostSubjects, 'subjects');
  return {
    subject: `${organization}: ${count === 1 ? 'one notification' : `${count} notifications`} since the last digest`,
    text: `${[...list, ...rest].join('\n')}\n\nRead them: ${link}\n`,
  };
}
