/** How much work something is, in time of the processor: other processes of the machine do not count. */

/** Milliseconds of one run. */
export function costOf(task: () => void): number {
  const begin = process.cpuUsage();
  task();
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1_000;
}
