/** Bundles `src/chatkit` into one file for pages without a build: `dist-examples/`. */
import { readFileSync, writeFileSync } from "node:fs";
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
      writeBundle: ({ dir }) => {
        const page = readFileSync("examples/plain.html", "utf8");
        const bundled = page.replace("../src/chatkit/index.ts", "./chatkit-serverless.js");
        writeFileSync(`${dir}/plain.html`, bundled);
      },
    },
  ],
});
