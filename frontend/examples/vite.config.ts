/** Bundles `src/chatkit` into one file for pages without a build: `dist-examples/`. */
import { copyFileSync } from "node:fs";
import { defineConfig } from "vite";

const OUT = "dist-examples";

export default defineConfig({
  publicDir: false,
  build: {
    outDir: OUT,
    target: "es2022",
    lib: { entry: "src/chatkit/index.ts", formats: ["es"], fileName: "chatkit-serverless" },
  },
  plugins: [
    {
      name: "copy-the-page",
      closeBundle: () => copyFileSync("examples/plain.html", `${OUT}/plain.html`),
    },
  ],
});
