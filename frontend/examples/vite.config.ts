/** Bundles `src/chatkit` into one file for pages without a build: `dist-examples/`. */
import { copyFileSync } from "node:fs";
import { defineConfig } from "vite";

export default defineConfig({
  publicDir: false,
  build: {
    outDir: "dist-examples",
    emptyOutDir: true,
    target: "es2022",
    lib: { entry: "src/chatkit/index.ts", formats: ["es"], fileName: "chatkit-serverless" },
  },
  plugins: [
    {
      name: "copy-the-page",
      writeBundle: ({ dir }) => copyFileSync("examples/plain.html", `${dir}/plain.html`),
    },
  ],
});
