/** Faults of the services that are told. */
import type { Draw, Fault } from "../bench/fault.ts";
import type { ServiceUnderTest } from "../bench/service.ts";
import type { Mood } from "../bench/service-program.ts";
import type { Stand } from "../bench/stand.ts";

const ANYWHERE = () => true;

export const SERVICE_FAULTS: readonly Fault[] = [
  {
    name: "a service is killed and started again",
    group: "service",
    weight: 4,
    fits: ANYWHERE,
    inject: (stand, draw) => drawService(stand, draw).beAway(() => draw.linger(1_000)),
  },
  {
    name: "a service hangs (SIGSTOP) and goes on",
    group: "service",
    weight: 2,
    fits: ANYWHERE,
    inject: (stand, draw) => drawService(stand, draw).freeze(() => draw.linger(1_500, 12_000)),
  },
  moodFault("a service is busy: it answers 503", "busy", 3),
  moodFault("a service refuses what it is told: it answers 422", "refuses", 3),
  moodFault("a service says yes, and goes on serving the old certificate", "deaf", 2),
  moodFault("a service takes its time over each hook", "slow", 2),
];

function moodFault(name: string, mood: Mood, weight: number): Fault {
  return {
    name,
    group: "service",
    weight,
    fits: ANYWHERE,
    inject: (stand, draw) => drawService(stand, draw).feel(mood, () => draw.linger(1_500, 8_000)),
  };
}

function drawService({ services }: Stand, { dice }: Draw): ServiceUnderTest {
  const [first, ...others] = services;
  if (first === undefined) throw new Error("there is no service on this stand");
  return dice.pick([first, ...others]);
}
