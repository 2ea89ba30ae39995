/** Every kind of fault. */
import type { Fault } from "../bench/fault.ts";
import { ACCESS_FAULTS } from "./access.ts";
import { DISK_FAULTS } from "./disk.ts";
import { ETCD_FAULTS } from "./etcd.ts";
import { LINK_FAULTS } from "./link.ts";
import { PROCESS_FAULTS } from "./process.ts";
import { SERVICE_FAULTS } from "./service.ts";

export const FAULTS: readonly Fault[] = [
  ...ETCD_FAULTS,
  ...LINK_FAULTS,
  ...ACCESS_FAULTS,
  ...PROCESS_FAULTS,
  ...SERVICE_FAULTS,
  ...DISK_FAULTS,
];
