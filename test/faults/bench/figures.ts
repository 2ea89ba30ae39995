/** What a run counts. */

/** One fault that was injected. */
export interface Injected {
  readonly name: string;
  /** From the moment its cause was gone until everything was settled. */
  readonly recoveryMs: number;
}

/** The figures of a run, or of one act. */
export interface Figures {
  readonly puts: number;
  readonly rotations: number;
  readonly hooks: number;
  readonly starts: number;
  readonly injected: readonly Injected[];
  readonly combinedReads: number;
  readonly resolvedReads: number;
  /** Contents that were neither live nor reported in time. */
  readonly lost: readonly string[];
  /** Hooks that named files which were not there. */
  readonly absent: readonly string[];
  /** Rotations told to a service that had taken them already. */
  readonly repeated: readonly string[];
  readonly torn: readonly string[];
  /** Ends of the daemon that nobody asked for. */
  readonly exits: readonly string[];
}

const NONE: Figures = {
  puts: 0,
  rotations: 0,
  hooks: 0,
  starts: 0,
  injected: [],
  combinedReads: 0,
  resolvedReads: 0,
  lost: [],
  absent: [],
  repeated: [],
  torn: [],
  exits: [],
};

/** Several acts together. */
export function sumOf(acts: readonly Figures[]): Figures {
  return acts.reduce(
    (sum, act) => ({
      puts: sum.puts + act.puts,
      rotations: sum.rotations + act.rotations,
      hooks: sum.hooks + act.hooks,
      starts: sum.starts + act.starts,
      injected: [...sum.injected, ...act.injected],
      combinedReads: sum.combinedReads + act.combinedReads,
      resolvedReads: sum.resolvedReads + act.resolvedReads,
      lost: [...sum.lost, ...act.lost],
      absent: [...sum.absent, ...act.absent],
      repeated: [...sum.repeated, ...act.repeated],
      torn: [...sum.torn, ...act.torn],
      exits: [...sum.exits, ...act.exits],
    }),
    NONE,
  );
}

/** Everything that must not be, in words; empty where every promise was kept. */
export function faultsOf({ lost, absent, repeated, torn, exits }: Figures): string[] {
  return [
    ...lost.map((what) => `lost: ${what}`),
    ...absent.map((what) => `a hook for files that are not there: ${what}`),
    ...repeated.map((what) => `told twice: ${what}`),
    ...torn.map((what) => `torn: ${what}`),
    ...exits.map((what) => `the daemon ended by itself: ${what}`),
  ];
}
