/**
 * Takes the place of `frontend/src/app/assistant.ts` in the browser tests, so that the starter's
 * greeting, prompts, tools and commands can be changed without breaking them.
 */
export const locale = undefined;

const look = (value) => (value === "light" || value === "dark" ? value : "system");

const COMMANDS = [
  { id: "sum", label: "Add numbers", description: "Fills the composer", icon: "notebook" },
  { id: "dark", label: "Dark", group: "Appearance", icon: "lightbulb" },
];

export function assistantOptions(page) {
  return {
    placeholder: "Write to the test",
    startScreen: {
      greeting: "Welcome to the test",
      prompts: [
        { label: "Say hello", prompt: "Hello", icon: "sparkle" },
        { label: "Multiply two numbers", prompt: "What is 7 * 6?", icon: "square-code" },
      ],
    },
    tools: [
      {
        id: "look_around",
        label: "A tool with a name as long as this",
        shortLabel: "Long",
        icon: "search",
      },
      { id: "multiply", label: "Sums", icon: "square-code" },
    ],
    disclaimer: { text: "These answers are made up." },
    commands: {
      enabled: true,
      onSearch: async (query) =>
        COMMANDS.filter(({ label }) => label.toLowerCase().includes(query.toLowerCase())),
      onSelect: async ({ id }) => {
        if (id === "dark") page().setLook("dark");
        else await page().setComposerValue({ text: "What is 1 + 1?" });
      },
    },
    onEntityClick: (entity) => {
      void page().setComposerValue({ text: `About ${entity.title}` });
    },
    onClientTool: async ({ name, params }) => {
      if (name !== "switch_theme") return { error: `This page has no tool named ${name}.` };
      page().setLook(look(params.theme));
      return { theme: look(params.theme) };
    },
    onWidgetAction: async (action, item) => {
      if (action.type !== "theme.set") return page().sendCustomAction(action, item.id);
      const scheme = look(action.payload?.scheme);
      page().setLook(scheme);
      await page().sendCustomAction({ type: "theme.applied", payload: { scheme } }, item.id);
    },
  };
}

export function onEffect(name, data, page) {
  if (name === "note_saved") page.say(`The page got: ${data.title}`);
}

export function onDeeplink(name, data, page) {
  if (name === "compose") void page.setComposerValue({ text: String(data.text ?? "") });
}
