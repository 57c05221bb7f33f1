import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { brand } from "./src/app/brand.ts";
import { headTags } from "./src/app/head.ts";

// `make dev-page` runs this dev server in front of the same backend.
// It compares a page's origin with Host, so Host is kept.
const backend = {
  target: process.env.CHATKIT_BACKEND ?? "http://127.0.0.1:8000",
  changeOrigin: false,
};
// Links to files lead to the host that the page was asked by, which is this server.
const signedLinks = "^/.+[?&]X-Amz-Signature=";

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
    // A file that is loaded later imports the first one only, which is there by then.
    modulePreload: false,
  },
  server: {
    port: 5173,
    proxy: {
      "/chatkit": backend,
      "/actions": backend,
      "/config.json": backend,
      [signedLinks]: backend,
    },
  },
  test: {
    environment: "jsdom",
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    restoreMocks: true,
  },
});
