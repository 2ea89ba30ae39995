/**
 * `npm run bench:tls`: measures what hot swapping costs a server, prints the tables, and fails where a handshake with
 * keyturn failed, a stream or connection broke, or a new connection got an old certificate.
 */
import type { CloseStack } from "../../../src/runtime/close-stack.ts";
import { runProgram, sayAs } from "../../support/program.ts";
import type { Scope } from "../../support/scope.ts";
import { keepPart } from "../book.ts";
import { describeMachine, loadNow, today } from "../machine.ts";
import { type HandshakePart, handshakeFaults, memoryFaults, requestFaults } from "./faults.ts";
import { measureHandshakes } from "./handshakes.ts";
import { measureMemory } from "./memory.ts";
import { pageOf } from "./page.ts";
import { type HandshakePlan, type Plan, planOf, USAGE } from "./plan.ts";
import { measureRequests } from "./requests.ts";
import { useTurner } from "./turner.ts";

const NAME = "bench:tls";

const say = sayAs(NAME);

/** Measures everything and returns the faults. */
async function measure(plan: Plan, closes: CloseStack): Promise<string[]> {
  const [load, date] = [loadNow(), today()];
  const scope: Scope = { after: (close) => closes.push(close) };
  const stand = { turner: await useTurner(scope), scope };
  const shake = async (part: HandshakePlan): Promise<HandshakePart> => {
    say(`${part.clients} clients, ${part.rounds} rounds`);
    return { plan: part, results: await measureHandshakes(stand, part) };
  };
  const [few, crowd] = plan.handshakes;
  const handshakes = [await shake(few), await shake(crowd)] as const;
  say(`requests on ${plan.requests.connections} connections`);
  const requests = await measureRequests(stand, plan.requests);
  say(`memory after ${plan.memoryAfter.join(" and ")} swaps`);
  const memory = await measureMemory(stand, plan.memoryAfter);
  const page = pageOf({ plan, handshakes, requests, memory, machine: describeMachine(load), date });
  console.log(page);
  const faults = [
    ...handshakes.flatMap(handshakeFaults),
    ...requestFaults(requests),
    ...memoryFaults(memory),
  ];
  if (plan.write && faults.length === 0) keepPart("npm run bench:tls", page);
  return faults;
}

await runProgram({ name: NAME, usage: USAGE, optionsOf: planOf, run: measure });
