/** `<openai-chatkit>` with the options, methods and events of `@openai/chatkit`. */
import type { ChatKitOptions } from "@openai/chatkit";
import { render } from "lit-html";
import { Chat } from "./chat";
import styles from "./styles";
import { themeOf, themeProperties } from "./theme";
import type { ComposerValue, OutgoingMessage } from "./types";
import { chatView } from "./view/chat";

/** When the thread is scrolled to within this distance of its end, it follows new words. */
const NEAR_END_PX = 120;

export class ChatKitStandIn extends HTMLElement {
  readonly #root: ShadowRoot;
  #chat: Chat | null = null;
  #drawing = false;
  /** Whether new content is scrolled into view. Only a scroll of the reader changes it. */
  #follow = true;
  /** Where the thread was scrolled to when this was last looked at. */
  #top = 0;
  #watched: Element | null = null;
  readonly #sizes = new ResizeObserver(() => this.#followEnd());
  /** The element that had the focus before the history panel opened. */
  #before: Element | null = null;

  constructor() {
    super();
    this.#root = this.attachShadow({ mode: "open" });
    this.#root.adoptedStyleSheets = styles();
    // Scroll events do not bubble, so this listens in the capture phase.
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

  /** Draws at most once a frame. */
  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    nextFrame(() => {
      this.#drawing = false;
      if (!this.#chat) return;
      this.#noticeScroll();
      const opens = this.#chat.history.open && !this.#root.querySelector(".history");
      const closes = !this.#chat.history.open && this.#root.querySelector(".history");
      const focused = this.#root.activeElement;
      const row = focused?.closest(".history li");
      if (opens) this.#before = focused;
      render(chatView(this.#chat, this), this.#root);
      if (closes && this.#before instanceof HTMLElement) this.#before.focus();
      else if (row && !focused?.isConnected) {
        // The focused button was removed: focus the first one in its row, or in the panel.
        const next = row.isConnected ? row : this.#root.querySelector(".history");
        next?.querySelector("button")?.focus();
      }
      this.#watchSizes();
      this.#followEnd();
    });
  }

  /** Images load and the composer grows between two draws. */
  #watchSizes(): void {
    const scroller = this.#scroller;
    if (scroller === this.#watched) return;
    this.#watched = scroller;
    this.#sizes.disconnect();
    if (!scroller) return;
    this.#sizes.observe(scroller);
    for (const child of scroller.children) this.#sizes.observe(child);
  }

  #followEnd(): void {
    const { autoScroll = false } = this.#chat?.options.thread ?? {};
    if (this.#follow && autoScroll) this.#scrollNow();
    this.#noticeScroll();
  }

  get #scroller(): HTMLElement | null {
    return this.#root.querySelector<HTMLElement>("[data-scroller]");
  }

  /**
   * A reader who scrolls up and away from the end is not followed any more. Content that grows
   * leaves `scrollTop` as it was. Half a screen from the end, a button leads back to it.
   */
  #noticeScroll(): void {
    const scroller = this.#scroller;
    if (!scroller) return;
    const { scrollTop, clientHeight, scrollHeight } = scroller;
    const below = scrollHeight - scrollTop - clientHeight;
    if (below <= NEAR_END_PX) this.#follow = true;
    else if (scrollTop < this.#top) this.#follow = false;
    this.#top = scrollTop;
    this.toggleAttribute("data-away", below > clientHeight / 2);
  }

  #scrollToEnd(): void {
    this.#follow = true;
    this.#draw();
    nextFrame(() => this.#scrollNow());
  }

  #scrollNow(): void {
    const scroller = this.#scroller;
    if (!scroller) return;
    scroller.scrollTop = scroller.scrollHeight;
    this.#top = scroller.scrollTop;
  }

  #focusComposer(caret?: number): void {
    nextFrame(() => {
      const field = this.#root.querySelector<HTMLTextAreaElement>("textarea[data-composer]");
      field?.focus();
      if (caret !== undefined) field?.setSelectionRange(caret, caret);
    });
  }
}

/** Browsers give no animation frames to a hidden tab, so this uses a timer there. */
function nextFrame(callback: () => void): void {
  if (document.visibilityState === "hidden") setTimeout(callback, 50);
  else requestAnimationFrame(callback);
}
