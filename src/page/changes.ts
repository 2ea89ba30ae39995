/** What of the page has changed since it was sent: each piece is made once, for however many pages are open. */
import { randomUUID } from "node:crypto";
import type { BundleName } from "../core/names.ts";
import { marksOf, worstFirst } from "../observe/standing.ts";
import type { BundleStatus, Status } from "../observe/status.ts";
import { detailsOf, MOST_WITH_DETAILS } from "./document.ts";
import { countList, nodeSection, serviceTable, titleOf } from "./node.ts";
import type { OnDisk } from "./reloads.ts";
import { bundleRow, sightOf } from "./row.ts";

/** Where the pieces come from. */
export interface PageSources {
  readonly status: () => Status;
  readonly onDisk: (name: BundleName) => OnDisk | undefined;
  readonly now: () => Date;
}

/** What one message to a page holds. */
interface PageUpdate {
  readonly now: string;
  readonly version: string;
  readonly title: string;
  /** Markup by the id of what it goes into. */
  readonly parts: Readonly<Record<string, string>>;
  /** Every bundle, as they are listed; null where that has not changed. */
  readonly order: readonly BundleName[] | null;
  /** Markup of rows, with what opens below them where they are few. */
  readonly bundles: Readonly<Record<string, string>>;
}

interface Row {
  readonly bundle: BundleStatus;
  /** What was so of it: a certificate expires without a word from anybody. */
  readonly marks: string;
  readonly changedAt: number;
  /** Made when a page needs it first: with its details, and without. */
  readonly markup: Map<boolean, string>;
}

const BEFORE_ALL = -1;
const MOST_MESSAGES = 8;

/** Follows the status; a place in it is a text, and what came after a place is a message. */
export class PageChanges {
  readonly #sources: PageSources;
  /** A place of before a restart says nothing. */
  readonly #run = randomUUID().slice(0, 8);
  readonly #parts = new Map<string, { readonly markup: string; readonly changedAt: number }>();
  readonly #rows = new Map<BundleName, Row>();
  readonly #messages = new Map<number, Buffer>();
  #configured: Status["configured"] = [];
  #order = { names: [] as readonly BundleName[], changedAt: 0 };
  #version = 0;
  #status: Status;

  constructor(sources: PageSources) {
    this.#sources = sources;
    this.#status = sources.status();
  }

  /** Where it is now. */
  get place(): string {
    return `${this.#run}-${this.#version}`;
  }

  /** Takes in what is so now. */
  refresh(): void {
    const status = this.#sources.status();
    const now = this.#sources.now();
    this.#status = status;
    const next = this.#version + 1;
    // They say what the time is, by which a page tells how long ago everything was.
    this.#messages.clear();
    let isChanged = false;
    const setPart = (id: string, markup: string) => {
      if (this.#parts.get(id)?.markup === markup) return;
      this.#parts.set(id, { markup, changedAt: next });
      isChanged = true;
    };
    setPart("node", nodeSection(status).toString());
    setPart("counts", countList(status, now).toString());
    setPart("services", String(serviceTable(status) ?? ""));
    const order = worstFirst(status.bundles, now).map(({ name }) => name);
    if (order.join(" ") !== this.#order.names.join(" ")) {
      this.#order = { names: order, changedAt: next };
      isChanged = true;
    }
    if (this.#takeRows(status, now, next)) isChanged = true;
    if (isChanged) this.#version = next;
  }

  /** What came after the place, as one event of a stream; undefined for nothing. */
  since(place: string): Buffer | undefined {
    const from = this.#versionAt(place);
    if (from === this.#version) return undefined;
    const known = this.#messages.get(from);
    if (known !== undefined) return known;
    const data = JSON.stringify(this.#updateSince(from));
    const message = Buffer.from(`event: update\nid: ${this.place}\ndata: ${data}\n\n`);
    // Pages are at one place or two; whoever asks for many by hand does not make this grow.
    if (this.#messages.size >= MOST_MESSAGES) this.#messages.clear();
    this.#messages.set(from, message);
    return message;
  }

  /** Before everything where the place says nothing. */
  #versionAt(place: string): number {
    const [, run, version = ""] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(place) ?? [];
    return run === this.#run && Number(version) <= this.#version ? Number(version) : BEFORE_ALL;
  }

  #takeRows(status: Status, now: Date, next: number): boolean {
    let isChanged = status.configured !== this.#configured;
    this.#configured = status.configured;
    const isAllNew = isChanged;
    for (const bundle of status.bundles) {
      const marks = marksOf(bundle, now).join();
      const known = this.#rows.get(bundle.name);
      if (!isAllNew && known?.bundle === bundle && known.marks === marks) continue;
      this.#rows.set(bundle.name, { bundle, marks, changedAt: next, markup: new Map() });
      isChanged = true;
    }
    const names = new Set(status.bundles.map(({ name }) => name));
    for (const name of this.#rows.keys()) if (!names.has(name)) this.#rows.delete(name);
    return isChanged;
  }

  #updateSince(from: number): PageUpdate {
    const isNew = ({ changedAt }: { readonly changedAt: number }) => changedAt > from;
    const parts = [...this.#parts].filter(([, part]) => isNew(part));
    const rows = [...this.#rows].filter(([, row]) => isNew(row));
    const isWhole = rows.length <= MOST_WITH_DETAILS;
    return {
      now: this.#sources.now().toISOString(),
      version: this.#status.version,
      title: titleOf(this.#status),
      parts: Object.fromEntries(parts.map(([id, { markup }]) => [id, markup])),
      order: isNew(this.#order) ? this.#order.names : null,
      bundles: Object.fromEntries(rows.map(([name, row]) => [name, this.#markupOf(row, isWhole)])),
    };
  }

  #markupOf({ bundle, markup }: Row, isWhole: boolean): string {
    const known = markup.get(isWhole);
    if (known !== undefined) return known;
    const now = this.#sources.now();
    const { onDisk } = this.#sources;
    const details = isWhole ? detailsOf(bundle, { status: this.#status, now, onDisk }) : null;
    const made = bundleRow(sightOf(bundle, now), { hidden: false, details }).toString();
    markup.set(isWhole, made);
    return made;
  }
}
