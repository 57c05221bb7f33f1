/** `<openai-chatkit>`: the contract of `@openai/chatkit`'s types around a `Chat` and its view. */
import type { ChatKitOptions } from "@openai/chatkit";
import { render } from "lit-html";
import { Chat } from "./chat";
import styles from "./styles";
import { themeOf, themeProperties } from "./theme";
import type { ComposerValue, OutgoingMessage } from "./types";
import { chatView } from "./view/chat";

/** Nearer to the end than this, new words keep the end in sight. */
const NEAR_END_PX = 120;

export class ChatKitStandIn extends HTMLElement {
  readonly #root: ShadowRoot;
  #chat: Chat | null = null;
  #drawing = false;
  #follow = true;
  /** Where the focus was before the history opened over it. */
  #before: Element | null = null;

  constructor() {
    super();
    this.#root = this.attachShadow({ mode: "open" });
    this.#root.adoptedStyleSheets = styles();
    // Scrolling does not bubble, but it can be caught on its way down.
    this.#root.addEventListener("scroll", () => this.#noticeScroll(), {
      capture: true,
      passive: true,
    });
  }

  setOptions(options: ChatKitOptions): void {
    const theme = themeOf(options);
    this.dataset.scheme = theme.colorScheme ?? "light";
    for (const [name, value] of Object.entries(themeProperties(theme))) {
      if (value === undefined) this.style.removeProperty(name);
      else this.style.setProperty(name, value);
    }
    if (this.#chat) {
      this.#chat.setOptions(options);
      return;
    }
    const chat = new Chat(options, {
      changed: () => this.#draw(),
      emit: (event, detail) => this.#emit(event, detail),
      focusComposer: (caret) => this.#focusComposer(caret),
      scrollToEnd: () => this.#scrollToEnd(),
    });
    this.#chat = chat;
    this.#draw();
    queueMicrotask(() => {
      this.#emit("ready");
      if (options.initialThread) void chat.openThread(options.initialThread);
    });
  }

  async focusComposer(): Promise<void> {
    this.#focusComposer();
  }

  async setThreadId(threadId: string | null): Promise<void> {
    await this.#ready.openThread(threadId);
  }

  async sendUserMessage(message: OutgoingMessage): Promise<void> {
    await this.#ready.sendUserMessage(message);
  }

  async setComposerValue(value: ComposerValue): Promise<void> {
    this.#ready.editor.setValue(value);
  }

  async sendCustomAction(action: { type: string; payload?: Record<string, unknown> }, id?: string) {
    await this.#ready.actions.send(action, id, true);
  }

  async fetchUpdates(): Promise<void> {
    await this.#ready.fetchUpdates();
  }

  async showHistory(): Promise<void> {
    this.#ready.showHistory();
  }

  async hideHistory(): Promise<void> {
    this.#ready.hideHistory();
  }

  get #ready(): Chat {
    if (!this.#chat) throw new Error("Call setOptions first.");
    return this.#chat;
  }

  #emit(event: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(`chatkit.${event}`, { detail }));
  }

  /** Draws once a frame, however often something changes. */
  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    nextFrame(() => {
      this.#drawing = false;
      if (!this.#chat) return;
      const scroller = this.#scroller;
      if (scroller) {
        const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
        if (below > NEAR_END_PX) this.#follow = false;
        else if (below < 4) this.#follow = true;
      }
      const opens = this.#chat.history.open && !this.#root.querySelector(".history");
      const closes = !this.#chat.history.open && this.#root.querySelector(".history");
      const focused = this.#root.activeElement;
      const row = focused?.closest(".history li");
      if (opens) this.#before = focused;
      render(chatView(this.#chat, this), this.#root);
      if (closes && this.#before instanceof HTMLElement) this.#before.focus();
      else if (row && !focused?.isConnected) {
        // What was pressed is gone: go on in its row, or without one at the panel's beginning.
        const next = row.isConnected ? row : this.#root.querySelector(".history");
        next?.querySelector("button")?.focus();
      }
      const { autoScroll = false } = this.#chat.options.thread ?? {};
      if (this.#follow && autoScroll) this.#scrollNow();
    });
  }

  get #scroller(): HTMLElement | null {
    return this.#root.querySelector<HTMLElement>("[data-scroller]");
  }

  /** Further from the end than this, there is a way back to it. */
  #noticeScroll(): void {
    const scroller = this.#scroller;
    if (!scroller) return;
    const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
    this.toggleAttribute("data-away", below > scroller.clientHeight / 2);
  }

  #scrollToEnd(): void {
    this.#follow = true;
    this.#draw();
    nextFrame(() => this.#scrollNow());
  }

  #scrollNow(): void {
    const scroller = this.#scroller;
    if (scroller) scroller.scrollTop = scroller.scrollHeight;
  }

  #focusComposer(caret?: number): void {
    nextFrame(() => {
      const field = this.#root.querySelector<HTMLTextAreaElement>("textarea[data-composer]");
      field?.focus();
      if (caret !== undefined) field?.setSelectionRange(caret, caret);
    });
  }
}

/** A hidden tab gets no animation frames, and its answers must be drawn all the same. */
function nextFrame(callback: () => void): void {
  if (document.visibilityState === "hidden") setTimeout(callback, 50);
  else requestAnimationFrame(callback);
}
