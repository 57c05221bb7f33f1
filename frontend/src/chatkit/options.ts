/** Makes ChatKit's options from the server's `/config.json` and from yours. */
import type {
  ChatKitOptions,
  ColorScheme,
  Entity,
  ModelOption,
  SupportedLocale,
  ToolOption,
} from "@openai/chatkit";
import type { PageConfig } from "./config";
import { operationOf } from "./operations";
import type { SessionInfo } from "./session";
import { chatKitTheme, type Theme } from "./theme";

/** The options that are yours: texts, prompts, and what the page does when the assistant asks. */
export type AssistantOptions = Pick<
  ChatKitOptions,
  "startScreen" | "disclaimer" | "onClientTool" | "commands" | "header"
> & {
  placeholder?: string;
  /** The tool menu. Each id is the name of a tool of the agent on the server. */
  tools?: ToolOption[];
  onEntityClick?: (entity: Entity) => void;
  onWidgetAction?: NonNullable<ChatKitOptions["widgets"]>["onAction"];
};

export function chatKitOptions(input: {
  config: PageConfig;
  fetch: typeof fetch;
  scheme: ColorScheme;
  /** Without a theme the chat has ChatKit's default look. */
  theme?: Theme;
  assistant: AssistantOptions;
  /** Who the visitor is. The menus then have what their roles allow, and nothing else. */
  session?: SessionInfo;
  initialThread: string | null;
  locale?: SupportedLocale;
}): ChatKitOptions {
  const { config, fetch, scheme, theme, session, initialThread, locale } = input;
  const { features } = config;
  const assistant = { ...input.assistant, ...config.assistant };
  const models = modelsFor(config, session);
  const tools = (assistant.tools ?? []).filter(({ id }) => session?.tools?.includes(id) ?? true);
  return {
    api: {
      url: config.api.chat,
      domainKey: config.domainKey,
      fetch: tellingAbilities(fetch, assistant),
      ...(features.attachments && { uploadStrategy: { type: "two_phase" } }),
    },
    ...(locale && { locale }),
    theme: theme ? chatKitTheme(scheme, theme) : { colorScheme: scheme },
    frameTitle: "Chat",
    initialThread,
    header: { enabled: true, title: { enabled: true }, ...assistant.header },
    history: { enabled: true, showDelete: true, showRename: true },
    startScreen: assistant.startScreen,
    disclaimer: assistant.disclaimer,
    threadItemActions: { feedback: features.feedback, retry: true },
    thread: { autoScroll: true },
    composer: {
      placeholder: assistant.placeholder,
      attachments: features.attachments
        ? { enabled: true, ...config.attachments }
        : { enabled: false },
      dictation: { enabled: features.dictation },
      ...(models.length > 1 && { models }),
      ...(tools.length > 0 && { tools }),
    },
    ...(features.entities && {
      entities: {
        showComposerMenu: true,
        onTagSearch: (query) => searchEntities(config.api.chat, query, fetch),
        onClick: assistant.onEntityClick,
        onRequestPreview: async (entity) => ({ preview: entityPreview(entity) }),
      },
    }),
    ...(assistant.commands && { commands: assistant.commands }),
    widgets: { onAction: assistant.onWidgetAction },
    onClientTool: assistant.onClientTool,
  };
}

/** The models that the visitor may pick. `config` has those of everybody, and the default. */
function modelsFor(config: PageConfig, session?: SessionInfo): ModelOption[] {
  const ofEverybody = config.models ?? [];
  if (!session?.models) return ofEverybody;
  return session.models.map(
    (id) =>
      ofEverybody.find((model) => model.id === id) ?? {
        id,
        label: session.modelLabels?.[id] ?? id,
        default: id === config.model.name,
      },
  );
}

/** Tells the server with each operation what the page can do, so that it offers nothing else. */
function tellingAbilities(fetch: typeof globalThis.fetch, assistant: AssistantOptions) {
  const abilities = [
    ...(assistant.onClientTool ? ["client_tools"] : []),
    ...(assistant.onWidgetAction ? ["widget_actions"] : []),
  ];
  const told: typeof fetch = (input, init) => {
    if (!operationOf(init?.body)) return fetch(input, init);
    const headers = new Headers(init?.headers);
    headers.set("x-chatkit-page-can", abilities.join(" ") || "nothing");
    return fetch(input, { ...init, headers });
  };
  return told;
}

/** The entities that match `query`. When the search fails there are none, and typing goes on. */
export async function searchEntities(
  chat: string,
  query: string,
  fetch: typeof globalThis.fetch,
): Promise<Entity[]> {
  try {
    const response = await fetch(`${chat}/entities?q=${encodeURIComponent(query)}`);
    if (!response.ok) return [];
    return ((await response.json()) as { entities?: Entity[] }).entities ?? [];
  } catch {
    return [];
  }
}

type Preview = Awaited<
  ReturnType<NonNullable<NonNullable<ChatKitOptions["entities"]>["onRequestPreview"]>>
>["preview"];

/** A small card with the entity's title, group and data. */
export function entityPreview(entity: Entity): Preview {
  return {
    type: "Basic",
    padding: 3,
    gap: 1,
    children: [
      { type: "Title", value: entity.title, size: "sm" },
      ...(entity.group ? [{ type: "Caption" as const, value: entity.group }] : []),
      ...Object.values(entity.data ?? {}).map((value) => ({
        type: "Text" as const,
        value: String(value),
        size: "sm" as const,
      })),
    ],
  };
}
