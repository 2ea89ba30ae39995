/** The HTTPS service behind a contender that verifies: where it is, and how it is started. */
import { connect } from "node:net";
import { freePorts } from "../../src/dev/etcd.ts";
import { until } from "../support/wait.ts";
import type { Child } from "./child.ts";
import { beginProgram } from "./contender.ts";
import type { Stand } from "./stand.ts";

/** Ports of 127.0.0.1. */
export interface ServicePorts {
  readonly hook: number;
  readonly tls: number;
}

/** Ports for a service that is not started yet: who tells it is configured first. */
export async function choosePorts(): Promise<ServicePorts> {
  const [hook = 0, tls = 0] = await freePorts(2);
  return { hook, tls };
}

/** Starts a service that serves what `file` holds at each hook, and waits until it listens. */
export async function beginService(
  stand: Stand,
  name: string,
  file: string,
  { hook, tls }: ServicePorts,
): Promise<Child> {
  const child = beginProgram(stand, "tlsService", [file, hook, tls], stand.folder(name));
  await until("the TLS service listens", async () => {
    child.check();
    return (await isOpen(tls)) && (await isOpen(hook));
  });
  return child;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
