/** One bundle with its service, turned again and again; each turn is looked at from outside before the next begins. */
import { X509Certificate } from "node:crypto";
import { request } from "node:http";
import { text as readText } from "node:stream/consumers";
import { type Minted, mint } from "../../support/mint.ts";
import type { Dice } from "../dice.ts";
import type { Node } from "./node.ts";
import type { Service } from "./service.ts";

/** What lanes share. */
export interface World {
  readonly node: Node;
  readonly token: string;
  readonly root: Minted;
  readonly dice: Dice;
  /** Gives the revision. */
  put(key: string, value: string): Promise<number>;
  delete(key: string): Promise<void>;
  /** True where there is one more rotation to be made. */
  takeRotation(): boolean;
}

/** How often each thing was done. */
export interface Tally {
  rotations: number;
  replays: number;
  rejections: number;
  rollbacks: number;
  guests: number;
}

/** In the name of every bundle that comes and goes. */
export const GUEST = "guest";

/** Of a hundred turns. */
const REPLAYS = 10;
const REJECTIONS = 8;
const ROLLBACKS = 4;
const GUESTS = 4;

/** A lane. */
export class Lane {
  readonly tally: Tally = { rotations: 0, replays: 0, rejections: 0, rollbacks: 0, guests: 0 };
  readonly #name: string;
  readonly #service: Service;
  readonly #world: World;
  /** What was put last, good or not. */
  #put = "";
  /** What is served, and what would be after a way back. */
  #served = "";
  #before: string | null = null;

  constructor(name: string, service: Service, world: World) {
    this.#name = name;
    this.#service = service;
    this.#world = world;
  }

  /** Turns until there is no rotation left. */
  async drive(): Promise<void> {
    while (this.#world.takeRotation()) {
      await this.#rotate();
      for (const side of this.#draw()) await side();
    }
    // Whatever was put last, in the end it is the newest content that is served.
    await this.#rotate();
  }

  /** Hooks that were sent, beyond one for each rotation and one for each way back. */
  get surplusHooks(): number {
    return this.#service.hooks() - this.tally.rotations - this.tally.rollbacks;
  }

  /** What comes beside a rotation: mostly nothing. */
  #draw(): (() => Promise<void>)[] {
    const drawn = this.#world.dice.below(100);
    const sides: [number, () => Promise<void>][] = [
      [REPLAYS, () => this.#replay()],
      [REJECTIONS, () => this.#reject()],
      [ROLLBACKS, () => this.#rollBack()],
      [GUESTS, () => this.#guest()],
    ];
    let upTo = 0;
    for (const [share, side] of sides) {
      upTo += share;
      if (drawn < upTo) return [side];
    }
    return [];
  }

  async #rotate(): Promise<void> {
    const { node, root, put } = this.#world;
    const leaf = mint({ issuer: root, names: [`${this.#name}.local`] });
    this.#put = leaf.pem + leaf.keyPem + root.pem;
    const revision = await put(this.#key, this.#put);
    await node.until(this.#name, `revision ${revision} is live`, ({ live }) => live >= revision);
    this.#before = this.#served || null;
    this.#served = fingerprintOf(leaf);
    this.tally.rotations++;
    await this.#look("rotating");
  }

  /** The same content with another comment: nothing at all is to come of it, which {@link surplusHooks} shows. */
  async #replay(): Promise<void> {
    await this.#world.put(this.#key, `# put again at ${this.tally.replays}\n${this.#put}`);
    this.tally.replays++;
  }

  /** A leaf with the key of another. */
  async #reject(): Promise<void> {
    const { node, root, put } = this.#world;
    const [leaf, other] = [mint({ issuer: root }), mint({ issuer: root })];
    const revision = await put(this.#key, leaf.pem + other.keyPem + root.pem);
    await node.until(this.#name, "it is rejected", ({ rejected }) => rejected >= revision);
    this.tally.rejections++;
    await this.#look("a rejection");
  }

  async #rollBack(): Promise<void> {
    if (this.#before === null) return;
    const { node, token } = this.#world;
    await post(`${node.adminUrl}/-/bundles/${this.#name}/rollback`, token);
    this.#served = this.#before;
    this.#before = null;
    this.tally.rollbacks++;
    await this.#look("a way back");
  }

  /** A bundle of a name that never was before and never comes again. */
  async #guest(): Promise<void> {
    const { node, root } = this.#world;
    const guest = `${this.#name}-${GUEST}-${this.tally.guests++}`;
    const leaf = mint({ issuer: root });
    const key = `/certs/${guest}.pem`;
    const revision = await this.#world.put(key, leaf.pem + leaf.keyPem + root.pem);
    await node.until(guest, "it is live", ({ live }) => live >= revision);
    await this.#world.delete(key);
    await node.until(guest, "it is gone", ({ removed }) => removed === 1);
    node.forget(guest);
  }

  async #look(after: string): Promise<void> {
    const seen = await this.#service.served(this.#world.root.pem);
    if (seen !== this.#served)
      throw new Error(`${this.#name} serves ${seen} after ${after}, not ${this.#served}`);
  }

  get #key(): string {
    return `/certs/${this.#name}.pem`;
  }
}

function fingerprintOf({ der }: Minted): string {
  return new X509Certificate(der).fingerprint256;
}

function post(url: string, token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      { method: "POST", headers: { authorization: `Bearer ${token}` } },
      (response) => {
        readText(response).then((text) => {
          if (response.statusCode === 200) resolve();
          else reject(new Error(`${url} answered ${response.statusCode}: ${text}`));
        }, reject);
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}
