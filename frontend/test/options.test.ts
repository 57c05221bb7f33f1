/** The server's configuration and the page's theme become ChatKit's options. */
import { expect, it } from "vitest";
import { brand } from "../src/app/brand";
import { chatKitOptions, chatKitTheme, type PageConfig } from "../src/chatkit";
import { mount, page, thread } from "./chatkit";

const config: PageConfig = {
  version: "0",
  chatkitScript: "https://cdn.example.com/chatkit.js",
  domainKey: "key",
  api: { chat: "/chatkit", actions: "/actions" },
  auth: "anonymous",
  model: { name: "a", label: "A" },
  models: [{ id: "a", label: "A", default: true }],
  features: {
    attachments: true,
    dictation: true,
    voiceNotes: true,
    feedback: true,
    entities: true,
  },
  attachments: { maxSize: 7, maxCount: 2, accept: { "image/png": [".png"] } },
};
const off = Object.fromEntries(Object.keys(config.features).map((name) => [name, false]));

const options = (
  changed: Partial<PageConfig> = {},
  more: Partial<Parameters<typeof chatKitOptions>[0]> = {},
) =>
  chatKitOptions({
    config: { ...config, ...changed },
    fetch: globalThis.fetch,
    scheme: "light",
    initialThread: null,
    assistant: {},
    ...more,
  });

it("takes the limits of attachments from the server, and uploads in two phases", () => {
  expect(options().composer?.attachments).toEqual({ enabled: true, ...config.attachments });
  expect(options().api).toMatchObject({ uploadStrategy: { type: "two_phase" }, domainKey: "key" });
});

it("offers nothing that the server has turned off", () => {
  const { api, composer, entities, threadItemActions } = options({
    features: off as PageConfig["features"],
  });
  expect(api).not.toHaveProperty("uploadStrategy");
  expect(composer?.attachments).toEqual({ enabled: false });
  expect(composer?.dictation).toEqual({ enabled: false });
  expect(threadItemActions?.feedback).toBe(false);
  expect(entities).toBeUndefined();
});

it("offers a choice of models where there is one", () => {
  expect(options().composer?.models).toBeUndefined();
  const models = [...(config.models ?? []), { id: "b", label: "B" }];
  expect(options({ models }).composer?.models).toEqual(models);
});

it("offers only the models and tools that the session allows", () => {
  const tools = [
    { id: "calculate", label: "Calculator", icon: "search" as const },
    { id: "refund", label: "Refund", icon: "search" as const },
  ];
  const session = { user: { id: "ada" }, token: null, expiresAt: "" };
  const menus = (more: object) =>
    options({}, { assistant: { tools }, session: { ...session, ...more } }).composer;
  expect(menus({ models: ["a"], tools: ["calculate"] })).not.toHaveProperty("models");
  expect(menus({ models: ["a"], tools: ["calculate"] })?.tools).toEqual([tools[0]]);
  expect(menus({ models: ["a", "secret"], tools: [] })).toMatchObject({
    models: [
      { id: "a", label: "A", default: true },
      { id: "secret", label: "secret", default: false },
    ],
  });
  const named = menus({ models: ["a", "secret"], modelLabels: { a: "Other", secret: "Secret" } });
  expect(named?.models?.map(({ label }) => label)).toEqual(["A", "Secret"]);
  expect(menus({ models: ["a"], tools: [] })).not.toHaveProperty("tools");
  // An older server does not say.
  expect(menus({})?.tools).toEqual(tools);
});

it("lets history be renamed and deleted, and answers be had again", () => {
  expect(options().history).toEqual({ enabled: true, showDelete: true, showRename: true });
  expect(options().threadItemActions?.retry).toBe(true);
});

it.each(["light", "dark"] as const)("passes the given theme on to ChatKit in %s", (scheme) => {
  const { theme } = brand;
  expect(options({}, { scheme, theme }).theme).toEqual({
    colorScheme: scheme,
    radius: theme.radius,
    density: theme.density,
    color: {
      grayscale: theme.grayscale,
      accent: { primary: theme.accent[scheme], level: 1 },
      surface: theme.surface[scheme],
    },
    typography: {
      baseSize: theme.baseSize,
      fontFamily: theme.fontFamily,
      fontFamilyMono: theme.fontFamilyMono,
    },
  });
});

it("gives the stand-in the theme's corners, spacing, size and fonts", async () => {
  const theme = { ...brand.theme, radius: "sharp", density: "spacious", baseSize: 18 } as const;
  const { element } = await mount(() => page([]), { theme: chatKitTheme("light", theme) });
  const { style } = element;
  expect(style.getPropertyValue("--radius")).toBe("2px");
  expect(style.getPropertyValue("--density")).toBe("1.25");
  expect(style.fontSize).toBe("18px");
  expect(style.getPropertyValue("--font")).toBe(theme.fontFamily);
  expect(style.getPropertyValue("--mono")).toBe(theme.fontFamilyMono);
});

it("leaves ChatKit its own look where no theme is given", () => {
  expect(options({}, { scheme: "dark" }).theme).toEqual({ colorScheme: "dark" });
});

it("uses the language of the visitor's browser unless another is given", () => {
  expect(options()).not.toHaveProperty("locale");
  expect(options({}, { locale: "de" }).locale).toBe("de");
});

it("makes the stand-in use the given language for requests and dates", async () => {
  let asked = "";
  const old = { ...thread, created_at: "2020-03-01T12:00:00" };
  const chat = await mount(() => page([old]), {
    locale: "de",
    api: {
      url: "/chatkit",
      domainKey: "x",
      fetch: async (_url, init) => {
        asked = new Headers(init?.headers).get("accept-language") ?? "";
        return page([old]);
      },
    },
  });
  await chat.element.showHistory();
  await chat.sees("01.03.2020");
  expect(asked).toBe("de");
});

it("tells the server with each operation what the page can do", async () => {
  const seen: (string | null)[] = [];
  const fetch: typeof globalThis.fetch = async (_, init) => {
    seen.push(new Headers(init?.headers).get("x-chatkit-page-can"));
    return Response.json({});
  };
  const ask = async (assistant: object, body: string) => {
    const { api } = options({}, { fetch, assistant });
    await ("fetch" in api && api.fetch?.("/chatkit", { method: "POST", body }));
  };
  const both = { onClientTool: async () => ({}), onWidgetAction: async () => undefined };
  const operation = JSON.stringify({ type: "threads.list", params: {} });
  await ask(both, operation);
  await ask({ onClientTool: both.onClientTool }, operation);
  await ask({}, operation);
  await ask(both, "the bytes of a file");
  expect(seen).toEqual(["client_tools widget_actions", "client_tools", "nothing", null]);
});
