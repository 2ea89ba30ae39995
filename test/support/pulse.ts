/** Whether a daemon goes on answering: asks for its health again and again, for as long as a test does something else. */

/** A probe that gets no answer in this time is one that an orchestrator ends the daemon over. */
const DEADLINE_MS = 10_000;

/** Asks while `work` goes on. Gives how many probes were answered; throws where one was not. */
export async function probeDuring(adminUrl: string, work: () => Promise<void>): Promise<number> {
  let isOver = false;
  let answered = 0;
  const probe = async () => {
    while (!isOver) {
      const { status } = await fetch(`${adminUrl}/healthz`, { signal: AbortSignal.timeout(DEADLINE_MS) });
      if (status !== 200) throw new Error(`/healthz answered ${status} after ${answered} good answers`);
      answered++;
    }
  };
  const working = work().finally(() => {
    isOver = true;
  });
  await Promise.all([probe(), working]);
  return answered;
}
