/** Type-checks the snippets of `src/chatkit/README.md`, and runs the React example. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { defineStandIn } from "../src/standin";
import { until } from "./wait";

const OUT = resolve("dist-examples/readme");

/** The files that the snippets import: the copied folder, Next.js, and tokens of your own. */
const AROUND: Record<string, string> = {
  "tsconfig.json": JSON.stringify({
    extends: "../../tsconfig.json",
    compilerOptions: { noUnusedLocals: false },
    include: ["**/*"],
  }),
  "chatkit.ts": 'export * from "../../src/chatkit";',
  "app/chat/chat.tsx": 'export * from "../../chat";',
  "next.d.ts": `
    declare module "next" {
      type Rewrite = { source: string; destination: string };
      export type NextConfig = { rewrites?: () => Promise<Rewrite[]> };
    }
    declare module "next/dynamic" {
      import type { ComponentType } from "react";
      export default function dynamic<P>(
        load: () => Promise<{ default: ComponentType<P> }>,
        options: { ssr: boolean },
      ): ComponentType<P>;
    }`,
};
const BEFORE: Record<string, string> = {
  "token.ts": `
    import { createSession, type GetToken, loadConfig } from "./chatkit";
    declare const auth: { getAccessToken(how: { ignoreCache: boolean }): Promise<string> };
    const config = await loadConfig();`,
  "challenge.ts": `
    import { createSession, loadConfig, solveChallenge } from "./chatkit";
    const config = await loadConfig();`,
};

const readme = readFileSync("src/chatkit/README.md", "utf8");
const snippets = new Map(
  [...readme.matchAll(/```tsx?\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(([, name, code]) => [
    String(name),
    String(code),
  ]),
);

beforeAll(() => {
  rmSync(OUT, { recursive: true, force: true });
  const files = Object.entries(AROUND);
  for (const [name, code] of snippets) files.push([name, `${BEFORE[name] ?? ""}\n${code}`]);
  for (const [name, text] of files) {
    mkdirSync(dirname(join(OUT, name)), { recursive: true });
    writeFileSync(join(OUT, name), text);
  }
});
afterEach(() => vi.unstubAllGlobals());

it("shows React, Next.js, tokens of your own and a challenge", () => {
  expect([...snippets.keys()]).toEqual([
    "chat.tsx",
    "main.tsx",
    "vite.config.ts",
    "app/chat/page.tsx",
    "app/chat/client.tsx",
    "next.config.ts",
    "token.ts",
    "challenge.ts",
  ]);
});

it("has snippets that fit the types of what they call", { timeout: 60_000 }, () => {
  const checked = spawnSync("node_modules/.bin/tsc", ["-p", OUT], { encoding: "utf8" });
  expect(checked.stdout + checked.stderr).toBe("");
  expect(checked.status).toBe(0);
});

it("names the npm packages that a copy and its examples import", () => {
  const folder = "src/chatkit";
  const copied = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  const examples = [snippets.get("chat.tsx"), snippets.get("main.tsx")];
  const code = [...copied.map((name) => readFileSync(join(folder, name), "utf8")), ...examples];
  const imports = [...code.join("\n").matchAll(/from "((?:@[\w-]+\/)?[\w-]+)/g)];
  const packages = new Set(imports.map(([, name]) => String(name)));
  expect([...packages].sort()).toEqual(["@openai/chatkit", "@openai/chatkit-react", "react-dom"]);
  const table = readme.slice(0, readme.indexOf("\n## "));
  for (const name of packages) expect(table).toContain(`${name}\``);
});

it("says in words that chatkit.js did not load, in the React example", async () => {
  vi.stubGlobal("fetch", async (url: URL | string) => {
    const { pathname } = new URL(url, location.href);
    if (pathname === "/config.json") return Response.json(CONFIG);
    return Response.json({ user: { id: "u" }, token: null, expiresAt: "" });
  });
  const root = document.body.appendChild(document.createElement("div"));
  root.id = "root";
  const shown = import(/* @vite-ignore */ join(OUT, "main.tsx"));
  const script = await until(() => document.head.querySelector("script[src]"));
  script.dispatchEvent(new Event("error"));
  await shown;
  const alert = await until(() => root.querySelector("[role=alert]"));
  expect(alert.textContent).toBe("chatkit.js could not be loaded.");
  root.remove();
});

it("has a plain page that imports what lies beside it", () => {
  const page = readFileSync("examples/plain.html", "utf8");
  const imported = page.match(/from "(\..+)"/)?.[1] ?? "";
  expect(existsSync(join("examples", imported))).toBe(true);
});

it("has a React example that starts and mounts a chat", async () => {
  defineStandIn();
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: URL | string) => {
    const { pathname } = new URL(url, location.href);
    asked.push(pathname);
    if (pathname === "/config.json") return Response.json(CONFIG);
    return Response.json({ user: { id: "u" }, token: null, expiresAt: "" });
  });
  const { start, Chat } = await import(/* @vite-ignore */ join(OUT, "chat.tsx"));
  const root = document.body.appendChild(document.createElement("div"));
  createRoot(root).render(createElement(Chat, await start()));
  const element = await until(() => root.querySelector("openai-chatkit"));
  await until(() => element.shadowRoot?.querySelector("textarea"));
  expect(asked).toEqual(["/config.json", "/chatkit/session"]);
  expect((element as HTMLElement).style.height).toBe("100dvh");
});

const CONFIG = {
  version: "0",
  chatkitScript: "https://cdn.example.com/chatkit.js",
  domainKey: "local-dev",
  api: { chat: "/chatkit", actions: "/actions" },
  auth: "anonymous",
  model: { name: "demo", label: "Offline demo" },
  features: {
    attachments: false,
    dictation: false,
    voiceNotes: false,
    feedback: true,
    entities: false,
  },
};
