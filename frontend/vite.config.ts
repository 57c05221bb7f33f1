import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { brand } from "./src/app/brand.ts";
import { headTags } from "./src/app/head.ts";

// `make dev-page` runs this dev server in front of the same backend.
const backend = process.env.CHATKIT_BACKEND ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [
    react(),
    {
      name: "brand",
      transformIndexHtml: (html) => ({
        html: html.replace('lang="en"', `lang="${brand.language}"`),
        tags: headTags(),
      }),
    },
  ],
  build: {
    target: "es2022",
    sourcemap: false,
    modulePreload: { polyfill: false },
  },
  server: {
    port: 5173,
    proxy: {
      "/chatkit": backend,
      "/actions": backend,
      "/config.json": backend,
    },
  },
  test: {
    environment: "jsdom",
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    restoreMocks: true,
  },
});
