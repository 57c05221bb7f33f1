/**
 * Yours to edit: the greeting, prompts, tools and commands of the page, and what the page does
 * when the assistant asks for it. The assistant itself is in `functions/assistant/`.
 */
import type { Command, SupportedLocale } from "@openai/chatkit";
import type { AssistantOptions } from "../chatkit";

export type Look = "light" | "dark" | "system";

/** What the code below can do with the page. */
export type PageActions = {
  sendCustomAction: (
    action: { type: string; payload?: Record<string, unknown> },
    itemId?: string,
  ) => Promise<void>;
  setComposerValue: (value: { text: string }) => Promise<void>;
  focusComposer: () => Promise<void>;
  setLook: (look: Look) => void;
  /** Shows one line at the top of the page for a few seconds. */
  say: (text: string) => void;
};

/** The language of ChatKit's own texts. With `undefined` it is the browser's. */
export const locale: SupportedLocale | undefined = undefined;

const look = (value: unknown): Look => (value === "light" || value === "dark" ? value : "system");

export function assistantOptions(page: () => PageActions): AssistantOptions {
  return {
    placeholder: "Ask anything, or @ to mention",
    startScreen: {
      greeting: "What shall we work on?",
      prompts: [
        { label: "Show me what you can do", prompt: "What can you do?", icon: "sparkle" },
        { label: "What time is it in Tokyo?", prompt: "What time is it in Tokyo?", icon: "clock" },
        { label: "Keep my checklist", prompt: "Show me my checklist.", icon: "check-circle" },
        {
          label: "Write a note about rivers",
          prompt: "Write a note about rivers.",
          icon: "notebook",
        },
      ],
    },
    tools: [
      {
        id: "search_conversations",
        label: "Search my conversations",
        shortLabel: "Search",
        icon: "search",
        placeholderOverride: "What are you looking for?",
      },
      { id: "calculate", label: "Calculator", icon: "square-code" },
      { id: "world_clock", label: "World clock", icon: "clock" },
    ],
    disclaimer: { text: "Answers can be wrong. Check what matters." },
    commands: {
      enabled: true,
      onSearch: async (query) =>
        COMMANDS.filter(({ label }) => label.toLowerCase().includes(query.toLowerCase())),
      onSelect: async ({ id }) => {
        if (id === "light" || id === "dark" || id === "system") page().setLook(id);
        else await page().setComposerValue({ text: PROMPTS[id] ?? "" });
      },
    },
    onEntityClick: (entity) => {
      void page().setComposerValue({ text: `Tell me more about ${entity.title}.` });
      void page().focusComposer();
    },
    onClientTool: async ({ name, params }) => {
      if (name !== "switch_theme") return { error: `This page has no tool named ${name}.` };
      page().setLook(look(params.theme));
      return { theme: look(params.theme) };
    },
    onWidgetAction: async (action, item) => {
      if (action.type !== "theme.set") return page().sendCustomAction(action, item.id);
      // The page changes its look, then tells the server, which draws the card again.
      const scheme = look(action.payload?.scheme);
      page().setLook(scheme);
      await page().sendCustomAction({ type: "theme.applied", payload: { scheme } }, item.id);
    },
  };
}

const COMMANDS: Command[] = [
  { id: "checklist", label: "Checklist", description: "Show my list", icon: "check-circle" },
  { id: "contact", label: "Contact", description: "Add a contact", icon: "user" },
  { id: "note", label: "Note", description: "Write a note", icon: "notebook" },
  { id: "light", label: "Light", group: "Appearance", icon: "lightbulb" },
  { id: "dark", label: "Dark", group: "Appearance", icon: "lightbulb" },
  { id: "system", label: "As the system", group: "Appearance", icon: "desktop" },
];

const PROMPTS: Record<string, string> = {
  checklist: "Show me my checklist.",
  contact: "I want to add a contact.",
  note: "Write a note about ",
};

/** Handles an effect that the server sent with an answer. */
export function onEffect(name: string, data: Record<string, unknown>, page: PageActions): void {
  if (name === "note_saved") page.say(`Saved: ${String(data.title ?? "your note")}`);
}

/** Handles a click on a link `chatkit-link://name?key=value` in an answer. */
export function onDeeplink(name: string, data: Record<string, unknown>, page: PageActions): void {
  if (name === "compose") void page.setComposerValue({ text: String(data.text ?? "") });
}
