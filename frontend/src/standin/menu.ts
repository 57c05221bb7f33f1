/** The menu above the composer: mentions after `@`, commands after `/`. */
import type { ChatKitOptions, Command, Entity } from "@openai/chatkit";
import { wordAt } from "./composer";

export type Entry =
  | { kind: "entity"; entity: Entity; label: string; group?: string; icon?: string }
  | { kind: "command"; command: Command; label: string; group?: string; icon?: string };

export class Menu {
  entries: Entry[] = [];
  active = 0;
  /** The position in the text of the word that a choice replaces. */
  start = 0;
  end = 0;

  readonly #options: () => ChatKitOptions;
  readonly #changed: () => void;
  #asked = 0;

  constructor(options: () => ChatKitOptions, changed: () => void) {
    this.#options = options;
    this.#changed = changed;
  }

  get open(): boolean {
    return this.entries.length > 0;
  }

  get current(): Entry | undefined {
    return this.entries[this.active];
  }

  move(by: number): void {
    const count = this.entries.length;
    this.active = (this.active + by + count) % count;
    this.#changed();
  }

  close(): void {
    this.#asked += 1;
    if (!this.open) return;
    this.entries = [];
    this.#changed();
  }

  show(entries: Entry[]): void {
    this.entries = entries;
    this.active = 0;
    this.#changed();
  }

  /** Reads the word before the caret and asks the page for matches. */
  async follow(text: string, caret: number): Promise<void> {
    const { entities, commands } = this.#options();
    this.#asked += 1;
    const asked = this.#asked;
    const mention = entities?.onTagSearch ? wordAt(text, caret, "@") : null;
    const command = commands?.enabled && commands.onSearch ? wordAt(text, caret, "/") : null;
    const word = mention ?? command;
    if (!word) return this.close();
    let entries: Entry[] = [];
    try {
      if (mention) {
        const found = (await entities?.onTagSearch?.(word.query)) ?? [];
        entries = found.map((entity) => ({
          kind: "entity",
          entity,
          label: entity.title,
          group: entity.group,
          icon: entity.icon,
        }));
      } else {
        entries = commandEntries((await commands?.onSearch?.(word.query)) ?? []);
      }
    } catch {
      // The page's search failed: show no menu, and do not disturb the typing.
    }
    if (asked !== this.#asked) return;
    this.start = word.start;
    this.end = caret;
    this.show(entries.slice(0, 20));
  }
}

export const commandEntries = (commands: readonly Command[]): Entry[] =>
  commands.map((command) => ({
    kind: "command",
    command,
    label: command.label,
    group: command.group,
    icon: command.icon,
  }));
