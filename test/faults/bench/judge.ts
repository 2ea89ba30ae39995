/** Judges from outside, by what etcd acknowledged: status, files, and handshakes have to say the same. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BundleStatus } from "../../../src/observe/status.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { until } from "../../support/wait.ts";
import { markOf } from "./content.ts";
import type { Line } from "./line.ts";
import type { NodeUnderTest } from "./node.ts";
import type { ServiceUnderTest } from "./service.ts";
import type { HookSeen } from "./service-program.ts";

/** What is to be settled: the newest content of each bundle at some moment, by its place in the line. */
type Due = ReadonlyMap<Line, number>;

/** A judge. */
export interface Judge {
  /** What etcd has acknowledged by now. */
  due(): Due;
  /**
   * Waits until each of these contents, or a later one, is live or reported as rejected, and is what is served.
   *
   * @returns what is not after all the time a node may take, in words; empty where nothing was lost.
   */
  settle(due: Due): Promise<string[]>;
  /** Notes a hook, and finds fault with it. */
  readonly hooks: HookCount;
  note(service: ServiceUnderTest, seen: HookSeen): void;
}

/** Hooks so far. */
interface HookCount {
  count: number;
  /** Rotations that a service took. */
  rotations: number;
  /** Hooks that named files which were not there, in words. */
  readonly absent: string[];
  /** Hooks for a rotation to what the service had taken and the daemon had called live, in words. */
  readonly repeated: string[];
}

/** Longer than any wait between two attempts of the daemon. */
const PATIENCE_MS = 90_000;
const LOOK_EVERY_MS = 40;
const NEVER = new AbortController().signal;

/** Sets one up over these bundles. */
export function createJudge(
  lines: readonly Line[],
  node: NodeUnderTest,
  services: readonly ServiceUnderTest[],
): Judge {
  /** Marks of what services were told, by digest. */
  const marks = new Map<string, string>();
  /** What each service took last of each bundle. */
  const taken = new Map<string, string>();
  const hooks: HookCount = { count: 0, rotations: 0, absent: [], repeated: [] };
  const serviceOf = ({ maker }: Line) => services.find(({ bundles }) => bundles.includes(maker.name));

  const isDone = async (line: Line, place: number, seen: BundleStatus | undefined): Promise<boolean> => {
    if (seen === undefined) return false;
    const isLater = (mark: string) => line.placeOf(mark) >= place;
    switch (seen.state) {
      case "rejected":
        return marksIn(seen).some(isLater) && serves(line, seen);
      case "deleted":
        return line.placeOf("") >= place;
      case "rolledBack":
      case "quarantined": {
        const mark = marks.get(seen.quarantine?.digest ?? "");
        return mark !== undefined && isLater(mark) && hadReason(line, mark) && serves(line, seen);
      }
      default: {
        const mark = seen.live ? markOnDisk(node.outputDir, line, seen) : undefined;
        return mark !== undefined && isLater(mark) && serves(line, seen);
      }
    }
  };

  /** A rollback is right where the service was in trouble after the content was put, and only there. */
  const hadReason = (line: Line, mark: string) => {
    const atMs = line.first(mark)?.atMs ?? 0;
    return (serviceOf(line)?.troubledAtMs() ?? -1) >= atMs;
  };

  /** What a new session gets is what the status calls current, or something newer that came since. */
  const serves = async (line: Line, seen: BundleStatus): Promise<boolean> => {
    const service = serviceOf(line);
    if (service === undefined || line.maker.shape === "trust" || seen.generation === null) return true;
    const place = line.placeOf(markOnDisk(node.outputDir, line, seen) ?? "?");
    const served = line.placeOf((await service.served(line.maker.name)) ?? "?");
    return served >= place && line.acknowledged[served]?.fate === "good";
  };

  return {
    hooks,
    due: () => new Map(lines.map((line) => [line, line.acknowledged.length - 1])),
    settle: async (due) => {
      const open = new Map(due);
      const look = async () => {
        const bundles = (await node.status())?.bundles ?? [];
        for (const [line, place] of open) {
          const seen = bundles.find(({ name }) => name === line.maker.name);
          if (place < 0 || (await isDone(line, place, seen))) open.delete(line);
        }
        if (open.size === 0) return true;
        // A status is not for free, and the node has better things to do.
        await systemClock.sleep(LOOK_EVERY_MS, NEVER);
        return false;
      };
      try {
        await until("everything is settled", look, PATIENCE_MS);
        return [];
      } catch {
        const bundles = (await node.status())?.bundles ?? [];
        return [...open].map(([line, place]) => {
          const { name } = line.maker;
          const { mark, fate } = line.acknowledged[place] ?? {};
          const seen = bundles.find((bundle) => bundle.name === name);
          return `${fate} content ${mark} of ${name} and all later ones; its status: ${JSON.stringify(seen)}`;
        });
      }
    },
    note: (service, { bundle, digest, reason, mark, absent, status }) => {
      hooks.count++;
      marks.set(digest, mark);
      for (const path of absent)
        hooks.absent.push(`${service.name} was told of ${mark}, and ${path} is not there`);
      const key = `${service.name} ${bundle}`;
      const isKnown = taken.get(key) === digest && node.lastLive(bundle) === digest;
      if (reason === "rotated" && isKnown) hooks.repeated.push(`${key}: ${mark}`);
      if (status >= 300) return;
      if (taken.get(key) !== digest) hooks.rotations++;
      taken.set(key, digest);
    },
  };
}

/** Common names in what is said of a bundle that is rejected. */
function marksIn({ name, problems }: BundleStatus): string[] {
  const pattern = new RegExp(`CN=(${name}-\\d+)`, "g");
  return problems.flatMap(({ message }) => [...message.matchAll(pattern)].map(([, mark = ""]) => mark));
}

/** The common name of what is current, as it is on disk. */
function markOnDisk(outputDir: string, { maker }: Line, { generation }: BundleStatus): string | undefined {
  const leaf = generation?.leaf?.subject.replace(/^CN=/, "");
  if (leaf !== undefined || generation === null) return leaf;
  try {
    const path = join(outputDir, maker.name, ".generations", generation.id, "ca.crt");
    return markOf(maker.name, readFileSync(path, "utf8"));
  } catch {
    // Newer content has taken its place since the status was asked for.
    return undefined;
  }
}
