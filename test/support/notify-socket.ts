/** A datagram socket as systemd has one, which Node cannot open: Perl, a part of every Debian, listens on it. */
import { spawn } from "node:child_process";
import type { Scope } from "./scope.ts";
import { until } from "./wait.ts";

/** What came in. */
export interface NotifySocket {
  /** For `NOTIFY_SOCKET`. */
  readonly name: string;
  /** The messages, each with its assignments; without those that only ask whether everything before them was read. */
  readonly messages: readonly (readonly string[])[];
}

/** One line of hexadecimal digits for each datagram. A name that begins with `@` is in the abstract name space. */
const LISTENER = `
  use Socket; $| = 1;
  my $name = $ARGV[0]; $name =~ s/^@/\\0/;
  socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die $!;
  bind($socket, pack_sockaddr_un($name)) or die $!;
  chmod 0777, $name;
  print "\\n";
  while (defined recv($socket, my $message, 65536, 0)) { print unpack("H*", $message), "\\n"; }
`;

/** Listens until the test is over. */
export async function useNotifySocket(t: Scope, name: string): Promise<NotifySocket> {
  const child = spawn("perl", ["-e", LISTENER, name], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => void child.kill("SIGKILL"));
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  await until("perl listens", () => {
    if (child.exitCode !== null) throw new Error(`perl ended with ${child.exitCode}`);
    return text.startsWith("\n");
  });
  return {
    name,
    get messages() {
      return text
        .slice(1, text.lastIndexOf("\n") + 1)
        .split("\n")
        .filter(Boolean)
        .map((hex) => Buffer.from(hex, "hex").toString().split("\n").filter(Boolean))
        .filter(([first]) => first !== "BARRIER=1");
    },
  };
}
