/** How long something took of this process alone: what else the machine does meanwhile counts for nothing. */

/** @returns CPU time of `work`, in milliseconds */
export function cpuMsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
